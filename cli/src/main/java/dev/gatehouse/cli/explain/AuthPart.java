package dev.gatehouse.cli.explain;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Struct;
import com.google.protobuf.Timestamp;
import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.server.Decision;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.grpc.Metadata;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What ext-authz says.
 *
 * @param open why it is not asked; empty where it is
 * @param removed headers that Envoy took from the request before anybody was asked
 * @param answer as its bytes say; null where it is not asked
 * @param changes of the request, by the answer
 */
record AuthPart(
    String open,
    List<String> removed,
    @Nullable Decision decision,
    @Nullable CheckResponse answer,
    List<String> changes) {
  /** Remote keys may have to be fetched. */
  private static final Duration WITHIN = Duration.ofSeconds(10);

  /** @param request changed as the answer says */
  static AuthPart of(Services services, Asked asked, AttachedRule rule, Message request) {
    var removed = services.policies().ownedHeaders(rule.gateway()).stream()
        .filter(name -> request.header(name) != null)
        .toList();
    removed.forEach(request::remove);
    if (!rule.guarded()) {
      return new AuthPart("no policy asks who it is", removed, null, null, List.of());
    }
    var answer = ask(services, check(services, asked, rule, request));
    var before = request.copy();
    if (answer.getStatus().getCode() == 0) {
      request.apply(answer.getOkResponse());
    }
    return new AuthPart("", removed, services.last("ext-authz"), answer, Diff.of(before, request));
  }

  /** Envoy allows if and only if the status is 0. */
  boolean allows() {
    return answer == null || answer.getStatus().getCode() == 0;
  }

  /** The status that the client gets; 403 is ext_authz's own (DeniedHttpResponse.status). */
  int status() {
    return answer == null || allows()
        ? 200
        : answer.getDeniedResponse().hasStatus()
            ? answer.getDeniedResponse().getStatus().getCodeValue()
            : 403;
  }

  @Nullable
  Struct metadata() {
    return answer == null || !answer.hasDynamicMetadata() ? null : answer.getDynamicMetadata();
  }

  private static CheckResponse ask(Services services, CheckRequest request) {
    try (var call = LocalCall.open(
        services.authz().definition(),
        AuthorizationGrpc.getCheckMethod(),
        new Metadata(),
        services.loop(),
        WITHIN)) {
      return switch (call.ask(request)) {
        case LocalCall.Answer.Message(var bytes) -> CheckResponse.parseFrom(bytes);
        case LocalCall.Answer.Closed(var status) ->
          throw new IllegalStateException("ext-authz gave no answer: " + status);
      };
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("ext-authz gave an answer that is none", e);
    }
  }

  /** As the filter that {@code wire} writes describes a request. */
  private static CheckRequest check(
      Services services, Asked asked, AttachedRule rule, Message request) {
    var now = services.clock().instant();
    var peer = AttributeContext.Peer.newBuilder()
        .setAddress(Address.newBuilder()
            .setSocketAddress(
                SocketAddress.newBuilder().setAddress(asked.sourceAddress()).setPortValue(50_000)));
    if (asked.certificate() != null) {
      peer.setCertificate(
          URLEncoder.encode(asked.certificate(), StandardCharsets.UTF_8).replace("+", "%20"));
    }
    var http = AttributeContext.HttpRequest.newBuilder()
        .setId("1")
        .setMethod(request.method())
        .setHeaderMap(request.headerMap())
        .setPath(request.path())
        .setHost(request.host())
        .setScheme(asked.scheme())
        .setSize(asked.body().size())
        .setProtocol("HTTP/1.1");
    return CheckRequest.newBuilder()
        .setAttributes(AttributeContext.newBuilder()
            .setSource(peer)
            .setRequest(AttributeContext.Request.newBuilder()
                .setTime(
                    Timestamp.newBuilder().setSeconds(now.getEpochSecond()).setNanos(now.getNano()))
                .setHttp(http))
            .putContextExtensions(Bindings.LISTENER, rule.listener().toString())
            .putContextExtensions(Bindings.ROUTE, rule.route().toString()))
        .build();
  }

  void print(Page page) {
    page.heading("ext-authz");
    removed.forEach(name ->
        page.dim(name + " is taken from the request by Envoy: a policy of the Gateway owns it"));
    if (answer == null) {
      page.dim("not asked: " + open);
      return;
    }
    if (decision != null) {
      page.verdict(
          allows(),
          word(decision) + (decision.policy().isEmpty() ? "" : " by " + decision.policy())
              + " (" + decision.reason() + ")"
              + (decision.detail().isEmpty() ? "" : ": " + decision.detail())
              + (decision.who().isEmpty() ? "" : "; it is " + decision.who()));
    }
    if (!changes.isEmpty()) {
      page.plain("the request is changed:");
      page.diff(changes);
    }
    page.plain("the answer to Envoy (CheckResponse, "
        + (allows() ? "status.code 0: it lets the request pass):" : "which denies):"));
    page.json(Protos.json(answer));
  }

  static String word(Decision decision) {
    return decision.outcome().name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  Map<String, Object> json() {
    var json = new LinkedHashMap<String, Object>();
    json.put("asked", answer != null);
    json.put("removed", removed);
    if (answer == null) {
      json.put("why", open);
      return json;
    }
    if (decision != null) {
      json.put("decision", json(decision));
    }
    json.put("changes", changes);
    json.put("answer", Protos.json(answer));
    return json;
  }

  static Map<String, Object> json(Decision decision) {
    var json = new LinkedHashMap<String, Object>();
    json.put("outcome", word(decision));
    json.put("reason", decision.reason());
    json.put("policy", decision.policy());
    json.put("detail", decision.detail());
    json.put("who", decision.who());
    return json;
  }
}
