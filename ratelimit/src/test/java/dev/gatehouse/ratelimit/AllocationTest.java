package dev.gatehouse.ratelimit;

import static dev.gatehouse.ratelimit.Requests.descriptor;
import static dev.gatehouse.ratelimit.Requests.request;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.Counts;
import dev.gatehouse.ratelimit.counter.MemoryCounterStore;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.LimitTreeCompiler;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import java.lang.management.ManagementFactory;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;

/** Holds what a decision allocates: garbage is CPU. */
final class AllocationTest {
  /** One descriptor with a subject of its own, in memory, from the parsed request to the bytes of the answer. */
  private static final long MAX_BYTES = 600;

  private static final int CALLS = 20_000;

  private final LimitTree tree = new LimitTreeCompiler()
      .compile(
          Shop.with(
                  "{clientSelectors: [{headers: [{name: x-user, type: Distinct}]}], limit: {requests: 5, unit: Minute}}")
              .policies(),
          null,
          new Problems());
  private final CounterStore store = new MemoryCounterStore(InstantSource.system(), 1000);
  private long answered;

  @Test
  void a_decision_in_memory_allocates_little() {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    var request = request(descriptor("rule-0-match-0", "alice"));
    decide(request);
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < CALLS; i++) {
      decide(request);
    }
    long bytes = (threads.getCurrentThreadAllocatedBytes() - before) / CALLS;
    assertThat(answered).isEqualTo(CALLS + 1);
    assertThat(bytes).isBetween(1L, MAX_BYTES);
  }

  /** Counting alone: a hit is a key, a count and the answer; several hits are the arrays of a change beside them. */
  @Test
  void counting_in_memory_allocates_little() {
    assertThat(bytesToCount(1)).isBetween(1L, 200L);
    assertThat(bytesToCount(2)).isBetween(1L, 800L);
  }

  private long bytesToCount(int descriptors) {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    var plan = (Plan.Count) Plan.of(
        tree,
        descriptors == 1
            ? request(descriptor("rule-0-match-0", "alice"))
            : request(descriptor("rule-0-match-0", "alice"), descriptor("rule-0-match-0", "bob")));
    assertThat(plan.hits()).hasSize(descriptors);
    long before = 0;
    for (int i = -CALLS; i < CALLS; i++) {
      if (i == 0) {
        before = threads.getCurrentThreadAllocatedBytes();
      }
      store.apply(plan.hits(), store.now(), COUNTED);
    }
    return (threads.getCurrentThreadAllocatedBytes() - before) / CALLS;
  }

  private static final CounterStore.Outcome COUNTED = new CounterStore.Outcome() {
    @Override
    public void counted(Counts counts) {}

    @Override
    public void unavailable(CounterStore.Reason reason) {
      throw new AssertionError(reason);
    }
  };

  private final Answers answers = new Answers(AnswerSettings.REFERENCE);

  private void decide(RateLimitRequest request) {
    var plan = (Plan.Count) Plan.of(tree, request);
    long now = store.now();
    store.apply(plan.hits(), now, new CounterStore.Outcome() {
      @Override
      public void counted(Counts counts) {
        var verdict = answers.judge(plan, counts, now);
        answered += answers.of(verdict, request, plan).length > 0 ? 1 : 0;
      }

      @Override
      public void unavailable(CounterStore.Reason reason) {
        throw new AssertionError(reason);
      }
    });
  }
}
