package dev.gatehouse.extproc.transform;

import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.policy.expr.Reads;
import dev.gatehouse.policy.resource.Origin;
import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * What a compiled step looks at and does: for whoever plans what a proxy has to send.
 *
 * @param place in the policy, such as {@code response[1]}
 * @param name if it has one
 * @param reads what its expressions look at, by the field that they stand in: {@code when}, {@code headers}, {@code json}
 * @param bodies what it needs of bodies: first what it changes, then what it reads
 * @param replacesBody whether it puts a template's text in the body's place, which nobody has to see for that
 */
public record StepNeeds(
    Direction direction,
    String place,
    @Nullable String name,
    Origin origin,
    SortedMap<String, Reads> reads,
    List<BodyUse> bodies,
    boolean writesMetadata,
    boolean replacesBody) {

  /** What people call the step. */
  String title() {
    return name == null ? place : name;
  }

  /** @param variable such as {@code request} */
  boolean looksAt(String variable) {
    return reads.values().stream().anyMatch(read -> read.reads(variable));
  }

  boolean looksAtBody(Direction direction) {
    return bodies.stream().anyMatch(use -> use.direction() == direction);
  }
}
