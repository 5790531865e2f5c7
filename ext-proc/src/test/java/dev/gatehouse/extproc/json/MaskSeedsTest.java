package dev.gatehouse.extproc.json;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The fuzzer's seeds and what it found, each looked at again under each mask; {@code MaskFuzz} looks for more. */
class MaskSeedsTest {
  private static final int MASKS = 4;

  @TestFactory
  Stream<DynamicTest> nothing_of_a_masked_value_is_shown() throws IOException, URISyntaxException {
    var folder =
        Path.of(Objects.requireNonNull(MaskSeedsTest.class.getResource("MaskFuzzInputs/text"))
            .toURI());
    try (var files = Files.list(folder)) {
      var seeds = files.sorted().toList();
      assertThat(seeds).hasSizeGreaterThan(15);
      return seeds.stream()
          .map(seed -> DynamicTest.dynamicTest(seed.getFileName().toString(), () -> {
            var input = Files.readAllBytes(seed);
            for (byte mask = 0; mask < MASKS; mask++) {
              input[0] = mask;
              MaskProperties.hold(input);
            }
          }));
    }
  }
}
