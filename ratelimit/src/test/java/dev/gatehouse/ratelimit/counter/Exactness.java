package dev.gatehouse.ratelimit.counter;

import static dev.gatehouse.ratelimit.counter.CounterStoreContract.hit;
import static dev.gatehouse.ratelimit.counter.CounterStoreContract.limit;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.Unit;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Many threads ask stores that share their counters, one store each in turn, all from one seed. Shows that not one request more passes than
 * may, and not one fewer.
 */
public final class Exactness {
  private static final int THREADS = 8;

  private final List<CounterStore> stores;
  private final long seed;
  private final long now;

  /** @param now of a window in the middle of which nothing ends */
  public Exactness(List<CounterStore> stores, long seed, long now) {
    this.stores = stores;
    this.seed = seed;
    this.now = now;
  }

  /** A request and what became of it. */
  private record Asked(List<Hit> hits, boolean denied) {
    long of(Limit limit) {
      return hits.stream()
          .filter(hit -> hit.limit().equals(limit))
          .mapToLong(Hit::addend)
          .sum();
    }
  }

  private interface Asker {
    void ask(CounterStore store, Random random);
  }

  /** Of a limit of L requests that count only where they pass, or always, exactly L pass. */
  public void exactlyTheLimitPasses(Algorithm algorithm, boolean countsDenied) {
    long most = 500 + seed;
    var limit =
        limit(most, Unit.YEAR, t -> t.algorithm(algorithm, most).countsDenied(countsDenied));
    var passed = new AtomicLong();
    inParallel((store, random) -> {
      for (int i = 0; i < 150; i++) {
        passed.addAndGet(denied(store, now, hit(limit, "", 1)) ? 0 : 1);
      }
    });
    assertThat(passed).as("%s, seed %d", limit, seed).hasValue(most);
  }

  /**
   * Requests on two limits, on one of them or on both, each asking for 1 to 3: what is counted is what passed, and no request was denied for
   * which there was room all the time.
   */
  public void twoLimitsAreConsumedTogetherOrNotAtAll(Algorithm algorithm) {
    var one = limit(300, Unit.YEAR, t -> t.algorithm(algorithm, 300).countsDenied(false));
    var other = limit(400, Unit.YEAR, t -> t.algorithm(algorithm, 400).countsDenied(false));
    var all = new ConcurrentLinkedQueue<Asked>();
    inParallel((store, random) -> {
      for (int i = 0; i < 120; i++) {
        var hits = new ArrayList<Hit>();
        int which = random.nextInt(4);
        if (which != 1) {
          hits.add(hit(one, "", 1 + random.nextInt(3)));
        }
        if (which != 0) {
          hits.add(which == 3 ? 0 : hits.size(), hit(other, "", 1 + random.nextInt(3)));
        }
        all.add(new Asked(hits, denied(store, now, hits.toArray(Hit[]::new))));
      }
    });
    long usedOfOne = used(one, now);
    long usedOfOther = used(other, now);
    assertThat(usedOfOne).isEqualTo(passed(all, one)).isLessThanOrEqualTo(300);
    assertThat(usedOfOther).isEqualTo(passed(all, other)).isLessThanOrEqualTo(400);
    assertThat(all).anyMatch(Asked::denied).allSatisfy(asked -> {
      if (asked.denied) {
        assertThat(usedOfOne + asked.of(one) > 300 || usedOfOther + asked.of(other) > 400)
            .as("seed %d: %s was denied though there was room, even at the end", seed, asked)
            .isTrue();
      }
    });
  }

  /** What is given back meanwhile can be consumed again, and nothing is lost or made up. */
  public void whatIsGivenBackIsNeitherLostNorDoubled() {
    var one = limit(50, Unit.YEAR, t -> t.countsDenied(false));
    var other = limit(60, Unit.YEAR, t -> t.countsDenied(false));
    var balance = new AtomicLong();
    inParallel((store, random) -> {
      for (int i = 0; i < 150; i++) {
        if (!denied(store, now, hit(one, "", 1), hit(other, "", 1))) {
          balance.incrementAndGet();
          if (random.nextInt(3) > 0) {
            denied(store, now, hit(other, "", -1), hit(one, "", -1));
            balance.decrementAndGet();
          }
        }
      }
    });
    assertThat(used(one, now)).isEqualTo(balance.get()).isBetween(1L, 50L);
    assertThat(used(other, now)).isEqualTo(balance.get());
  }

  /** While time goes on, and not for all threads alike: burst + rate × time. */
  public void aBucketGivesItsBurstAndWhatComesBack() {
    int burst = 40;
    int anHour = 36_000;
    var limit = limit(
        anHour, Unit.HOUR, t -> t.algorithm(Algorithm.TOKEN_BUCKET, burst).countsDenied(false));
    // Empty to begin with: while it is full nothing comes back.
    assertThat(denied(stores.getFirst(), now, hit(limit, "", burst))).isFalse();
    var time = new AtomicLong(now);
    var passed = new AtomicLong(burst);
    inParallel((store, random) -> {
      for (int i = 0; i < 200; i++) {
        long at = time.addAndGet(random.nextInt(30)) - random.nextInt(5);
        passed.addAndGet(denied(store, at, hit(limit, "", 1)) ? 0 : 1);
      }
    });
    long end = time.get();
    while (!denied(stores.getFirst(), end, hit(limit, "", 1))) {
      passed.incrementAndGet();
    }
    assertThat(passed.get())
        .as("seed %d: in %d ms", seed, end - now)
        .isEqualTo(burst + (end - now) * anHour / Unit.HOUR.millis());
  }

  private void inParallel(Asker asker) {
    try (var threads = Executors.newFixedThreadPool(THREADS)) {
      var all = new ArrayList<Future<?>>();
      for (int t = 0; t < THREADS; t++) {
        var store = stores.get(t % stores.size());
        var random = new Random(31 * seed + t);
        all.add(threads.submit(() -> asker.ask(store, random)));
      }
      for (var each : all) {
        each.get(30, TimeUnit.SECONDS);
      }
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static long passed(Iterable<Asked> all, Limit limit) {
    long passed = 0;
    for (var asked : all) {
      passed += asked.denied ? 0 : asked.of(limit);
    }
    return passed;
  }

  /** In hits, whatever the algorithm. */
  private long used(Limit limit, long at) {
    var counts = counts(stores.getFirst(), at, List.of(hit(limit, "", 0)));
    return limit.algorithm() == Algorithm.TOKEN_BUCKET
        ? counts.used(0) / limit.bucket().cost()
        : counts.used(0);
  }

  private static boolean denied(CounterStore store, long at, Hit... hits) {
    return counts(store, at, List.of(hits)).denied();
  }

  private static Counts counts(CounterStore store, long at, List<Hit> hits) {
    var answer = new CompletableFuture<Counts>();
    store.apply(hits, at, new CounterStore.Outcome() {
      @Override
      public void counted(Counts counts) {
        answer.complete(counts);
      }

      @Override
      public void unavailable(CounterStore.Reason reason) {
        answer.completeExceptionally(new AssertionError(reason));
      }
    });
    return answer.orTimeout(10, TimeUnit.SECONDS).join();
  }
}
