package dev.gatehouse.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.channel.epoll.Epoll;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

class EventLoopsTest {
  @Test
  void a_loop_knows_that_it_is_the_current_one_and_other_threads_know_that_they_are_none()
      throws Exception {
    try (var loops = EventLoops.start(2)) {
      for (var loop : loops.all()) {
        assertThat(loop.submit(EventLoops::current).get()).isSameAs(loop);
      }
      assertThat(EventLoops.current()).isNull();
    }
  }

  @Test
  void there_is_one_loop_a_processor_unless_told_otherwise() {
    try (var byDefault = EventLoops.start(0);
        var three = EventLoops.start(3)) {
      assertThat(byDefault.all()).hasSize(Runtime.getRuntime().availableProcessors());
      assertThat(three.all()).hasSize(3);
    }
    assertThatThrownBy(() -> EventLoops.start(-1))
        .hasMessageContaining("loops: -1 (expected: >= 0");
  }

  @Test
  void threads_are_named_after_what_they_are() throws ExecutionException, InterruptedException {
    try (var loops = EventLoops.start(1)) {
      assertThat(loops
              .all()
              .getFirst()
              .submit(() -> Thread.currentThread().getName())
              .get())
          .startsWith(EventLoops.THREAD_NAME);
    }
  }

  @Test
  void epoll_is_used_where_there_is_one_and_nio_elsewhere() throws Exception {
    try (var loops = EventLoops.start(1);
        var nio = EventLoops.start(1, "nio", false)) {
      assertThat(loops.transport()).isEqualTo(Epoll.isAvailable() ? "epoll" : "nio");
      assertThat(nio.transport()).isEqualTo("nio");
      assertThat(nio.all().getFirst().submit(EventLoops::current).get())
          .isSameAs(nio.all().getFirst());
    }
  }

  @Test
  void closing_ends_the_threads() {
    var loops = EventLoops.start(1);
    loops.close();
    assertThat(loops.group().isTerminated()).isTrue();
  }
}
