package dev.gatehouse.ratelimit.redis;

import dev.gatehouse.ratelimit.counter.CounterStore.Outcome;
import dev.gatehouse.ratelimit.counter.CounterStore.Reason;
import dev.gatehouse.ratelimit.counter.Counts;
import dev.gatehouse.ratelimit.counter.Hit;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The hits of one request, on their way to Redis and back. Used on its loop only; the first end counts. */
final class Pending {
  /** {@link System#nanoTime} of its time limit. */
  long due;

  private final Outcome outcome;
  private final List<Hit> hits;
  private final long[] counts;

  /** One a node: nearly always one alone. */
  private final List<Batch> batches = new ArrayList<>(1);

  /** The parts of a request that is split over slots of a cluster, each with how it gives back. */
  private List<Part> parts = List.of();

  private int missing;
  private boolean done;

  /** What goes to one node, in one write. */
  private record Batch(Node node, List<Sent<?>> commands) {}

  private record Part(ScriptRun run, Runnable giveBack) {}

  Pending(List<Hit> hits, Outcome outcome) {
    this.outcome = outcome;
    this.hits = hits;
    this.counts = new long[hits.size()];
    this.missing = hits.size();
  }

  /** To be sent to this node, behind what is to be sent there already. */
  void add(Node node, Sent<?> command) {
    for (int i = 0; i < batches.size(); i++) {
      var batch = batches.get(i);
      if (batch.node == node) {
        batch.commands.add(command);
        return;
      }
    }
    var batch = new Batch(node, new ArrayList<>(2 * counts.length));
    batch.commands.add(command);
    batches.add(batch);
  }

  /** Why one of the nodes cannot be sent its part; then none is sent anything. */
  @Nullable
  Reason refusal() {
    for (int i = 0; i < batches.size(); i++) {
      var refusal = batches.get(i).node.refusal(batches.get(i).commands.size());
      if (refusal != null) {
        return refusal;
      }
    }
    return null;
  }

  /** To all nodes at the same time. */
  void send() {
    for (int i = 0; i < batches.size(); i++) {
      batches.get(i).node.send(batches.get(i).commands);
    }
  }

  boolean done() {
    return done;
  }

  /** If the request turns out to be denied, and this part has counted too much, it gives that back. */
  void mayGiveBack(Runnable giveBack, ScriptRun run) {
    if (parts.isEmpty()) {
      parts = new ArrayList<>(2);
    }
    parts.add(new Part(run, giveBack));
  }

  void counted(int hit, long count) {
    counts[hit] = count;
    if (--missing > 0) {
      return;
    }
    var all = Counts.of(hits, counts);
    if (all.denied()) {
      giveBack();
    }
    if (!done) {
      done = true;
      outcome.counted(all);
    }
  }

  private void giveBack() {
    for (int i = 0; i < parts.size(); i++) {
      if (parts.get(i).run.countedTooMuch()) {
        parts.get(i).giveBack.run();
      }
    }
  }

  void failed(Reason reason) {
    if (!done) {
      done = true;
      outcome.unavailable(reason);
    }
  }

  void timeout() {
    if (done) {
      return;
    }
    batches.forEach(batch -> batch.commands.forEach(Sent::timedOut));
    failed(Reason.TIMEOUT);
  }
}
