package dev.gatehouse.authz;

import dev.gatehouse.authz.jwt.Crypto;
import dev.gatehouse.authz.jwt.KeySources;
import dev.gatehouse.authz.rules.Trace;
import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.server.Prebuilt;
import dev.gatehouse.server.Service;
import dev.gatehouse.server.ServiceContext;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The ext-authz service, composed on this screen. */
public final class ExtAuthz implements Service {
  private static final Logger LOG = LoggerFactory.getLogger(ExtAuthz.class);

  private final KeySources keys;
  private final Decisions decisions;
  private final AuthzService service;
  private final WarmUp warmUp;
  private final PrometheusRegistry metrics;
  private final List<GaugeWithCallback> gauges;

  private ExtAuthz(PolicySource policies, ExtAuthzSettings settings, ServiceContext context) {
    keys = new KeySources(context.clock());
    var cache = new TokenCache(TokenCache.DEFAULT_BYTES);
    var plans = policies.live(new AuthCompiler(keys, cache, settings));
    var answers = new Answers();
    decisions = new Decisions(new Authorizer(), context.clock(), Decisions.WITHIN);
    service = new AuthzService(
        plans, decisions, answers, context.decisions(), settings.addressFromHeader());
    warmUp = new WarmUp(keys, answers, context.clock());
    metrics = context.metrics();
    gauges = gauges(keys, cache);
    gauges.forEach(metrics::register);
  }

  /** Registers its compiler with the policies; call before {@link PolicySource#start}. */
  public static ExtAuthz create(
      PolicySource policies, ExtAuthzSettings settings, ServiceContext context) {
    return new ExtAuthz(policies, settings, context);
  }

  /**
   * Decides as for Envoy and tells every step, for {@code gatehouse explain}. What has to be found out first is found out, and then
   * the steps are told anew from the first, after one that is called {@code found out}.
   *
   * @param answer gets the bytes of a {@code CheckResponse}, once
   */
  public void explain(CheckRequest request, Trace trace, StreamObserver<byte[]> answer) {
    service.explain(request, trace, answer);
  }

  private static List<GaugeWithCallback> gauges(KeySources keys, TokenCache cache) {
    return List.of(
        GaugeWithCallback.builder()
            .name("gatehouse_crypto_provider")
            .help("1, with who checks signatures.")
            .labelNames("provider")
            .callback(gauge -> gauge.call(1, Crypto.best().provider()))
            .build(),
        GaugeWithCallback.builder()
            .name("gatehouse_key_sources_failing")
            .help("Remote key sets whose last fetch failed.")
            .callback(gauge -> gauge.call((double) keys.failing()))
            .build(),
        GaugeWithCallback.builder()
            .name("gatehouse_token_cache_bytes")
            .help("A rough upper bound of the memory of tokens that were verified.")
            .callback(gauge -> gauge.call((double) cache.bytes()))
            .build());
  }

  @Override
  public String name() {
    return "ext-authz";
  }

  @Override
  public ServerServiceDefinition definition() {
    return Prebuilt.service(
        AuthorizationGrpc.getServiceDescriptor(),
        Prebuilt.answering(AuthorizationGrpc.getCheckMethod()),
        ServerCalls.asyncUnaryCall(service::check));
  }

  @Override
  public List<WarmUpCall> warmUpCalls() {
    return WarmUp.calls();
  }

  @Override
  public void warmUp() {
    LOG.info("signatures are checked by {}", Crypto.best().name());
    warmUp.run();
  }

  @Override
  public byte[] refusal() {
    return Answers.unavailable();
  }

  @Override
  public void close() {
    decisions.close();
    keys.close();
    gauges.forEach(metrics::unregister);
  }
}
