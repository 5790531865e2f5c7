package dev.gatehouse.extproc;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.stream.WarmUp;
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
import io.envoyproxy.envoy.service.ext_proc.v3.HttpBody;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A policy that no folder holds, for the stream of the warm-up: three headers changed each way, a condition, a template, a mask. */
final class WarmUpPolicy {
  private WarmUpPolicy() {}

  static WarmUp warmUp() {
    var plan = compile();
    return new WarmUp(
        () -> new TransformProcessor(plan, new StreamFacts(null, false), "", DecisionListener.NONE),
        WarmUp.headers(
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
            "warm-up"),
        ProcessingRequest.newBuilder()
            .setResponseHeaders(
                WarmUp.headers(":status", "200", "content-type", "application/json", "server", "x"))
            .build(),
        ProcessingRequest.newBuilder()
            .setResponseBody(HttpBody.newBuilder()
                .setBody(ByteString.copyFromUtf8("{\"card\":\"4111111111111111\",\"n\":[1,2,{}]}"))
                .setEndOfStream(true))
            .build());
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
