package dev.gatehouse.extproc.stream;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.util.EnumMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * Seeded streams of a modelled Envoy, in all its modes and legal orders, meet processors that do whatever a processor may do. The
 * model throws at every answer that Envoy would call spurious or reject.
 *
 * <p>One is run again by {@code -Dgatehouse.stream=NUMBER}; {@code -Pmodel} runs a million.
 */
class StreamModelTest {
  private static final int STREAMS = Integer.getInteger("gatehouse.streams", 100_000);
  private static final Integer ONLY = Integer.getInteger("gatehouse.stream");

  /** Every bug that a processor plays would be a line. */
  @BeforeAll
  static void quiet() {
    ((Logger) LoggerFactory.getLogger(FailureLog.class)).setLevel(Level.OFF);
  }

  @AfterAll
  static void loud() {
    ((Logger) LoggerFactory.getLogger(FailureLog.class)).setLevel(null);
  }

  @Test
  void no_answer_is_spurious_no_byte_is_lost_and_what_a_stream_holds_is_bounded() {
    var ends = new EnumMap<ModelStream.End, Integer>(ModelStream.End.class);
    var first = ONLY == null ? 0 : ONLY;
    for (var number = first; number < (ONLY == null ? STREAMS : ONLY + 1); number++) {
      var stream = new ModelStream(number);
      try {
        ends.merge(stream.run(), 1, Integer::sum);
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("stream " + number + ": " + stream, e);
      }
    }
    if (ONLY == null) {
      assertThat(ends).as("%s", ends).containsOnlyKeys(ModelStream.End.values());
      assertThat(ends.values()).as("%s", ends).allMatch(count -> count > STREAMS / 500);
    }
  }
}
