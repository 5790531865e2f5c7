package dev.gatehouse.ratelimit.counter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.Step;
import dev.gatehouse.ratelimit.descriptor.Unit;
import dev.gatehouse.ratelimit.descriptor.Window;
import dev.gatehouse.testkit.FakeClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** When a hit needs no round trip, and that it is judged as the store would judge it. */
final class OverLimitCacheTest {
  private final FakeClock clock = new FakeClock();
  private final Asked store = new Asked(new MemoryCounterStore(clock, 1000));
  private final OverLimitCache cache = new OverLimitCache(store, 1_000_000);

  @Test
  void what_is_over_needs_no_round_trip_until_its_window_ends() {
    var limit = limit("a", 2, t -> t);
    apply(hit(limit, 1));
    apply(hit(limit, 1));
    assertThat(apply(hit(limit, 1)).denied()).as("found out").isTrue();
    int asked = store.asked;
    var known = apply(hit(limit, 1));
    assertThat(known.denied()).isTrue();
    assertThat(known.cached(0)).isTrue();
    assertThat(known.used(0)).isGreaterThan(2);
    assertThat(store.asked).isEqualTo(asked);

    clock.advance(Duration.ofMinutes(1));
    assertThat(apply(hit(limit, 1)).denied()).isFalse();
  }

  @Test
  void each_counter_is_known_by_itself() {
    var limit = limit("a", 0, t -> t);
    apply(new Hit(0, limit, "alice", 1));
    int asked = store.asked;
    apply(new Hit(0, limit, "bob", 1));
    assertThat(store.asked).isEqualTo(asked + 1);
  }

  @Test
  void a_limit_that_was_raised_is_asked_again() {
    apply(hit(limit("a", 1, t -> t), 1));
    assertThat(apply(hit(limit("a", 1, t -> t), 1)).denied()).isTrue();
    assertThat(apply(hit(limit("a", 10, t -> t), 1)).denied()).isFalse();
  }

  @Test
  void what_gives_back_is_always_counted_and_asked_for_again() {
    var limit = limit("a", 1, t -> t);
    apply(hit(limit, 1));
    apply(hit(limit, 1));
    apply(hit(limit, -2));
    assertThat(apply(hit(limit, 1)).denied()).isFalse();
  }

  @Test
  void a_look_is_never_answered_from_memory() {
    var limit = limit("a", 0, t -> t);
    apply(hit(limit, 1));
    int asked = store.asked;
    apply(hit(limit, 0));
    assertThat(store.asked).isEqualTo(asked + 1);
  }

  @Test
  void the_others_of_a_denied_request_are_counted_where_denied_requests_count() {
    var over = limit("over", 0, t -> t);
    var counts = limit("counts", 10, t -> t);
    apply(hit(over, 1));
    var both = apply(hit(over, 1), new Hit(1, counts, "", 1));
    assertThat(both.denied()).isTrue();
    assertThat(both.used(1)).isEqualTo(1);
    assertThat(apply(hit(counts, 0)).used(0)).isEqualTo(1);
  }

  @Test
  void the_others_of_a_denied_request_are_looked_at_where_denied_requests_do_not_count() {
    var over = limit("over", 0, t -> t.countsDenied(false));
    var spared = limit("spared", 10, t -> t.countsDenied(false));
    apply(hit(over, 1));
    var both = apply(hit(over, 1), new Hit(1, spared, "", 3));
    assertThat(both.denied()).isTrue();
    assertThat(both.used(1)).as("with the hit in it").isEqualTo(3);
    assertThat(apply(hit(spared, 0)).used(0)).isZero();
  }

  @Test
  void a_limit_in_shadow_mode_that_is_known_to_be_over_denies_nothing() {
    var shadow = limit("shadow", 0, t -> t.shadow(true));
    var other = limit("other", 10, t -> t.countsDenied(false));
    apply(hit(shadow, 1));
    var both = apply(hit(shadow, 1), new Hit(1, other, "", 1));
    assertThat(both.denied()).isFalse();
    assertThat(apply(hit(other, 0)).used(0)).isEqualTo(1);
  }

  @Test
  void a_quota_that_is_over_waits_for_what_the_others_say() {
    var over = limit("over", 0, t -> t.quota(true));
    var left = limit("left", 10, t -> t.quota(true));
    apply(hit(over, 1));
    assertThat(apply(hit(over, 1), new Hit(1, left, "", 1)).denied()).isFalse();
    assertThat(apply(hit(over, 1)).denied()).isTrue();
  }

