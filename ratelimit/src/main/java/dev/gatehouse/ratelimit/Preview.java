package dev.gatehouse.ratelimit;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.gatehouse.policy.source.Live;
import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.Counts;
import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.Match;
import dev.gatehouse.ratelimit.descriptor.Window;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What would be answered to a request, with the code that answers, but nothing is counted: the counters are only looked at. For people.
 */
public final class Preview {
  private final Live<LimitTree> limits;
  private final CounterStore store;
  private final Answers answers;

  Preview(Live<LimitTree> limits, CounterStore store, Answers answers) {
    this.limits = limits;
    this.store = store;
    this.answers = answers;
  }

  public sealed interface Seen {
    /**
     * The answer would be this.
     *
     * @param descriptors one a descriptor, in order
     * @param answer read from the very bytes that would be sent
     */
    record Answered(boolean over, List<Descriptor> descriptors, RateLimitResponse answer)
        implements Seen {}

    /** The answer would be an error: UNAVAILABLE, or UNKNOWN for what is no request. Envoy's {@code failure_mode_deny} decides then. */
    record Failed(String why) implements Seen {}
  }

  /** @param limit null where nothing limits it */
  public record Descriptor(boolean known, @Nullable Limited limit) {}

  /**
   * A limit that a descriptor met.
   *
   * @param policy {@code namespace/name}
   * @param shadow it would never deny
   * @param subject the values that count by themselves; empty where all share a counter
   * @param counted how many were counted in this window so far; of a token bucket how many are taken, rounded up
   * @param remaining how many would be left behind this request
   * @param resetSeconds until the window ends
   */
  public record Limited(
      String policy,
      long requests,
      Window window,
      boolean shadow,
      String subject,
      long counted,
      boolean exceeded,
      long remaining,
      long resetSeconds) {}

  /** Done within the store's time limit. */
  public CompletableFuture<Seen> look(RateLimitRequest request) {
    return switch (Plan.of(limits.current(), request)) {
      case Plan.Invalid(var why) -> CompletableFuture.completedFuture(new Seen.Failed(why));
      case Plan.Refuse(var origin) ->
        CompletableFuture.completedFuture(
            new Seen.Failed("the policy " + origin + " cannot be honoured, see lint"));
      case Plan.Count plan -> look(request, plan);
    };
  }

  private CompletableFuture<Seen> look(RateLimitRequest request, Plan.Count plan) {
    long now = store.now();
    if (plan.hits().isEmpty()) {
      return CompletableFuture.completedFuture(answered(request, plan, Counts.NONE, now));
    }
    var looks = plan.hits().stream().map(Hit::look).toList();
    var seen = new CompletableFuture<Seen>();
    store.apply(looks, now, new CounterStore.Outcome() {
      @Override
      public void counted(Counts counts) {
        seen.complete(answered(request, plan, counts, now));
      }

      @Override
      public void unavailable(CounterStore.Reason reason) {
        seen.complete(new Seen.Failed(reason.text()));
      }
    });
    return seen;
  }

  private Seen answered(RateLimitRequest request, Plan.Count plan, Counts looked, long now) {
    var after = new long[looked.size()];
    for (int i = 0; i < after.length; i++) {
      var hit = plan.hits().get(i);
      after[i] = Math.max(0, looked.used(i) + hit.limit().units(hit.addend()));
    }
    var counts = Counts.of(plan.hits(), after);
    var verdict = answers.judge(plan, counts, now);
    var descriptors = new ArrayList<Descriptor>();
    for (int i = 0; i < plan.descriptors(); i++) {
      var match = limits.current().match(request.getDomain(), request.getDescriptors(i));
      descriptors.add(new Descriptor(!(match instanceof Match.Unknown), null));
    }
    for (int i = 0; i < after.length; i++) {
      var hit = plan.hits().get(i);
      var status = verdict.statuses().get(hit.descriptor());
      descriptors.set(
          hit.descriptor(),
          new Descriptor(true, limited(hit.limit(), hit, looked.used(i), status)));
    }
    return new Seen.Answered(
        verdict.over(), List.copyOf(descriptors), read(answers.of(verdict, request, plan)));
  }

  private static RateLimitResponse read(byte[] answer) {
    try {
      return RateLimitResponse.parseFrom(answer);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("an answer that is none", e);
    }
  }

  private static Limited limited(Limit limit, Hit hit, long before, Verdict.Status status) {
    return new Limited(
        limit.origin(),
        limit.requests(),
        limit.window(),
        limit.shadow(),
        hit.subject(),
        used(limit, before),
        status.exceeded(),
        status.remaining(),
        status.resetSeconds());
  }

  private static long used(Limit limit, long before) {
    return limit.algorithm() == Algorithm.TOKEN_BUCKET
        ? Math.ceilDiv(before, limit.bucket().cost())
        : before;
  }
}
