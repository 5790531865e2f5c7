package dev.gatehouse.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A small redaction, in a process that could not hold what goes through it. */
class RedactionTest {
  private static final int STREAMS = 8;
  private static final long BYTES = 10_000_000;

  @Test
  void large_bodies_are_masked_byte_exactly_by_a_process_that_could_not_hold_them(
      @TempDir Path folder) throws Exception {
    var options = "-Xmx64m -XX:MaxDirectMemorySize=64m -XX:TieredStopAtLevel=1";
    try (var redaction = new Redaction(folder, BYTES, options)) {
      var took = redaction.fetch(STREAMS, 0, (bytes, resident) -> {});
      assertThat(took.bytes()).isGreaterThan(STREAMS * (BYTES - 100_000));
      assertThat(took.peakMegabytes()).as("resident at its peak").isLessThan(300);
    }
  }
}
