package dev.gatehouse.bench;

import com.sun.management.ThreadMXBean;
import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.Counts;
import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.counter.MemoryCounterStore;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.Step;
import dev.gatehouse.ratelimit.descriptor.Unit;
import dev.gatehouse.ratelimit.descriptor.Window;
import dev.gatehouse.ratelimit.redis.RedisCounterStore;
import dev.gatehouse.ratelimit.redis.RedisUrl;
import dev.gatehouse.server.EventLoops;
import io.netty.channel.EventLoop;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What counting costs its event loop, without gRPC around it: CPU time, which the machine's other work does not lengthen. */
@Command(
    name = "counters",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "CPU and garbage of an event loop for a request of one or two hits, in memory or in Redis.",
      "1,000 callers; in Redis 32 requests are under way at a time. Medians of the rounds."
    })
final class Counters implements Callable<Integer> {
  private static final int CALLERS = 1_000;
  private static final int UNDER_WAY = 32;
  private static final int WARM_UP_ROUNDS = 2;

  @Option(names = "--redis", paramLabel = "URL", description = "in this Redis; else in memory")
  private @Nullable String redis;

  @Option(
      names = "--requests",
      defaultValue = "100000",
      description = "of each kind in a round (default: ${DEFAULT-VALUE})")
  private int requests;

  @Option(
      names = "--rounds",
      defaultValue = "5",
      description = "how often each is measured, in turn (default: ${DEFAULT-VALUE})")
  private int rounds;

  private final List<String> callers = IntStream.range(0, CALLERS)
      .mapToObj(i -> String.format(Locale.ROOT, "user-%07d", i))
      .toList();

  /** @param request of a number */
  private record Kind(String name, IntFunction<List<Hit>> request) {}

  private record Cost(double nanos, double bytes) {}

  @Override
  public Integer call() {
    var kinds = IntStream.range(0, 12).mapToObj(this::kind).toList();
    try (var loops = EventLoops.start(1);
        var store = store(loops)) {
      store.warmUp();
      if (!store.available()) {
        System.err.println("there is no Redis at " + redis);
        return 1;
      }
      var costs = kinds.stream().map(kind -> new Cost[rounds]).toList();
      for (int round = -WARM_UP_ROUNDS; round < rounds; round++) {
        Bench.progress("round %d of %d", round, rounds);
        for (int i = 0; i < kinds.size(); i++) {
          var cost = new Run(store, loops.all().getFirst(), kinds.get(i), requests).cost();
          if (round >= 0) {
            costs.get(i)[round] = cost;
          }
        }
      }
      for (int i = 0; i < kinds.size(); i++) {
        print(kinds.get(i), costs.get(i));
      }
    }
    return 0;
  }

  private CounterStore store(EventLoops loops) {
    if (redis == null) {
      return new MemoryCounterStore(InstantSource.system(), 10 * CALLERS);
    }
    var settings = RedisUrl.parse(redis).with(Duration.ofSeconds(10), "bench:");
    return RedisCounterStore.start(settings, loops.all(), InstantSource.system());
  }

  /** Each algorithm, with denied requests counted or not, with one limit or two. */
  private Kind kind(int number) {
    var algorithm = List.of(Algorithm.values()).get(number / 4);
    boolean countsDenied = number / 2 % 2 == 0;
    boolean nested = number % 2 == 1;
    var own = limit("own" + number, algorithm, countsDenied);
    var shared = limit("shared" + number, algorithm, countsDenied);
    var name = algorithm
        + (countsDenied ? ", denied counted" : ", denied not counted")
        + (nested ? ", two limits" : "");
    return new Kind(name, i -> {
      var hit = new Hit(0, own, callers.get(i % CALLERS), 1);
      return nested ? List.of(hit, new Hit(1, shared, "", 1)) : List.of(hit);
    });
  }

  private static Limit limit(String name, Algorithm algorithm, boolean countsDenied) {
    var tree = new LimitTree.Builder();
    long requests = 1_000_000_000;
    tree.limit(
        "bench",
        List.of(new Step("key", name)),
        Limit.Terms.builder(requests, Window.of(Unit.HOUR), "bench")
            .algorithm(algorithm, requests)
            .countsDenied(countsDenied)
            .build());
    return tree.build().limits().getFirst();
  }

  private static void print(Kind kind, Cost[] costs) {
    double[] nanos = new double[costs.length];
    double[] bytes = new double[costs.length];
    for (int i = 0; i < costs.length; i++) {
      nanos[i] = costs[i].nanos;
      bytes[i] = costs[i].bytes;
    }
    System.out.printf(
        Locale.ROOT,
        "%-46s %8.0f ns CPU %8.0f bytes a request%n",
        kind.name,
        Rounds.median(nanos),
        Rounds.median(bytes));
  }

  /** Requests of one kind, as fast as they go. On its loop. */
  private static final class Run implements CounterStore.Outcome {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final CounterStore store;
    private final EventLoop loop;
    private final Kind kind;
    private final int requests;
    private final CompletableFuture<Cost> cost = new CompletableFuture<>();
    private long cpu;
    private long bytes;
    private int asked;
    private int answered;
    private boolean goesOn;

    Run(CounterStore store, EventLoop loop, Kind kind, int requests) {
      this.store = store;
      this.loop = loop;
      this.kind = kind;
      this.requests = requests;
    }

    Cost cost() {
      loop.execute(() -> {
        cpu = THREADS.getCurrentThreadCpuTime();
        bytes = THREADS.getCurrentThreadAllocatedBytes();
        goOn();
      });
      return cost.join();
    }

    /** In memory each is answered before the next is asked. */
    private void goOn() {
      goesOn = true;
      while (asked < requests && asked - answered < UNDER_WAY) {
        store.apply(kind.request.apply(asked++), store.now(), this);
      }
      goesOn = false;
    }

    @Override
    public void counted(Counts counts) {
      answered++;
      if (answered == requests) {
        cost.complete(new Cost(
            (THREADS.getCurrentThreadCpuTime() - cpu) / (double) requests,
            (THREADS.getCurrentThreadAllocatedBytes() - bytes) / (double) requests));
      } else if (!goesOn) {
        goesOn = true;
        loop.execute(this::goOn);
      }
    }

    @Override
    public void unavailable(CounterStore.Reason reason) {
      cost.completeExceptionally(new IllegalStateException(reason.text()));
    }
  }
}
