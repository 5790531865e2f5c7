package dev.gatehouse.extproc.transform;

import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.policy.resource.Origin;

/**
 * What a step needs of a body.
 *
 * @param direction whose body: a step of the response may read the request's
 * @param origin where that stands
 * @param why a half sentence about the step: "it masks /card"
 */
public record BodyUse(Direction direction, How how, Origin origin, String why) {
  /** How much must be seen at once, from less to more. */
  public enum How {
    /** The body is not looked at; it may be replaced. */
    NONE,
    /** Piece by piece: it is changed as it comes, and the rest goes on. */
    STREAM,
    /** All of it, within the policy's limit, before anything of it goes on. */
    WHOLE
  }
}
