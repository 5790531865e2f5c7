package dev.gatehouse.cli.explain;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Struct;
import com.google.protobuf.Timestamp;
import dev.gatehouse.authz.rules.Trace;
import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.server.Decision;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.grpc.stub.StreamObserver;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * What ext-authz says.
 *
 * @param open why it is not asked; empty where it is
 * @param removed headers that Envoy took from the request before anybody was asked
 * @param steps of the decision, in order
 * @param answer as its bytes say; null where it is not asked
 * @param changes of the request, by the answer
 */
record AuthPart(
    String open,
    List<String> removed,
    List<Step> steps,
    @Nullable Decision decision,
    @Nullable CheckResponse answer,
    List<String> changes) {
  /** The decision itself waits for at most some hundred milliseconds. */
  private static final int WITHIN_SECONDS = 10;

  record Step(String what, String input, String outcome) {}

  /** @param request changed as the answer says */
  static AuthPart of(Services services, Asked asked, AttachedRule rule, Message request) {
    var removed = services.policies().ownedHeaders(rule.gateway()).stream()
        .filter(name -> request.header(name) != null)
        .toList();
    removed.forEach(request::remove);
    if (!rule.guarded()) {
      return new AuthPart("no policy asks who it is", removed, List.of(), null, null, List.of());
    }
    var steps = new CopyOnWriteArrayList<Step>();
    var answer = ask(services, check(services, asked, rule, request), steps);
    var before = request.copy();
    if (answer.getStatus().getCode() == 0) {
      request.apply(answer.getOkResponse());
    }
    return new AuthPart(
        "",
        removed,
        List.copyOf(steps),
        services.last("ext-authz"),
        answer,
        Diff.of(before, request));
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

  private static CheckResponse ask(Services services, CheckRequest request, List<Step> steps) {
    var answer = new CompletableFuture<byte[]>();
    Trace trace = (what, input, outcome) -> steps.add(new Step(what, input, outcome));
    services.loop().execute(() -> services.authz().explain(request, trace, new Only(answer)));
    try {
      var bytes = answer.get(WITHIN_SECONDS, TimeUnit.SECONDS);
      // The decision is told on the loop behind the answer.
      services.loop().submit(() -> {}).syncUninterruptibly();
      return CheckResponse.parseFrom(bytes);
    } catch (InvalidProtocolBufferException | ExecutionException | TimeoutException e) {
      throw new IllegalStateException("ext-authz gave no answer", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Takes the one answer. */
  private record Only(CompletableFuture<byte[]> answer) implements StreamObserver<byte[]> {
    @Override
    public void onNext(byte[] bytes) {
      answer.complete(bytes);
    }

    @Override
    public void onError(Throwable error) {
      answer.completeExceptionally(error);
    }

    @Override
    public void onCompleted() {}
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
    for (var step : steps) {
      page.dim(step.what() + " ← " + step.input() + " → " + step.outcome());
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
    json.put(
        "steps",
        steps.stream()
            .map(step ->
                Map.of("what", step.what(), "input", step.input(), "outcome", step.outcome()))
            .toList());
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