  @Test
  void a_bucket_is_known_in_tokens_whatever_the_limit_became() {
    var slow = limit("bucket", 1, t -> t.algorithm(Algorithm.TOKEN_BUCKET, 1));
    apply(hit(slow, 1));
    assertThat(apply(hit(slow, 1)).denied()).isTrue();
    var raised = limit("bucket", 100, t -> t.algorithm(Algorithm.TOKEN_BUCKET, 100));
    assertThat(apply(hit(raised, 1)).denied()).isFalse();
  }

  @Test
  void an_answer_from_before_a_hit_was_given_back_is_forgotten() {
    var limit = limit("a", 1, t -> t);
    apply(hit(limit, 1));
    var late = new ArrayList<Runnable>();
    store.delayed = late;
    cache.apply(List.of(hit(limit, 1)), cache.now(), ignored());
    cache.apply(List.of(hit(limit, -2)), cache.now(), ignored());
    store.delayed = null;
    late.forEach(Runnable::run);
    assertThat(apply(hit(limit, 1)).denied()).isFalse();
  }

  @Test
  void two_hits_on_one_counter_are_not_taken_for_what_stays_in_it() {
    var limit = limit("a", 1, t -> t.countsDenied(false));
    assertThat(apply(hit(limit, 1), new Hit(1, limit, "", 1)).denied()).isTrue();
    assertThat(apply(hit(limit, 1)).denied()).isFalse();
  }

  @Test
  void where_hits_are_given_back_for_a_moment_only_what_always_counts_is_known() {
    store.givesBack = true;
    var spared = limit("spared", 0, t -> t.countsDenied(false));
    apply(hit(spared, 1));
    int asked = store.asked;
    apply(hit(spared, 1));
    assertThat(store.asked).isEqualTo(asked + 1);
    var counts = limit("counts", 0, t -> t);
    apply(hit(counts, 1));
    asked = store.asked;
    apply(hit(counts, 1));
    assertThat(store.asked).isEqualTo(asked);
  }

  private static CounterStore.Outcome ignored() {
    return new CounterStore.Outcome() {
      @Override
      public void counted(Counts counts) {}

      @Override
      public void unavailable(CounterStore.Reason reason) {
        throw new AssertionError(reason);
      }
    };
  }

  private Counts apply(Hit... hits) {
    var counts = new ArrayList<Counts>();
    cache.apply(List.of(hits), cache.now(), new CounterStore.Outcome() {
      @Override
      public void counted(Counts counted) {
        counts.add(counted);
      }

      @Override
      public void unavailable(CounterStore.Reason reason) {
        throw new AssertionError(reason);
      }
    });
    return counts.getFirst();
  }

  private static Hit hit(Limit limit, long addend) {
    return new Hit(0, limit, "", addend);
  }

  private static Limit limit(String name, long requests, UnaryOperator<Limit.Terms.Builder> more) {
    var tree = new LimitTree.Builder();
    tree.limit(
        "d",
        List.of(new Step("k", name)),
        more.apply(Limit.Terms.builder(requests, Window.of(Unit.MINUTE), "")).build());
    return tree.build().limits().getFirst();
  }

  /** Counts how often the store is asked. */
  private static final class Asked implements CounterStore {
    private final CounterStore store;
    private int asked;
    private boolean givesBack;

    /** Where answers wait, if they are to come late. */
    private @Nullable List<Runnable> delayed;

    Asked(CounterStore store) {
      this.store = store;
    }

    @Override
    public long now() {
      return store.now();
    }

    @Override
    public void apply(List<Hit> hits, long now, Outcome outcome) {
      asked++;
      var late = delayed;
      if (late == null) {
        store.apply(hits, now, outcome);
        return;
      }
      store.apply(hits, now, new Outcome() {
        @Override
        public void counted(Counts counts) {
          late.add(() -> outcome.counted(counts));
        }

        @Override
        public void unavailable(Reason reason) {
          throw new AssertionError(reason);
        }
      });
    }

    @Override
    public boolean givesBack() {
      return givesBack;
    }

    @Override
    public void warmUp() {}

    @Override
    public boolean available() {
      return true;
    }

    @Override
    public void close() {}
  }
}
