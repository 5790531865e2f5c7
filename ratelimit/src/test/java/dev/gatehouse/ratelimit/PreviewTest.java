package dev.gatehouse.ratelimit;

import static dev.gatehouse.ratelimit.Requests.adding;
import static dev.gatehouse.ratelimit.Requests.descriptor;
import static dev.gatehouse.ratelimit.Requests.request;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.Live;
import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.Counts;
import dev.gatehouse.ratelimit.counter.MemoryCounterStore;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.LimitTreeCompiler;
import dev.gatehouse.testkit.FakeClock;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse.Code;
import org.junit.jupiter.api.Test;

final class PreviewTest {
  private static final RateLimitDescriptor ALICE = descriptor("rule-0-match-0", "alice");

  private final MemoryCounterStore store = new MemoryCounterStore(new FakeClock(), 100);
  private final Live<LimitTree> limits = new Live<>(new LimitTreeCompiler()
      .compile(
          Shop.with(
                  "{clientSelectors: [{headers: [{name: x-user, type: Distinct}]}], limit: {requests: 2, unit: Minute}}")
              .policies(),
          null,
          new Problems()));
  private final Preview preview = new Preview(limits, store, new Answers(AnswerSettings.REFERENCE));

  @Test
  void it_says_what_would_be_answered_and_counts_nothing() {
    for (int i = 0; i < 5; i++) {
      var seen = answered(request(ALICE, descriptor("who", "knows")));

      assertThat(seen.over()).isFalse();
      assertThat(seen.answer().getOverallCode()).isEqualTo(Code.OK);
      assertThat(seen.answer().getStatuses(0).getLimitRemaining()).isEqualTo(1);
      assertThat(seen.descriptors().get(0).limit()).satisfies(limit -> {
        assertThat(limit.policy()).isEqualTo("shop/limits");
        assertThat(limit.subject()).isEqualTo("alice");
        assertThat(limit.counted()).isZero();
        assertThat(limit.remaining()).isEqualTo(1);
      });
      assertThat(seen.descriptors().get(1)).isEqualTo(new Preview.Descriptor(false, null));
    }
    assertThat(store.counters()).isZero();
  }

  @Test
  void the_request_behind_the_last_one_would_be_over_the_limit() {
    count(2);

    var seen = answered(request(ALICE));

    assertThat(seen.over()).isTrue();
    assertThat(seen.answer().getOverallCode()).isEqualTo(Code.OVER_LIMIT);
    assertThat(seen.descriptors().getFirst().limit())
        .satisfies(limit -> assertThat(limit.counted()).isEqualTo(2));
    assertThat(answered(request(adding(0, ALICE))).over())
        .as("a look alone is not over")
        .isFalse();
  }

  @Test
  void what_would_be_an_error_is_one() {
    assertThat(preview.look(RateLimitRequest.getDefaultInstance()).join())
        .isEqualTo(new Preview.Seen.Failed("rate limit domain must not be empty"));
  }

  private Preview.Seen.Answered answered(RateLimitRequest request) {
    return (Preview.Seen.Answered) preview.look(request).join();
  }

  private void count(int times) {
    var plan = (Plan.Count) Plan.of(limits.current(), request(ALICE));
    for (int i = 0; i < times; i++) {
      store.apply(plan.hits(), store.now(), new CounterStore.Outcome() {
        @Override
        public void counted(Counts counts) {}

        @Override
        public void unavailable(CounterStore.Reason reason) {
          throw new AssertionError(reason);
        }
      });
    }
  }
}
