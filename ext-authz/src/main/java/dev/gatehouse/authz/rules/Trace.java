package dev.gatehouse.authz.rules;

/** Who is told of a decision's steps: nobody while serving, {@code gatehouse explain} when somebody asks why. */
public interface Trace {
  Trace NONE = new Trace() {
    @Override
    public void step(String what, String input, String outcome) {}

    @Override
    public boolean listens() {
      return false;
    }
  };

  /**
   * @param what was asked, such as a rule's name
   * @param input what it was asked about, secrets masked
   * @param outcome what it said
   */
  void step(String what, String input, String outcome);

  /** Whether a step is worth describing. */
  default boolean listens() {
    return true;
  }
}
