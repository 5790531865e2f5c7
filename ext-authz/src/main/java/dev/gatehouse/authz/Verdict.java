package dev.gatehouse.authz;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the guard says. Only an {@link Allow} lets a request pass, and only {@link Authorizer} makes one. */
sealed interface Verdict {
  /**
   * @param rule which rule allowed; for people
   * @param instead what would have been said, had the policy not been in shadow; null where nothing else would
   */
  record Allow(Grant grant, String rule, @Nullable Verdict instead) implements Verdict {
    Because because() {
      return instead == null ? grant.because() : Because.SHADOW;
    }
  }

  /**
   * The caller's fault: 401 or 403.
   *
   * @param who the subject if it is known, else empty
   * @param answers the policy's words for it
   * @param headers more headers of the answer, of this request alone
   * @param detail for the log; the caller does not see it
   */
  record Deny(
      Reason reason,
      String who,
      Answers.Denials answers,
      Map<String, String> headers,
      String policy,
      String detail)
      implements Verdict {}

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
    NO_CREDENTIAL("no-credential"),
    BAD_CREDENTIAL("bad-credential"),
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

  /** Why somebody may pass, where rules do not object: there are no other ways. */
  enum Because {
    /** A method of the policy identified the caller, or all of them did where all must. */
    IDENTIFIED("allowed"),
    /** No credential, and the policy's {@code anonymous} holds. */
    ANONYMOUS("anonymous"),
    /** No token, and the policy's {@code jwt} is {@code optional}. */
    OPTIONAL("optional"),
    /** The policy names no method: it asks nobody who they are. */
    NO_METHOD("no-method"),
    /** No policy holds, or one that opts out. */
    OPEN("open"),
    /** The policy is in shadow: without that it would have been denied. */
    SHADOW("shadow");

    private final String word;

    Because(String word) {
      this.word = word;
    }

    /** As logs and metrics have it. */
    String word() {
      return word;
    }
  }
}
