package dev.gatehouse.extproc.transform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BodyJsonTest {
  /** A parser's table of names would hold thousands of them, of up to 64 KiB each, as long as the process lives. */
  @Test
  void no_name_of_a_body_is_remembered_when_the_body_is_gone() throws Exception {
    var name = nameOf("{\"" + "n".repeat(60_000) + "\":1}");
    await().atMost(Duration.ofSeconds(30)).until(() -> {
      System.gc();
      return name.refersTo(null);
    });
  }

  @Test
  void a_byte_order_mark_is_no_part_of_the_body() throws Exception {
    assertThat(BodyJson.parse("\ufeff{\"a\":1}".getBytes(StandardCharsets.UTF_8)))
        .isEqualTo(Map.of("a", 1L));
  }

  private static WeakReference<Object> nameOf(String body) throws Exception {
    var members = (Map<?, ?>) BodyJson.parse(body.getBytes(StandardCharsets.UTF_8));
    return new WeakReference<>(members.keySet().iterator().next());
  }
}
