package dev.gatehouse.testkit;

/** An answer broke a rule of Envoy's; the message says which, what Envoy would do, and how to keep it. */
public final class BrokenRule extends AssertionError {
  private static final long serialVersionUID = 1L;

  private final Rule rule;
  private final String what;

  BrokenRule(Rule rule, String what, String soFar) {
    super("Envoy's rule " + rule + ": " + rule.holds()
        + "\n  but: " + what
        + "\n  Envoy: " + rule.otherwise()
        + "\n  instead: " + rule.instead()
        + soFar);
    this.rule = rule;
    this.what = what;
  }

  public Rule rule() {
    return rule;
  }

  /** The same, with what was said on the stream until then. */
  BrokenRule after(String soFar) {
    var told = new BrokenRule(rule, what, soFar);
    told.setStackTrace(getStackTrace());
    return told;
  }
}
