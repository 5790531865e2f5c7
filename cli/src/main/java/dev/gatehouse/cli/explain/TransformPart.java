package dev.gatehouse.cli.explain;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.gatehouse.extproc.Needs;
import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.server.Decision;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.service.ext_proc.v3.CommonResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.CommonResponse.ResponseStatus;
import io.envoyproxy.envoy.service.ext_proc.v3.ExternalProcessorGrpc;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpBody;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpHeaders;
import io.envoyproxy.envoy.service.ext_proc.v3.ImmediateResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.ProtocolConfiguration;
import io.grpc.Metadata;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What ext-proc does with a request and its response: one stream, with the messages that Envoy sends in the processing mode that {@code
 * wire} writes.
 */
final class TransformPart implements AutoCloseable {
  private static final String FILTER = "envoy.filters.http.ext_proc";

  /** {@code response.code_details} of what the upstream answered. */
  static final String VIA_UPSTREAM = "via_upstream";

  private static final Duration WITHIN = Duration.ofSeconds(10);

  private final Services services;
  private final Asked asked;
  private final Needs needs;
  private final @Nullable Struct authz;
  private final @Nullable LocalCall<ProcessingRequest> stream;
  private final List<ProcessingResponse> answers = new ArrayList<>();
  private final Map<String, List<String>> changes = new LinkedHashMap<>();
  private boolean first = true;
  private boolean local;
  private @Nullable Integer answered;
  private String failure = "";
  private @Nullable Decision decision;

  private TransformPart(
      Services services,
      Asked asked,
      Needs needs,
      @Nullable Struct authz,
      @Nullable LocalCall<ProcessingRequest> stream) {
    this.services = services;
    this.asked = asked;
    this.needs = needs;
    this.authz = authz;
    this.stream = stream;
  }

  /** @param authz the dynamic metadata of ext_authz's answer */
  static TransformPart open(
      Services services, Asked asked, AttachedRule rule, String requestId, @Nullable Struct authz) {
    var needs = Needs.of(rule);
    if (!needs.any()) {
      return new TransformPart(services, asked, needs, authz, null);
    }
    var metadata = new Metadata();
    put(metadata, Bindings.LISTENER_METADATA, rule.listener().toString());
    put(metadata, Bindings.ROUTE_METADATA, rule.route().toString());
    put(metadata, Bindings.REQUEST_ID, requestId);
    var stream = LocalCall.open(
        services.extProc().definition(),
        ExternalProcessorGrpc.getProcessMethod(),
        metadata,
        services.loop(),
        WITHIN);
    return new TransformPart(services, asked, needs, authz, stream);
  }

