package dev.gatehouse.bench;

import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.ext_proc.v3.ExternalProcessorGrpc;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitServiceGrpc;
import io.grpc.MethodDescriptor;

/** What is compared with the empty server: a service under the load that Envoy gives it. */
enum Scenario {
  AUTHZ("authz", "ext-authz", "Tokens that were seen before: 1,000 callers with one each."),
  AUTHZ_FIRST(
      "authz-first",
      "ext-authz",
      "RS256 tokens that are seen for the first time, each once; signed between the measurements."),
  AUTHZ_ROUTES(
      "authz-routes",
      "ext-authz",
      "10 policies on 10 routes, and 10,000 on 10,000, under the same tokens; all seen before."),
  AUTHZ_APIKEY("authz-apikey", "ext-authz", "API keys: 1,000 callers with one each."),
  RATELIMIT("ratelimit", "ratelimit", "One descriptor; 1,000 callers with a counter each."),
  RATELIMIT_DENIED(
      "ratelimit-denied",
      "ratelimit",
      "One descriptor, and every caller is over the limit, which the over-limit cache knows."),
  RATELIMIT_RULES(
      "ratelimit-rules",
      "ratelimit",
      "10 rules of 10 routes in one domain, and 10,000 of 10,000; 1,000 callers with a counter each on every route."),
  EXT_PROC("ext-proc", "ext-proc", "Headers both ways, three changes each."),
  EXT_PROC_MASK(
      "ext-proc-mask",
      "ext-proc",
      "Two fields masked in a JSON response of 4 KiB, which comes whole (BUFFERED): three messages a stream.");

  final String word;
  final String service;
  final String description;

  Scenario(String word, String service, String description) {
    this.word = word;
    this.service = service;
    this.description = description;
  }

  MethodDescriptor<?, ?> method() {
    return switch (this) {
      case AUTHZ, AUTHZ_FIRST, AUTHZ_ROUTES, AUTHZ_APIKEY -> AuthorizationGrpc.getCheckMethod();
      case RATELIMIT, RATELIMIT_DENIED, RATELIMIT_RULES ->
        RateLimitServiceGrpc.getShouldRateLimitMethod();
      case EXT_PROC, EXT_PROC_MASK -> ExternalProcessorGrpc.getProcessMethod();
    };
  }

  /**
   * Whether an answer is the one that every request of these loads should have: it lets the request pass, or denies it where that is
   * measured. Looks at the first bytes only, since the
   * client shares the machine with what is measured: a {@code CheckResponse} begins with its status, whose code 0 is not written;
   * a {@code RateLimitResponse} with its overall code, whose 1 is OK.
   */
  boolean passes(byte[] answer) {
    return switch (this) {
      case AUTHZ, AUTHZ_FIRST, AUTHZ_ROUTES, AUTHZ_APIKEY ->
        answer.length > 2 && answer[0] == 0x0a && answer[1] == 0;
      case RATELIMIT, RATELIMIT_RULES -> answer.length >= 2 && answer[0] == 0x08 && answer[1] == 1;
      case RATELIMIT_DENIED -> answer.length >= 2 && answer[0] == 0x08 && answer[1] == 2;
      case EXT_PROC, EXT_PROC_MASK -> answer.length > 0;
    };
  }

  static Scenario named(String word) {
    for (var scenario : values()) {
      if (scenario.word.equals(word)) {
        return scenario;
      }
    }
    throw new IllegalArgumentException("unknown scenario: " + word);
  }
}
