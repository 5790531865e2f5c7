package dev.gatehouse.cli.explain;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.gatehouse.extproc.Needs;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.transform.Refusals;
import dev.gatehouse.extproc.transform.StepRecord;
import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.policy.resource.TransformPolicy;
import dev.gatehouse.server.Decision;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode;
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

  /** As large as a piece that Envoy reads from a connection. */
  private static final int CHUNK_BYTES = 16 << 10;

  private static final Duration WITHIN = Duration.ofSeconds(10);

  private final Services services;
  private final Asked asked;
  private final @Nullable TransformPolicy policy;
  private final @Nullable Struct authz;
  private final StepRecord record;
  private final @Nullable LocalCall<ProcessingRequest> stream;
  private final List<ProcessingResponse> answers = new ArrayList<>();
  private final Map<String, List<String>> changes = new LinkedHashMap<>();
  private final List<StepsPart> steps = new ArrayList<>();
  private Modes modes;
  private boolean first = true;
  private boolean local;
  private @Nullable Integer answered;
  private String failure = "";
  private @Nullable Decision decision;

  private TransformPart(
      Services services,
      Asked asked,
      @Nullable TransformPolicy policy,
      Modes modes,
      @Nullable Struct authz,
      StepRecord record,
      @Nullable LocalCall<ProcessingRequest> stream) {
    this.services = services;
    this.asked = asked;
    this.policy = policy;
    this.modes = modes;
    this.authz = authz;
    this.record = record;
    this.stream = stream;
  }

  /** @param authz the dynamic metadata of ext_authz's answer */
  static TransformPart open(
      Services services, Asked asked, AttachedRule rule, String requestId, @Nullable Struct authz) {
    var needs = Needs.of(rule);
    var policy =
        rule.transform() instanceof Attachment.Of<TransformPolicy>(var holds) ? holds : null;
    var record = new StepRecord();
    if (!needs.any()) {
      return new TransformPart(services, asked, policy, Modes.of(needs), authz, record, null);
    }
    var metadata = new Metadata();
    put(metadata, Bindings.LISTENER_METADATA, rule.listener().toString());
    put(metadata, Bindings.ROUTE_METADATA, rule.route().toString());
    put(metadata, Bindings.REQUEST_ID, requestId);
    var stream = LocalCall.open(
        services.extProc().explaining(record),
        ExternalProcessorGrpc.getProcessMethod(),
        metadata,
        services.loop(),
        WITHIN);
    return new TransformPart(services, asked, policy, Modes.of(needs), authz, record, stream);
  }

  /** What Envoy sends, as {@code wire} writes it; an answer may change the bodies'. */
  private record Modes(
      boolean requestHeaders,
      boolean responseHeaders,
      BodySendMode requestBody,
      BodySendMode responseBody) {
    static Modes of(Needs needs) {
      return new Modes(
          needs.request().sendsHeaders(),
          needs.response().sendsHeaders(),
          mode(needs, Direction.REQUEST),
          mode(needs, Direction.RESPONSE));
    }

    private static BodySendMode mode(Needs needs, Direction direction) {
      return BodySendMode.valueOf(needs.mode(direction).name());
    }

    BodySendMode body(Direction direction) {
      return direction == Direction.REQUEST ? requestBody : responseBody;
    }

    /** {@code ExternalProcessor.allow_mode_override}: ignored where a duplex mode is configured; the bodies' modes are always taken. */
    Modes overridden(ProcessingMode mode) {
      return requestBody == BodySendMode.FULL_DUPLEX_STREAMED
              || responseBody == BodySendMode.FULL_DUPLEX_STREAMED
          ? this
          : new Modes(
              requestHeaders,
              responseHeaders,
              mode.getRequestBodyMode(),
              mode.getResponseBodyMode());
    }
  }

  private static void put(Metadata metadata, String name, String value) {
    metadata.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value);
  }

  /** The way to the upstream; the request is changed as the answers say. */
  void request(Message request) {
    if (stream == null || !modes.requestHeaders) {
      return;
    }
    play(Direction.REQUEST, request, attributes(null), "");
  }

  /**
   * The way back to the client.
   *
   * @param details {@code response.code_details}: {@link #VIA_UPSTREAM}, or which filter answered
   */
  void response(Message response, String details) {
    if (stream == null || !modes.responseHeaders || !running()) {
      return;
    }
    local = !details.equals(VIA_UPSTREAM);
    play(
        Direction.RESPONSE,
        response,
        attributes(details),
        local ? "an answer of Envoy's own is left as it is (localReplies: Skip)" : "");
  }

  private void play(Direction direction, Message message, Struct attributes, String unrun) {
    var before = message.copy();
    var headers = HttpHeaders.newBuilder()
        .setHeaders(message.headerMap())
        .setEndOfStream(message.body().isEmpty());
    var first = direction == Direction.REQUEST
        ? ProcessingRequest.newBuilder().setRequestHeaders(headers)
        : ProcessingRequest.newBuilder().setResponseHeaders(headers);
    var replaced = exchange(first, message, attributes);
    if (running() && !replaced && !before.body().isEmpty()) {
      switch (modes.body(direction)) {
        case BUFFERED -> exchange(body(direction, before.body(), true), message, null);
        case FULL_DUPLEX_STREAMED -> duplex(direction, before.body(), message);
        case NONE, STREAMED, BUFFERED_PARTIAL, UNRECOGNIZED -> {}
      }
    }
    if (running()) {
      changes.put(StepsPart.name(direction), Diff.of(before, message));
    }
    if (policy != null) {
      steps.add(StepsPart.of(direction, policy, record, before, message, unrun));
    }
  }

  /** In pieces; what comes back is the body, and Envoy sends it without a length. */
  private void duplex(Direction direction, ByteString body, Message message) {
    message.remove("content-length");
    message.body(ByteString.EMPTY);
    for (int at = 0; at < body.size() && running(); at += CHUNK_BYTES) {
      var end = Math.min(body.size(), at + CHUNK_BYTES);
      exchange(body(direction, body.substring(at, end), end == body.size()), message, null);
    }
  }

  private static ProcessingRequest.Builder body(
      Direction direction, ByteString bytes, boolean last) {
    var body = HttpBody.newBuilder().setBody(bytes).setEndOfStream(last);
    return direction == Direction.REQUEST
        ? ProcessingRequest.newBuilder().setRequestBody(body)
        : ProcessingRequest.newBuilder().setResponseBody(body);
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
          .setRequestBodyMode(modes.requestBody)
          .setResponseBodyMode(modes.responseBody));
    }
    var answer = stream.exchange(message.build());
    var replaced = false;
    for (var bytes : answer.messages()) {
      replaced |= answered(bytes, changed);
    }
    if (answer.ended() != null && !answer.ended().isOk()) {
      failure = String.valueOf(answer.ended().getDescription());
    }
    return replaced;
  }

  private boolean answered(ByteString bytes, Message changed) {
    ProcessingResponse answer;
    try {
      answer = ProcessingResponse.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("ext-proc gave an answer that is none", e);
    }
    answers.add(answer);
    if (answer.hasModeOverride()) {
      modes = modes.overridden(answer.getModeOverride());
    }
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
    var body = common.getBodyMutation();
    switch (body.getMutationCase()) {
      case BODY -> changed.body(body.getBody());
      case CLEAR_BODY -> changed.body(ByteString.EMPTY);
      case STREAMED_RESPONSE ->
        changed.body(changed.body().concat(body.getStreamedResponse().getBody()));
      case MUTATION_NOT_SET -> {}
    }
    return common.getStatus() == ResponseStatus.CONTINUE_AND_REPLACE;
  }

  private void immediate(ImmediateResponse response) {
    answered = response.getStatus().getCodeValue();
  }

  /** The dynamic metadata for the filters behind, by namespace: ext-authz's, and what {@code wire} lets ext-proc write. */
  Map<String, Struct> metadata() {
    var all = new LinkedHashMap<String, Struct>();
    if (authz != null) {
      all.put(Bindings.AUTHZ_NAMESPACE, authz);
    }
    for (var answer : answers) {
      var written = answer.getDynamicMetadata().getFieldsMap().get(Bindings.PROCESSOR_NAMESPACE);
      if (written != null) {
        all.merge(
            Bindings.PROCESSOR_NAMESPACE,
            written.getStructValue(),
            (old, more) -> old.toBuilder().mergeFrom(more).build());
      }
    }
    return all;
  }

  /** The status of an answer that the client gets from here instead of another; null where it gets none. A failed stream is a 500. */
  @Nullable
  Integer status() {
    return failure.isEmpty() ? answered : Integer.valueOf(500);
  }

  /** The stream failed, or the policy did and says so to the client. */
  boolean failed() {
    return !failure.isEmpty()
        || (!answers.isEmpty()
            && answers
                .getLast()
                .getImmediateResponse()
                .getDetails()
                .equals(Refusals.POLICY_FAILED));
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
    if (first) {
      page.dim("not asked: it stops before, and nothing is to be done to Envoy's answer");
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
    steps.forEach(part -> part.print(page));
    changes.forEach((which, lines) -> {
      var what = local && which.equals("response") ? "refusal" : which;
      page.plain("the " + what + (lines.isEmpty() ? " stays as it is" : " is changed:"));
      page.diff(lines);
    });
    if (modes.responseHeaders && !changes.containsKey("response") && running()) {
      page.dim("what becomes of the response is said when one is given (--response-status, …)");
    }
    if (answered != null) {
      page.plain("the client gets " + answered + " from here");
    }
    if (!answers.isEmpty()) {
      page.plain("the answers to Envoy (ProcessingResponse):");
      answers.forEach(answer -> page.json(Protos.json(answer)));
    }
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
    json.put("steps", steps.stream().flatMap(part -> part.json().stream()).toList());
    json.put("changes", changes);
    json.put("answers", answers.stream().map(Protos::json).toList());
    return json;
  }
}
