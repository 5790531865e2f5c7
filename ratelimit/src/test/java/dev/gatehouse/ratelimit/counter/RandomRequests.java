package dev.gatehouse.ratelimit.counter;

import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.Step;
import dev.gatehouse.ratelimit.descriptor.Unit;
import dev.gatehouse.ratelimit.descriptor.Window;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;

/** Requests of every kind at times that go on in every way, all from one seed. */
final class RandomRequests {
  private final Random random;
  private final List<Limit> limits;
  private long now;

  /** @param now to begin at */
  RandomRequests(long seed, long now) {
    this.random = new Random(seed);
    this.now = now;
    var tree = new LimitTree.Builder();
    var domain = UUID.randomUUID().toString();
    for (int i = 0; i < 7; i++) {
      tree.limit(domain, List.of(new Step("key", "" + i)), terms());
    }
    this.limits = tree.build().limits();
  }

  /** Hours and longer, since Redis's own clock lets keys go that the test's clock does not. */
  private Limit.Terms terms() {
    var unit = oneOf(Unit.HOUR, Unit.DAY, Unit.WEEK, Unit.MONTH, Unit.YEAR);
    var window = Window.of(unit, random.nextInt(3) == 0 ? 1 + random.nextInt(5) : 1);
    if (random.nextBoolean()) {
      window = window.calendarMonths();
    }
    long requests = random.nextInt(10) == 0 ? 0 : 1 + random.nextInt(9);
    return Limit.Terms.builder(requests, window, "shop/policy")
        .algorithm(
            oneOf(Algorithm.values()), Limit.Terms.burst(requests, window, 1 + random.nextInt(12)))
        .countsDenied(random.nextInt(3) == 0)
        .shadow(random.nextInt(6) == 0)
        .quota(random.nextInt(4) == 0)
        .build();
  }

  List<Hit> next() {
    var hits = new ArrayList<Hit>();
    int number = 1 + random.nextInt(random.nextBoolean() ? 1 : 4);
    for (int i = 0; i < number; i++) {
      var limit = limits.get(random.nextInt(limits.size()));
      hits.add(new Hit(i, limit, oneOf("", "a", "b"), addend()));
    }
    return hits;
  }

  private long addend() {
    return switch (random.nextInt(10)) {
      case 0 -> 0;
      case 1 -> -1;
      case 2 -> -1 - random.nextInt(4);
      case 3 -> 2 + random.nextInt(3);
      default -> 1;
    };
  }

  /** When the next one comes: at the same time, soon, at the very edge of a window, or much later. */
  long at() {
    var window = limits.get(random.nextInt(limits.size())).window();
    now += switch (random.nextInt(12)) {
      case 0, 1, 2 -> 0;
      case 3 -> window.remaining(now) - 1;
      case 4 -> window.remaining(now);
      case 5 -> window.length(now) / (2 + random.nextInt(10));
      case 6 -> random.nextLong(window.length(now));
      case 7 -> random.nextLong(2000);
      default -> random.nextLong(600_000);
    };
    return now;
  }

  @SafeVarargs
  private final <T> T oneOf(T... all) {
    return all[random.nextInt(all.length)];
  }
}
