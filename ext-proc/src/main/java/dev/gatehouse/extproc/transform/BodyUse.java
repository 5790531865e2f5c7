package dev.gatehouse.extproc.transform;

/**
 * What compiled steps need of their direction's body.
 *
 * @param why for people; empty for {@link How#NONE}
 */
public record BodyUse(How how, String why) {
  /** From less to more. */
  public enum How {
    /** The body is not looked at; it may be replaced. */
    NONE,
    /** It is changed as it comes, piece by piece. */
    STREAM,
    /** All of it must be there at once, within the policy's limit. */
    WHOLE
  }

  static final BodyUse NOTHING = new BodyUse(How.NONE, "");

  BodyUse or(BodyUse other) {
    return other.how.compareTo(how) > 0 ? other : this;
  }
}
