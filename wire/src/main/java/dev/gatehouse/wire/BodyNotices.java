package dev.gatehouse.wire;

import dev.gatehouse.extproc.Needs;
import dev.gatehouse.extproc.NeedsBook;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.transform.BodyUse.How;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Problems;
import java.util.HashSet;

/** Says of each TransformPolicy which of its steps make it wait for a whole body, which is what costs memory and time. */
public final class BodyNotices {
  private BodyNotices() {}

  public static void check(PolicySet policies, Problems problems) {
    var book = new NeedsBook();
    for (var rule : policies.rules()) {
      var needs = book.of(rule);
      check(needs, Direction.REQUEST, problems);
      check(needs, Direction.RESPONSE, problems);
    }
  }

  private static void check(Needs needs, Direction direction, Problems problems) {
    var way = needs.way(direction);
    if (way.body() != How.WHOLE) {
      return;
    }
    var bodies = direction == Direction.REQUEST ? "request bodies" : "response bodies";
    var said = new HashSet<String>();
    for (var reason : way.bodyReasons()) {
      if (!said.add(reason.step())) {
        continue; // One reason of a step is enough: without it there is the other.
      }
      problems.notice(
          reason.origin(),
          "spec." + reason.step(),
          "%sbuffers %s up to %s, because %s; what only changes JSON where it passes does not (set, remove, rename, mask, default, merge)"
              .formatted(
                  reason.name() == null ? "" : "\"" + reason.name() + "\" ",
                  bodies,
                  ByteSize.of(way.limit()),
                  reason.why()));
    }
  }
}
