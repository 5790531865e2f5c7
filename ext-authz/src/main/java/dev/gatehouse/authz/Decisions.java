package dev.gatehouse.authz;

import dev.gatehouse.authz.jwt.BadToken;
import dev.gatehouse.server.EventLoops;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the {@link Authorizer}, finds out off the event loop what it needs, comes back to the loop and asks again: a bounded number
 * of times, within a bounded time. A verdict comes always and once; an exception is one too.
 */
final class Decisions implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Decisions.class);

  /** What a request may take in service: less than the 500 ms that Envoy waits, as {@code wire} sets it. */
  static final Duration WITHIN = Duration.ofMillis(300);

  private static final RoutePlan UNKNOWN = new RoutePlan.Nowhere("its plan could not be found");
  private static final int ROUNDS = 4;

  private final Authorizer authorizer;
  private final InstantSource clock;
  private final long withinNanos;

  /** Half of the processors at most: the rest are the event loops'. */
  private final ExecutorService workers = workers(
      "gatehouse-authz-worker-", Math.max(1, Runtime.getRuntime().availableProcessors() / 2), 1024);

  /** By themselves: they take a thousand times as long, and guesses of passwords must not keep tokens waiting. */
  private final ExecutorService passwords = workers("gatehouse-authz-password-", 1, 64);

  /** @param within what a request may take together; else it is answered 503 */
  Decisions(Authorizer authorizer, InstantSource clock, Duration within) {
    this.authorizer = authorizer;
    this.clock = clock;
    this.withinNanos = within.toNanos();
  }

  private static ExecutorService workers(String name, int threads, int waiting) {
    return new ThreadPoolExecutor(
        threads,
        threads,
        0,
        TimeUnit.SECONDS,
        new ArrayBlockingQueue<>(waiting),
        Thread.ofPlatform().daemon().name(name, 0).factory());
  }

  /** @param then called on the caller's event loop, at once if nothing has to be found out */
  void decide(AuthPlan plans, RequestView request, Consumer<Verdict> then) {
    RoutePlan plan = UNKNOWN;
    Verdict verdict;
    try {
      plan = plans.routeOf(request);
      verdict = authorizer.decide(plan, request, Facts.NONE, clock.instant());
    } catch (RuntimeException e) {
      then.accept(authorizer.inForce(plan, request, broken(e)));
      return;
    }
    if (verdict instanceof Verdict.Needs needs) {
      var loop = EventLoops.current();
      Executor back = loop == null ? Runnable::run : loop;
      var open =
          new Undecided(authorizer, plan, request, then, back, System.nanoTime() + withinNanos);
      findOut(open, needs, Facts.NONE, ROUNDS);
    } else {
      then.accept(verdict);
    }
  }

  /** A decision that waits. */
  private record Undecided(
      Authorizer authorizer,
      RoutePlan plan,
      RequestView request,
      Consumer<Verdict> then,
      Executor back,
      long deadline) {
    void end(Verdict verdict) {
      then.accept(authorizer.inForce(plan, request, verdict));
    }
  }

  private void findOut(Undecided open, Verdict.Needs needs, Facts facts, int rounds) {
    long left = open.deadline - System.nanoTime();
    if (rounds == 0 || left <= 0) {
      open.end(new Verdict.Unavailable(
          "timeout", needs.policy(), "what it needs could not be found out in time"));
      return;
    }
    if (open.request.trace().listens()) {
      open.request.trace().step("found out", named(needs.facts()), "off the event loop; once more");
    }
    if (needs.facts().size() == 1 && needs.facts().getFirst() instanceof Fact.Signature signature) {
      handOver(open, signature, facts, rounds);
      return;
    }
    var _ = found(needs.facts(), facts, open.deadline)
        .completeOnTimeout(facts, left, TimeUnit.NANOSECONDS)
        .whenCompleteAsync(
            (more, error) -> {
              if (error == null) {
                again(open, more, rounds - 1);
              } else {
                open.end(broken(error));
              }
            },
            open.back);
  }

  /**
   * The short way for what a flood of forged tokens takes. Without a timer: work whose turn comes when nobody waits for it any more
   * is left out, so that its turn comes soon behind the deadline.
   */
  private void handOver(Undecided open, Fact.Signature signature, Facts facts, int rounds) {
    try {
      workers.execute(() -> {
        Runnable next;
        try {
          var more = System.nanoTime() < open.deadline ? facts.and(check(signature)) : facts;
          next = () -> again(open, more, rounds - 1);
        } catch (RuntimeException e) {
          next = () -> open.end(broken(e));
        }
        open.back.execute(next);
      });
    } catch (RejectedExecutionException e) {
      open.end(broken(e));
    }
  }

  private void again(Undecided open, Facts facts, int rounds) {
    Verdict verdict;
    try {
      verdict = authorizer.decide(open.plan, open.request, facts, clock.instant());
    } catch (RuntimeException e) {
      verdict = authorizer.inForce(open.plan, open.request, broken(e));
    }
    if (verdict instanceof Verdict.Needs needs) {
      findOut(open, needs, facts, rounds);
    } else {
      open.then.accept(verdict);
    }
  }

  private static String named(List<Fact> facts) {
    return facts.stream()
        .map(fact -> switch (fact) {
          case Fact.KeysOf _ -> "a provider's keys";
          case Fact.Signature _ -> "a token's signature";
          case Fact.Certificate _ -> "a certificate's path";
          case Fact.Password _ -> "a password's hash";
        })
        .collect(Collectors.joining(", "));
  }

  /** What is known when all of them have been found out. A new future: a shared one is not the caller's to complete. */
  private CompletableFuture<Facts> found(List<Fact> needed, Facts facts, long deadline) {
    var all = CompletableFuture.completedFuture(facts);
    var running = new ArrayList<CompletableFuture<Facts>>();
    for (var fact : needed) {
      switch (fact) {
        case Fact.KeysOf(var source) -> running.add(source.fetch().thenApply(_ -> Facts.NONE));
        case Fact.Signature signature ->
          running.add(hop(workers, deadline, () -> check(signature)));
        case Fact.Certificate(var check) -> running.add(hop(workers, deadline, remembered(check)));
        case Fact.Password(var check) -> running.add(hop(passwords, deadline, remembered(check)));
      }
    }
    for (var each : running) {
      all = all.thenCombine(each, Facts::and);
    }
    return all;
  }

  private static Supplier<Facts> remembered(Runnable check) {
    return () -> {
      check.run();
      return Facts.NONE;
    };
  }

  /** Work whose turn comes when nobody waits for it any more is left out, so that a queue is never longer than a deadline. */
  private static CompletableFuture<Facts> hop(
      ExecutorService workers, long deadline, Supplier<Facts> work) {
    try {
      return CompletableFuture.supplyAsync(
          () -> System.nanoTime() < deadline ? work.get() : Facts.NONE, workers);
    } catch (RejectedExecutionException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private Facts check(Fact.Signature signature) {
    try {
      var token =
          signature.verifier().verify(signature.token(), signature.candidates(), clock.instant());
      return Facts.of(signature.token(), signature.verifier(), new Facts.Signed(token, null));
    } catch (BadToken e) {
      return Facts.of(signature.token(), signature.verifier(), new Facts.Signed(null, e));
    }
  }

  private static Verdict broken(Throwable error) {
    if (error instanceof RejectedExecutionException) {
      return new Verdict.Unavailable("overload", "", "too many credentials wait to be checked");
    }
    LOG.error("a decision failed; the request is denied", error);
    return new Verdict.Unavailable("internal-error", "", error.getClass().getSimpleName());
  }

  @Override
  public void close() {
    workers.shutdownNow();
    passwords.shutdownNow();
  }
}
