package dev.gatehouse.extproc.transform;

import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.Reply;

/** What a client is told when its request or the response to it cannot be treated as the policy says (RFC 9457). Nothing of the body is in it. */
public final class Refusals {
  /** In Envoy's access log ({@code %RESPONSE_CODE_DETAILS%}) of a request that a policy failed for. */
  public static final String POLICY_FAILED = "gatehouse_transform_policy_failed";

  static final Reply.Respond FAILED = refusal(500, "Internal Server Error", POLICY_FAILED);

  private static final Reply.Respond BAD_REQUEST =
      refusal(400, "The body cannot be read", "gatehouse_transform_body_unreadable");
  private static final Reply.Respond BAD_GATEWAY =
      refusal(502, "The upstream's body cannot be read", "gatehouse_transform_body_unreadable");
  private static final Reply.Respond REQUEST_TOO_LARGE =
      refusal(413, "The body is too large", "gatehouse_transform_body_too_large");
  private static final Reply.Respond RESPONSE_TOO_LARGE =
      refusal(502, "The upstream's body is too large", "gatehouse_transform_body_too_large");

  private Refusals() {}

  static Reply.Respond unreadable(Direction direction) {
    return direction == Direction.REQUEST ? BAD_REQUEST : BAD_GATEWAY;
  }

  static Reply.Respond tooLarge(Direction direction) {
    return direction == Direction.REQUEST ? REQUEST_TOO_LARGE : RESPONSE_TOO_LARGE;
  }

  private static Reply.Respond refusal(int status, String title, String details) {
    return Reply.Respond.problem(status, title, details);
  }
}
