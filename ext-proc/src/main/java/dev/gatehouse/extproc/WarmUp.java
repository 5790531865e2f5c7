package dev.gatehouse.extproc;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.extproc.transform.StreamFacts;
import dev.gatehouse.extproc.transform.TransformCompiler;
import dev.gatehouse.extproc.transform.TransformPlan;
import dev.gatehouse.extproc.transform.TransformProcessor;
import dev.gatehouse.policy.resource.Meta;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.Targets;
import dev.gatehouse.policy.resource.TransformPolicy;
import dev.gatehouse.policy.resource.TransformPolicy.Edits;
import dev.gatehouse.policy.resource.TransformPolicy.JsonMask;
import dev.gatehouse.policy.resource.TransformPolicy.JsonOp;
import dev.gatehouse.policy.resource.TransformPolicy.Step;
import dev.gatehouse.server.DecisionListener;
import dev.gatehouse.server.Service.WarmUpCall;
import io.envoyproxy.envoy.config.core.v3.HeaderMap;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.service.ext_proc.v3.ExternalProcessorGrpc;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpBody;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpHeaders;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A stream that the server sends to itself before it is ready, under a policy that no folder holds: three headers changed each
 * way, a condition, a template, a mask. It is known by an attribute with a value that only this process knows.
 */
final class WarmUp {
  private static final String ATTRIBUTE = "gatehouse.dev/warm-up";

  private final String token = UUID.randomUUID().toString();
  private final TransformPlan plan = compile();

  boolean is(HeadersMessage first) {
    return token.equals(first.attribute(ATTRIBUTE));
  }

  Processor processor() {
    return new TransformProcessor(plan, new StreamFacts(null, false), "", DecisionListener.NONE);
  }

  List<WarmUpCall> calls() {
    var call = new WarmUpCall(
        ExternalProcessorGrpc.getProcessMethod().getFullMethodName(),
        List.of(
            ProcessingRequest.newBuilder()
                .setRequestHeaders(headers(
                    ":method",
                    "GET",
                    ":path",
                    "/warm-up?a=b",
                    ":scheme",
                    "http",
                    ":authority",
                    "warm-up",
                    "accept",
                    "*/*",
                    "accept-encoding",
                    "gzip",
                    "x-request-id",
                    token))
                .putAttributes(
                    "envoy.filters.http.ext_proc",
                    Struct.newBuilder()
                        .putFields(
                            ATTRIBUTE, Value.newBuilder().setStringValue(token).build())
                        .build())
                .build()
                .toByteArray(),
            ProcessingRequest.newBuilder()
                .setResponseHeaders(
                    headers(":status", "200", "content-type", "application/json", "server", "x"))
                .build()
                .toByteArray(),
            ProcessingRequest.newBuilder()
                .setResponseBody(HttpBody.newBuilder()
                    .setBody(
                        ByteString.copyFromUtf8("{\"card\":\"4111111111111111\",\"n\":[1,2,{}]}"))
                    .setEndOfStream(true))
                .build()
                .toByteArray()));
    return List.of(call);
  }

  private static HttpHeaders headers(String... namesAndValues) {
    var map = HeaderMap.newBuilder();
    for (var i = 0; i < namesAndValues.length; i += 2) {
      map.addHeaders(HeaderValue.newBuilder()
          .setKey(namesAndValues[i])
          .setRawValue(ByteString.copyFromUtf8(namesAndValues[i + 1])));
    }
    return HttpHeaders.newBuilder().setHeaders(map).build();
  }

  private static TransformPlan compile() {
    var changes = new Edits(
        List.of("x-a"),
        Map.of(),
        Map.of(),
        Map.of("x-b", List.of("${request.method}")),
        Map.of(),
        Map.of("x-c", List.of("c")));
    var request = step("request.method == 'GET'", changes, List.of());
    var response = step(null, changes, List.of(new JsonMask("/card", 4, Origin.NONE)));
    var meta = new Meta(
        "gatehouse.dev/v1alpha1",
        "TransformPolicy",
        "gatehouse.dev",
        "warm-up",
        Map.of(),
        Map.of(),
        null,
        Origin.NONE);
    var problems = new Problems();
    var plan = new TransformCompiler(problems)
        .compile(new TransformPolicy(
            meta,
            new Targets(List.of(), List.of()),
            1 << 20,
            1 << 20,
            false,
            true,
            List.of(request),
            List.of(response)));
    if (plan == null) {
      throw new IllegalStateException("the warm-up policy does not compile: " + problems.all());
    }
    return plan;
  }

  private static Step step(@Nullable String when, Edits headers, List<JsonOp> json) {
    return new Step(
        null,
        when,
        false,
        headers,
        null,
        null,
        null,
        null,
        null,
        json,
        Map.of(),
        null,
        Origin.NONE);
  }
}
