package dev.gatehouse.authz;

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
import java.util.List;

/** The ext-authz service, composed on this screen. */
public final class ExtAuthz implements Service {
  private final KeySources keys;
  private final Decisions decisions;
  private final AuthzService service;
  private final WarmUp warmUp;

  private ExtAuthz(PolicySource policies, ExtAuthzSettings settings, ServiceContext context) {
    keys = new KeySources(context.clock());
    var cache = new TokenCache(TokenCache.DEFAULT_BYTES);
    var plans = policies.live(new AuthCompiler(keys, cache, settings));
    var answers = new Answers();
    decisions = new Decisions(new Authorizer(), context.clock());
    service = new AuthzService(
        plans, decisions, answers, context.decisions(), settings.addressFromHeader());
    warmUp = new WarmUp(keys, answers, context.clock());
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
  }
}
