package dev.gatehouse.bench;

import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.ext_proc.v3.ExternalProcessorGrpc;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitServiceGrpc;
import io.grpc.MethodDescriptor;

/** What is measured: one of the three services under the load that Envoy gives it. */
enum Scenario {
  AUTHZ("ext-authz"),
  RATELIMIT("ratelimit"),
  EXT_PROC("ext-proc");

  final String service;

  Scenario(String service) {
    this.service = service;
  }

  MethodDescriptor<?, ?> method() {
    return switch (this) {
      case AUTHZ -> AuthorizationGrpc.getCheckMethod();
      case RATELIMIT -> RateLimitServiceGrpc.getShouldRateLimitMethod();
      case EXT_PROC -> ExternalProcessorGrpc.getProcessMethod();
    };
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
