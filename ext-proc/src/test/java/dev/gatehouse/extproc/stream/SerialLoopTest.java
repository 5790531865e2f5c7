package dev.gatehouse.extproc.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SerialLoopTest {
  private final SerialLoop loop = new SerialLoop();

  @Test
  void tasks_of_many_threads_run_one_at_a_time_each_threads_own_in_order() {
    var ran = new ArrayList<int[]>(); // Not safe for threads: that is the test.
    try (var threads = Executors.newFixedThreadPool(8)) {
      for (var thread = 0; thread < 8; thread++) {
        var number = thread;
        threads.execute(() -> {
          for (var i = 0; i < 1_000; i++) {
            var task = new int[] {number, i};
            loop.execute(() -> ran.add(task));
          }
        });
      }
    }
    loop.execute(() -> {});
    assertThat(ran).hasSize(8_000);
    for (var thread = 0; thread < 8; thread++) {
      var number = thread;
      assertThat(ran.stream().filter(task -> task[0] == number).mapToInt(task -> task[1]))
          .isSorted()
          .hasSize(1_000);
    }
  }

  @Test
  void what_a_task_brings_runs_after_it() {
    var ran = new ArrayList<String>();
    loop.execute(() -> {
      loop.execute(() -> ran.add("second"));
      ran.add("first");
    });
    assertThat(ran).containsExactly("first", "second");
  }

  @Test
  void what_is_for_later_waits_for_nobody_and_is_not_done_by_who_brings_it() throws Exception {
    var done = new LinkedBlockingQueue<Thread>();
    loop.later(() -> done.add(Thread.currentThread()));
    assertThat(done.poll(10, TimeUnit.SECONDS)).isNotNull().isNotSameAs(Thread.currentThread());
  }

  @Test
  void a_task_that_throws_keeps_nobody_waiting_behind_it() {
    var ran = new ArrayList<String>();
    assertThatThrownBy(() -> loop.execute(() -> {
          loop.execute(() -> ran.add("behind"));
          throw new IllegalStateException("thrown");
        }))
        .hasMessage("thrown");
    loop.execute(() -> ran.add("later"));
    assertThat(ran).containsExactly("behind", "later");
  }

  @Test
  void a_timer_comes_unless_it_is_called_off() throws InterruptedException {
    var ran = new LinkedBlockingQueue<String>();
    loop.after(Duration.ofMillis(500), () -> ran.add("called off")).run();
    loop.after(Duration.ofMillis(600), () -> ran.add("came"));
    assertThat(ran.poll(10, TimeUnit.SECONDS)).isEqualTo("came");
    assertThat(List.copyOf(ran)).isEmpty();
  }
}
