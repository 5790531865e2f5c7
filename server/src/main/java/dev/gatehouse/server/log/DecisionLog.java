package dev.gatehouse.server.log;

import dev.gatehouse.server.Decision;
import dev.gatehouse.server.DecisionListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs decisions, one line each, under {@code dev.gatehouse.decisions} at INFO. Who does not want it does not make one. It holds
 * what {@link Decision} holds: no header, no query, no body, no token.
 */
public final class DecisionLog implements DecisionListener {
  private static final Logger LOG = LoggerFactory.getLogger("dev.gatehouse.decisions");

  /** Which decisions are logged. */
  public enum What {
    /** Those that kept a request from passing as it was asked: denied, over a limit, unavailable, failed. */
    DENIED,
    ALL
  }

  private final What what;

  public DecisionLog(What what) {
    this.what = what;
  }

  @Override
  public void decided(Decision decision) {
    if (what == What.DENIED && !kept(decision.outcome())) {
      return;
    }
    LOG.atInfo()
        .addKeyValue("service", decision.service())
        .addKeyValue("requestId", decision.requestId())
        .addKeyValue("method", decision.method())
        .addKeyValue("path", decision.path())
        .addKeyValue("who", decision.who())
        .addKeyValue("policy", decision.policy())
        .addKeyValue("outcome", decision.outcome())
        .addKeyValue("reason", decision.reason())
        .addKeyValue("detail", decision.detail())
        .addKeyValue("micros", decision.nanos() / 1000)
        .log("decision");
  }

  private static boolean kept(Decision.Outcome outcome) {
    return switch (outcome) {
      case DENIED, UNAVAILABLE, OVER_LIMIT, FAILED -> true;
      case ALLOWED, CHANGED, UNCHANGED, RESPONDED -> false;
    };
  }
}
