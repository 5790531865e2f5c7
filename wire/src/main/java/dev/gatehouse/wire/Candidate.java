package dev.gatehouse.wire;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.resource.HttpRoute.Match;
import dev.gatehouse.policy.resource.StringMatch;
import java.util.Comparator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** One match of a rule. */
record Candidate(AttachedRule rule, int match) {
  static final Comparator<Candidate> PRECEDENCE = Comparator.<Candidate>comparingInt(
          c -> c.condition().path().type() == StringMatch.Type.EXACT ? 0 : 1)
      .thenComparingInt(c -> -c.condition().path().value().length())
      .thenComparingInt(c -> c.condition().method() == null ? 1 : 0)
      .thenComparingInt(c -> -c.condition().headers().size())
      .thenComparingInt(c -> -c.condition().queryParams().size());

  static Stream<Candidate> of(AttachedRule rule) {
    return IntStream.range(0, rule.rule().matches().size()).mapToObj(i -> new Candidate(rule, i));
  }

  private Match condition() {
    return rule.rule().matches().get(match);
  }
}
