package dev.gatehouse.authz;

import java.util.List;

/** What the guard says. Only an {@link Allow} lets a request pass, and only {@link Authorizer} makes one. */
sealed interface Verdict {
  /** @param rule which rule allowed; for people */
  record Allow(Grant grant, String rule) implements Verdict {}

  /**
   * The caller's fault: 401 or 403.
   *
   * @param who the subject if it is known, else empty
   * @param detail for the log; the caller does not see it
   */
  record Deny(Reason reason, String who, String policy, String detail) implements Verdict {}

  /**
   * Ours or the provider's fault: nobody can say, so nobody passes. 503.
   *
   * @param reason a word from a bounded set
   */
  record Unavailable(String reason, String policy, String detail) implements Verdict {}

  /** Not decided: these are to be found out, and then it is asked again. */
  record Needs(List<Fact> facts, String policy) implements Verdict {}

  /** Why a caller is denied: all that it learns. */
  enum Reason {
    NO_TOKEN("no-token"),
    BAD_TOKEN("bad-token"),
    INSUFFICIENT_SCOPE("insufficient-scope"),
    FORBIDDEN("forbidden"),
    NO_ROUTE("no-route");

    private final String word;

    Reason(String word) {
      this.word = word;
    }

    /** As logs and metrics have it. */
    String word() {
      return word;
    }
  }
}
