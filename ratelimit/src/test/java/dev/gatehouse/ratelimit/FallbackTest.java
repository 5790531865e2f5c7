package dev.gatehouse.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.counter.MemoryCounterStore;
import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.OnUnavailable;
import dev.gatehouse.ratelimit.descriptor.Step;
import dev.gatehouse.ratelimit.descriptor.Unit;
import dev.gatehouse.ratelimit.descriptor.Window;
import dev.gatehouse.testkit.FakeClock;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What each limit says of a store that cannot count. */
final class FallbackTest {
  private final FakeClock clock = new FakeClock();
  private final Fallback alone = fallback(1);

  @Test
  void a_limit_that_says_nothing_fails_the_request() {
    assertThat(alone.judge(plan(limit(5, OnUnavailable.ERROR, false)), now())).isNull();
    assertThat(alone.judge(
            plan(limit(5, OnUnavailable.ALLOW, false), limit(5, OnUnavailable.ERROR, false)),
            now()))
        .isNull();
  }

  @Test
  void allow_passes_with_all_of_the_limit_left() {
    var verdict = judge(alone, limit(5, OnUnavailable.ALLOW, false));
    assertThat(verdict.over()).isFalse();
    assertThat(verdict.statuses().getFirst().remaining()).isEqualTo(5);
  }

  @Test
  void deny_denies_and_goes_before_a_limit_that_fails() {
    assertThat(judge(alone, limit(5, OnUnavailable.DENY, false)).over()).isTrue();
    var both =
        judge(alone, limit(5, OnUnavailable.ERROR, false), limit(5, OnUnavailable.DENY, false));
    assertThat(both.over()).isTrue();
    assertThat(both.statuses().get(1).denies()).isTrue();
  }

  @Test
  void a_limit_in_shadow_mode_never_denies_here_either() {
    assertThat(judge(alone, limit(5, OnUnavailable.DENY, true)).over()).isFalse();
  }

  @Test
  void local_counts_in_memory() {
    var limit = limit(3, OnUnavailable.LOCAL, false);
    for (int i = 0; i < 3; i++) {
      assertThat(judge(alone, limit).over()).as("request %s", i).isFalse();
    }
    assertThat(judge(alone, limit).over()).isTrue();
    clock.advance(java.time.Duration.ofMinutes(1));
    assertThat(judge(alone, limit).over()).as("the next window").isFalse();
  }

  @Test
  void of_several_instances_each_has_its_share_rounded_up() {
    var four = fallback(4);
    var limit = limit(10, OnUnavailable.LOCAL, false);
    for (int i = 0; i < 3; i++) {
      assertThat(judge(four, limit).over()).isFalse();
    }
    assertThat(judge(four, limit).over()).isTrue();
    assertThat(judge(fallback(50), limit(10, OnUnavailable.LOCAL, false)).over())
        .isFalse();
  }

  @Test
  void what_does_not_count_denied_requests_is_not_counted_beside_one_that_denies_or_fails() {
    var local = limit(1, OnUnavailable.LOCAL, false, false);
    var denied = judge(alone, local, limit(5, OnUnavailable.DENY, false));
    assertThat(denied.over()).isTrue();
    assertThat(denied.statuses().getFirst().denies()).isFalse();
    assertThat(alone.judge(plan(local, limit(5, OnUnavailable.ERROR, false)), now()))
        .isNull();
    assertThat(judge(alone, local).over()).as("still all of it").isFalse();
  }

  @Test
  void no_more_is_left_than_the_limit_allows() {
    var allowed = limit(5, OnUnavailable.ALLOW, false, false);
    var verdict = judge(alone, allowed, limit(5, OnUnavailable.DENY, false));
    assertThat(verdict.statuses().getFirst().remaining()).isEqualTo(5);
  }

  private Fallback fallback(int replicas) {
    return new Fallback(new MemoryCounterStore(clock, 1000), replicas);
  }

  private long now() {
    return clock.millis();
  }

  private Verdict judge(Fallback fallback, Limit... limits) {
    var judged = fallback.judge(plan(limits), now());
    assertThat(judged).isNotNull();
    return Verdict.judge(judged.plan(), judged.counts(), now());
  }

  private static Plan.Count plan(Limit... limits) {
    var hits = new ArrayList<Hit>();
    for (var limit : limits) {
      hits.add(new Hit(hits.size(), limit, "", 1));
    }
    return new Plan.Count(hits, hits.size(), List.of(), 0);
  }

  private static Limit limit(long requests, OnUnavailable mode, boolean shadow) {
    return limit(requests, mode, shadow, true);
  }

  private static Limit limit(
      long requests, OnUnavailable mode, boolean shadow, boolean countsDenied) {
    var tree = new LimitTree.Builder();
    tree.limit(
        "d",
        List.of(new Step("k", UUID.randomUUID().toString())),
        Limit.Terms.builder(requests, Window.of(Unit.MINUTE), "shop/limits")
            .onUnavailable(mode)
            .shadow(shadow)
            .countsDenied(countsDenied)
            .build());
    return tree.build().limits().getFirst();
  }
}
