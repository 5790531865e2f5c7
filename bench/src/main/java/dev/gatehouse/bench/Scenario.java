package dev.gatehouse.bench;

import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.ext_proc.v3.ExternalProcessorGrpc;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitServiceGrpc;
import io.grpc.MethodDescriptor;

/** What is measured: one of the three services under the load that Envoy gives it. */
enum Scenario {
  AUTHZ("ext-authz", AuthorizationGrpc.getCheckMethod()),
  RATELIMIT("ratelimit", RateLimitServiceGrpc.getShouldRateLimitMethod()),
  EXT_PROC("ext-proc", ExternalProcessorGrpc.getProcessMethod());

  final String service;
  final MethodDescriptor<?, ?> method;

  Scenario(String service, MethodDescriptor<?, ?> method) {
    this.service = service;
    this.method = method;
  }

  static Scenario named(String name) {
    return switch (name) {
      case "authz", "ext-authz" -> AUTHZ;
      case "ratelimit" -> RATELIMIT;
      case "ext-proc", "extproc" -> EXT_PROC;
      default ->
        throw new IllegalArgumentException(
            "unknown scenario: " + name + " (expected: authz, ratelimit or ext-proc)");
    };
  }
}
