package dev.gatehouse.policy.expr;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SearchTest {
  @Test
  void finds_what_java_finds() {
    var random = new Random(7);
    for (var i = 0; i < 300; i++) {
      var text = text(random, 2_000);
      var wanted = random.nextBoolean()
          ? text.substring(random.nextInt(1_000), 1_000 + random.nextInt(1_000))
          : text(random, 12 + random.nextInt(20));

      assertThat(Search.contains(text, wanted)).isEqualTo(text.contains(wanted));
    }
  }

  @Test
  void takes_linear_time_where_both_repeat_one_character() {
    var began = Instant.now();

    assertThat(Search.contains("a".repeat(4_000_000), "a".repeat(2_000_000) + "b"))
        .isFalse();
    assertThat(Search.contains("a".repeat(4_000_000), "a".repeat(2_000_000))).isTrue();
    assertThat(Duration.between(began, Instant.now())).isLessThan(Duration.ofSeconds(20));
  }

  private static String text(Random random, int length) {
    return random
        .ints(length, 'a', 'c')
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }
}
