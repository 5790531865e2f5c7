package dev.gatehouse.authz;

import dev.gatehouse.authz.rules.ClaimPath;
import java.time.Instant;
import java.util.List;

/** A way of finding out who calls. Compiled with a policy and the routes of one Gateway, and of that one {@link Guard} only. */
sealed interface Method permits ApiKeyMethod, BasicMethod, CertificateMethod, TokenMethod {
  /** What {@code auth.method} says of a caller that it identified. */
  String name();

  /** The scheme of its challenge (RFC 9110 §11.6.1). */
  String scheme();

  /** Whether a request without its credential is refused, in a policy of which every method must hold. */
  boolean required();

  Attempt attempt(RequestView request, Facts facts, Instant now);

  /** What of the request goes no further than here. */
  default Stripped strips() {
    return Stripped.NOTHING;
  }

  /** The claims that it makes headers of. */
  default List<ClaimPath> claims() {
    return List.of();
  }

  /** What a method makes of a request. */
  sealed interface Attempt
      permits Proof, Attempt.Absent, Attempt.Bad, Attempt.Open, Attempt.Unsure {
    Attempt ABSENT = new Absent();

    /** There is no credential for it. */
    record Absent() implements Attempt {}

    /** There is one and it is bad, or there are several. The detail is for the log. */
    record Bad(String detail) implements Attempt {}

    /** It cannot be said before these are found out. */
    record Open(List<Fact> facts) implements Attempt {}

    /** It cannot be said: ours or somebody else's fault, not the caller's. */
    record Unsure(String why) implements Attempt {}
  }

  /**
   * Credentials that are taken out of a request.
   *
   * @param headers in lower case
   */
  record Stripped(List<String> headers, List<String> parameters, List<String> cookies) {
    static final Stripped NOTHING = new Stripped(List.of(), List.of(), List.of());
  }
}