  private static void put(Metadata metadata, String name, String value) {
    metadata.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value);
  }

  /** The way to the upstream; the request is changed as the answers say. */
  void request(Message request) {
    if (stream == null || !needs.request().sendsHeaders()) {
      return;
    }
    var before = request.copy();
    var headers = HttpHeaders.newBuilder()
        .setHeaders(request.headerMap())
        .setEndOfStream(request.body().isEmpty());
    var replaced = exchange(
        ProcessingRequest.newBuilder().setRequestHeaders(headers), request, attributes(null));
    if (running() && !replaced && needs.request().readsBody() && !request.body().isEmpty()) {
      var body = HttpBody.newBuilder().setBody(request.body()).setEndOfStream(true);
      exchange(ProcessingRequest.newBuilder().setRequestBody(body), request, null);
    }
    changes.put("request", Diff.of(before, request));
  }

  /**
   * The way back to the client.
   *
   * @param details {@code response.code_details}: {@link #VIA_UPSTREAM}, or which filter answered
   */
  void response(Message response, String details) {
    if (stream == null || !needs.response().sendsHeaders() || !running()) {
      return;
    }
    local = !details.equals(VIA_UPSTREAM);
    var before = response.copy();
    var headers = HttpHeaders.newBuilder()
        .setHeaders(response.headerMap())
        .setEndOfStream(response.body().isEmpty());
    var replaced = exchange(
        ProcessingRequest.newBuilder().setResponseHeaders(headers), response, attributes(details));
    if (running()
        && !replaced
        && needs.response().readsBody()
        && !response.body().isEmpty()) {
      var body = HttpBody.newBuilder().setBody(response.body()).setEndOfStream(true);
      exchange(ProcessingRequest.newBuilder().setResponseBody(body), response, null);
    }
    changes.put("response", Diff.of(before, response));
  }

  private boolean running() {
    return answered == null && failure.isEmpty();
  }

  private Struct attributes(@Nullable String details) {
    var attributes =
        Struct.newBuilder().putFields("source.address", text(asked.sourceAddress() + ":50000"));
    if (details != null) {
      attributes.putFields("response.code_details", text(details));
    }
    return attributes.build();
  }

  private static Value text(String text) {
    return Value.newBuilder().setStringValue(text).build();
  }

  /** True if no body is to follow, because it was replaced already. */
  private boolean exchange(
      ProcessingRequest.Builder message, Message changed, @Nullable Struct attributes) {
    if (stream == null) {
      return false;
    }
    if (attributes != null) {
      message.putAttributes(FILTER, attributes);
    }
    if (authz != null) {
      message.getMetadataContextBuilder().putFilterMetadata(Bindings.AUTHZ_NAMESPACE, authz);
    }
    if (first) {
      first = false;
      message.setProtocolConfig(ProtocolConfiguration.newBuilder()
          .setRequestBodyMode(
              needs.request().readsBody() ? BodySendMode.BUFFERED : BodySendMode.NONE)
          .setResponseBodyMode(
              needs.response().readsBody() ? BodySendMode.BUFFERED : BodySendMode.NONE));
    }
    return switch (stream.exchange(message.build())) {
      case LocalCall.Answer.Message(var bytes) -> answered(bytes, changed);
      case LocalCall.Answer.Closed(var status) -> {
        failure = String.valueOf(status.getDescription());
        yield false;
      }
    };
  }

  private boolean answered(ByteString bytes, Message changed) {
    ProcessingResponse answer;
    try {
      answer = ProcessingResponse.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("ext-proc gave an answer that is none", e);
    }
    answers.add(answer);
    return switch (answer.getResponseCase()) {
      case REQUEST_HEADERS -> apply(answer.getRequestHeaders().getResponse(), changed);
      case RESPONSE_HEADERS -> apply(answer.getResponseHeaders().getResponse(), changed);
      case REQUEST_BODY -> apply(answer.getRequestBody().getResponse(), changed);
      case RESPONSE_BODY -> apply(answer.getResponseBody().getResponse(), changed);
      case IMMEDIATE_RESPONSE -> {
        immediate(answer.getImmediateResponse());
        yield false;
      }
      case REQUEST_TRAILERS, RESPONSE_TRAILERS, RESPONSE_NOT_SET -> false;
    };
  }

  private static boolean apply(CommonResponse common, Message changed) {
    changed.apply(common.getHeaderMutation());
    if (common.hasBodyMutation()) {
      changed.body(common.getBodyMutation().getBody());
    }
    return common.getStatus() == ResponseStatus.CONTINUE_AND_REPLACE;
  }

  private void immediate(ImmediateResponse response) {
    answered = response.getStatus().getCodeValue();
  }

  /** The status of an answer that the client gets from here instead of another; null where it gets none. A failed stream is a 500. */
  @Nullable
  Integer status() {
    return failure.isEmpty() ? answered : Integer.valueOf(500);
  }

  boolean failed() {
    return !failure.isEmpty();
  }

  /** Ends the stream; only then the service says what it did. */
  @Override
  public void close() {
    if (stream != null) {
      stream.close();
      decision = services.last("ext-proc");
    }
  }

  void print(Page page) {
    page.heading("ext-proc");
    if (stream == null) {
      page.dim("not asked: no policy changes anything");
      return;
    }
    if (local && running() && changes.getOrDefault("response", List.of()).isEmpty()) {
      page.dim("the refusal passes it unchanged");
      return;
    }
    if (decision != null) {
      page.verdict(
          running(),
          AuthPart.word(decision)
              + (decision.policy().isEmpty() ? "" : " by " + decision.policy())
              + (decision.detail().isEmpty() ? "" : ": " + decision.detail()));
    }
    if (!failure.isEmpty()) {
      page.verdict(false, "the stream fails, and Envoy answers 500: " + failure);
    }
    changes.forEach((which, lines) -> {
      var what = local && which.equals("response") ? "refusal" : which;
      page.plain("the " + what + (lines.isEmpty() ? " stays as it is" : " is changed:"));
      page.diff(lines);
    });
    if (needs.response().sendsHeaders() && !changes.containsKey("response") && running()) {
      page.dim("what becomes of the response is said when one is given (--response-status, …)");
    }
    page.plain("the answers to Envoy (ProcessingResponse):");
    answers.forEach(answer -> page.json(Protos.json(answer)));
  }

  Map<String, Object> json() {
    var json = new LinkedHashMap<String, Object>();
    json.put("asked", stream != null);
    if (stream == null) {
      return json;
    }
    if (decision != null) {
      json.put("decision", AuthPart.json(decision));
    }
    if (!failure.isEmpty()) {
      json.put("failure", failure);
    }
    json.put("changes", changes);
    json.put("answers", answers.stream().map(Protos::json).toList());
    return json;
  }
}
