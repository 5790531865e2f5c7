package dev.gatehouse.ratelimit.redis;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RedirectTest {
  @Test
  void a_slot_has_moved_or_is_on_its_way() {
    assertThat(Redirect.parse("MOVED 3999 127.0.0.1:6381"))
        .isEqualTo(new Redirect(false, 3999, "127.0.0.1", 6381));
    assertThat(Redirect.parse("ASK 0 redis-1.redis:6381"))
        .isEqualTo(new Redirect(true, 0, "redis-1.redis", 6381));
    assertThat(Redirect.parse("MOVED 16383 ::1:6381"))
        .isEqualTo(new Redirect(false, 16383, "::1", 6381));
    assertThat(Redirect.parse("MOVED 1 :6381")).isEqualTo(new Redirect(false, 1, "", 6381));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ERR unknown command",
        "MOVED",
        "MOVED 1",
        "MOVED 16384 h:1",
        "MOVED -1 h:1",
        "MOVED x h:1",
        "ASK 1 h",
        "ASK 1 h:0",
        "ASK 1 h:65536",
        "ASK 1 h:port",
        "ASKING 1 h:1"
      })
  void another_error_is_none(String error) {
    assertThat(Redirect.parse(error)).isNull();
  }
}
