package dev.gatehouse.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testkit.LoopGuard;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The guard must see each way to block a loop, else its silence elsewhere says nothing. */
class LoopGuardTest {
  private static EventLoops loops;

  @BeforeAll
  static void start() {
    loops = EventLoops.start(1);
  }

  @AfterAll
  static void stop() {
    loops.close();
  }

  @Test
  void sees_a_sleeping_loop_and_who_put_it_to_sleep() throws Exception {
    try (var guard = LoopGuard.watch(loops.all())) {
      onLoop(() -> {
        try {
          Thread.sleep(1);
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      });
      assertThat(guard.violations())
          .singleElement()
          .satisfies(v -> assertThat(v.what()).isEqualTo("jdk.ThreadSleep"))
          .satisfies(
              v -> assertThat(v.toString()).contains("LoopGuardTest").contains("gatehouse-loop"));
    }
  }

  @Test
  void sees_a_parked_loop() throws Exception {
    try (var guard = LoopGuard.watch(loops.all())) {
      var never = new CountDownLatch(1);
      onLoop(() -> {
        try {
          assertThat(never.await(1, TimeUnit.MILLISECONDS)).isFalse();
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      });
      assertThat(guard.violations())
          .extracting(LoopGuard.Violation::what)
          .contains("jdk.ThreadPark");
    }
  }

  @Test
  void sees_a_loop_that_waits_for_a_monitor() throws Exception {
    try (var guard = LoopGuard.watch(loops.all())) {
      var monitor = new Object();
      var held = new CountDownLatch(1);
      var wanted = new CountDownLatch(1);
      var holder = Thread.ofPlatform().start(() -> {
        synchronized (monitor) {
          held.countDown();
          awaitBlocked(wanted);
        }
      });
      held.await();
      onLoop(() -> {
        wanted.countDown();
        synchronized (monitor) {
          assertThat(Thread.holdsLock(monitor)).isTrue();
        }
      });
      holder.join();
      assertThat(guard.violations())
          .extracting(LoopGuard.Violation::what)
          .contains("jdk.JavaMonitorEnter");
    }
  }

  /** Returns when the loop that counts down stands before the monitor. */
  private static void awaitBlocked(CountDownLatch wanted) {
    try {
      wanted.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    while (Thread.getAllStackTraces().keySet().stream()
        .noneMatch(t -> t.getName().startsWith(EventLoops.THREAD_NAME)
            && t.getState() == Thread.State.BLOCKED)) {
      Thread.onSpinWait();
    }
  }

  @Test
  void sees_a_loop_that_reads_a_file(@TempDir Path dir) throws Exception {
    var file = Files.writeString(dir.resolve("file"), "text");
    try (var guard = LoopGuard.watch(loops.all())) {
      onLoop(() -> {
        try (var in = new FileInputStream(file.toFile())) {
          assertThat(in.readAllBytes()).hasSize(4);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      });
      assertThat(guard.violations()).extracting(LoopGuard.Violation::what).contains("jdk.FileRead");
    }
  }

  @Test
  void sees_a_loop_that_keeps_the_cpu_and_what_it_did() throws Exception {
    try (var guard = LoopGuard.watch(loops.all(), Duration.ofMillis(50))) {
      onLoop(LoopGuardTest::hog);
      assertThat(guard.violations())
          .filteredOn(v -> v.what().equals("kept others waiting"))
          .isNotEmpty()
          .anySatisfy(v -> assertThat(v.stack()).anyMatch(line -> line.contains("hog")));
    }
  }

  private static void hog() {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(200);
    while (System.nanoTime() < end) {
      Thread.onSpinWait();
    }
  }

  private static void onLoop(Runnable task) throws Exception {
    loops.all().getFirst().submit(task).get();
  }
}
