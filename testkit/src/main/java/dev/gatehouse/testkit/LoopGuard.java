package dev.gatehouse.testkit;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordingFile;
import org.jspecify.annotations.Nullable;

/**
 * Watches event loops for what they must never do: park, wait for a monitor, sleep, touch a file, use a blocking socket (seen by
 * the flight recorder at zero threshold, so no agent is needed), or keep the CPU so long that others wait (seen by a heartbeat).
 *
 * <pre>{@code
 * try (var guard = LoopGuard.watch(loops.all())) {
 *   load();
 *   assertThat(guard.violations()).isEmpty();
 * }
 * }</pre>
 *
 * <p>Class loading is not held against a loop: it reads files, but once, and warm-up does it before a server is ready.
 */
public final class LoopGuard implements AutoCloseable {
  private static final List<String> BLOCKING = List.of(
      "jdk.ThreadPark",
      "jdk.ThreadSleep",
      "jdk.JavaMonitorEnter",
      "jdk.JavaMonitorWait",
      "jdk.FileRead",
      "jdk.FileWrite",
      "jdk.FileForce",
      "jdk.SocketRead",
      "jdk.SocketWrite");

  /**
   * Whose work in a stack excuses it: class loading; the NIO transport's sockets, which do not block; random numbers of the system, which
   * TLS reads from a file that never waits; the lock of Netty's pool of buffers, held for microseconds by another thread that frees one.
   */
  private static final List<String> EXCUSED = List.of(
      "java.lang.ClassLoader",
      "jdk.internal.loader.",
      "io.netty.buffer.PoolArena.",
      "io.netty.channel.socket.nio.",
      "sun.security.provider.NativePRNG");

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final Duration HEARTBEAT = Duration.ofMillis(5);

  private final Recording recording = new Recording();
  private final Set<String> names = new HashSet<>();
  private final Queue<Violation> hogs = new ConcurrentLinkedQueue<>();
  private final Duration maxDelay;
  private final List<Thread> hearts = new ArrayList<>();
  private volatile boolean stopping;
  private @Nullable List<Violation> found;

  private LoopGuard(Duration maxDelay) {
    this.maxDelay = maxDelay;
  }

  /** Watches these loops, each of one thread, from now on; a loop that lets a task wait for 100 ms is a hog. */
  public static LoopGuard watch(Iterable<? extends Executor> loops) {
    return watch(loops, Duration.ofMillis(100));
  }

  /** @param maxDelay how long a task may wait for a loop; take garbage collection and a busy machine into account */
  public static LoopGuard watch(Iterable<? extends Executor> loops, Duration maxDelay) {
    var guard = new LoopGuard(maxDelay);
    BLOCKING.forEach(
        event -> guard.recording.enable(event).withThreshold(Duration.ZERO).withStackTrace());
    guard.recording.start();
    for (var loop : loops) {
      var thread = CompletableFuture.supplyAsync(Thread::currentThread, loop).join();
      guard.names.add(thread.getName());
      guard.hearts.add(Thread.ofPlatform()
          .daemon()
          .name("loop-guard-" + thread.getName())
          .start(() -> guard.beat(loop, thread)));
    }
    return guard;
  }

  /** Asks the loop for a sign again and again, and looks at what it does when none comes. */
  private void beat(Executor loop, Thread thread) {
    while (!stopping) {
      long asked = System.nanoTime();
      long ran = THREADS.getThreadCpuTime(thread.threadId());
      var answered = new AtomicLong();
      loop.execute(() -> answered.set(System.nanoTime()));
      var seen = new StackTraceElement[0];
      while (answered.get() == 0 && !stopping && thread.isAlive()) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        if (seen.length == 0 && System.nanoTime() - asked > maxDelay.toNanos()) {
          seen = thread.getStackTrace();
        }
      }
      var delay =
          Duration.ofNanos((answered.get() == 0 ? System.nanoTime() : answered.get()) - asked);
      var busy = Duration.ofNanos(THREADS.getThreadCpuTime(thread.threadId()) - ran);
      // A loop that was given no processor keeps nobody waiting: the machine does.
      if (delay.compareTo(maxDelay) > 0 && busy.multipliedBy(2).compareTo(maxDelay) > 0) {
        hogs.add(new Violation("kept others waiting", thread.getName(), delay, lines(seen)));
      }
      LockSupport.parkNanos(HEARTBEAT.toNanos());
    }
  }

  /** Stops watching and says what the loops did wrong, oldest first. */
  public synchronized List<Violation> violations() {
    if (found == null) {
      recording.stop();
      stopping = true;
      hearts.forEach(LoopGuard::join);
      var all = new ArrayList<>(blocked());
      all.addAll(hogs);
      found = List.copyOf(all);
    }
    return found;
  }

  private static void join(Thread heart) {
    try {
      heart.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private List<Violation> blocked() {
    try {
      var file = Files.createTempFile("loop-guard", ".jfr");
      try {
        recording.dump(file);
        return RecordingFile.readAllEvents(file).stream()
            // Libraries have events of their own.
            .filter(event -> BLOCKING.contains(event.getEventType().getName()))
            .filter(event ->
                event.getThread() != null && names.contains(event.getThread().getJavaName()))
            .map(LoopGuard::violation)
            .filter(violation -> violation.stack().stream()
                .noneMatch(line -> EXCUSED.stream().anyMatch(line::startsWith)))
            .toList();
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Violation violation(RecordedEvent event) {
    List<String> stack = event.getStackTrace() == null
        ? List.of()
        : event.getStackTrace().getFrames().stream().map(LoopGuard::line).toList();
    return new Violation(
        event.getEventType().getName(),
        event.getThread().getJavaName(),
        event.getDuration(),
        stack);
  }

  private static String line(RecordedFrame frame) {
    return frame.getMethod().getType().getName() + "." + frame.getMethod().getName() + ":"
        + frame.getLineNumber();
  }

  private static List<String> lines(StackTraceElement[] stack) {
    return Arrays.stream(stack)
        .map(frame ->
            frame.getClassName() + "." + frame.getMethodName() + ":" + frame.getLineNumber())
        .toList();
  }

  @Override
  public void close() {
    violations();
    recording.close();
  }

  /**
   * @param what the flight recorder's event, or {@code kept others waiting}
   * @param stack innermost first
   */
  public record Violation(String what, String thread, Duration duration, List<String> stack) {
    @Override
    public String toString() {
      return "%s on %s for %d µs%s"
          .formatted(
              what,
              thread,
              duration.toNanos() / 1000,
              stack.stream().map(line -> "\n    at " + line).collect(joining()));
    }
  }
}
