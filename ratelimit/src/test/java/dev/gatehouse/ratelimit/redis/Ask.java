package dev.gatehouse.ratelimit.redis;

import static dev.gatehouse.ratelimit.counter.CounterStoreContract.hit;
import static dev.gatehouse.ratelimit.counter.CounterStoreContract.limit;

import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.CounterStore.Reason;
import dev.gatehouse.ratelimit.counter.Counts;
import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.descriptor.Unit;
import io.netty.channel.EventLoop;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Counts on a loop, and tells what came of it in a word: the count, or why there is none. */
final class Ask {
  private Ask() {}

  /** One hit on a counter that all calls of this share. */
  static CompletableFuture<String> one(CounterStore store, EventLoop on) {
    return one(store, on, hit(limit("a", Unit.YEAR), "", 1));
  }

  static CompletableFuture<String> one(CounterStore store, EventLoop on, Hit hit) {
    return all(store, on, List.of(hit)).thenApply(counts -> counts.split(" ")[0]);
  }

  /** The counts of several hits of one request, separated by spaces. */
  static CompletableFuture<String> all(CounterStore store, EventLoop on, List<Hit> hits) {
    var answer = new CompletableFuture<String>();
    on.execute(() -> store.apply(hits, store.now(), new CounterStore.Outcome() {
      @Override
      public void counted(Counts counts) {
        var words = new StringBuilder();
        for (int i = 0; i < counts.size(); i++) {
          words.append(i == 0 ? "" : " ").append(counts.used(i));
        }
        answer.complete(words.toString());
      }

      @Override
      public void unavailable(Reason reason) {
        answer.complete(reason.name());
      }
    }));
    return answer.orTimeout(5, TimeUnit.SECONDS);
  }

  /** The counts of one request's hits at a time. */
  static CompletableFuture<Counts> counts(CounterStore store, EventLoop on, long now, Hit... hits) {
    var answer = new CompletableFuture<Counts>();
    on.execute(() -> store.apply(List.of(hits), now, new CounterStore.Outcome() {
      @Override
      public void counted(Counts counts) {
        answer.complete(counts);
      }

      @Override
      public void unavailable(Reason reason) {
        answer.completeExceptionally(new AssertionError(reason));
      }
    }));
    return answer.orTimeout(5, TimeUnit.SECONDS);
  }
}
