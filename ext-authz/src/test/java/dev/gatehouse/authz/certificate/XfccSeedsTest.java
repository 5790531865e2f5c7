package dev.gatehouse.authz.certificate;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The fuzzer's seeds and what it found, each looked at again; {@code XfccFuzz} looks for more. */
class XfccSeedsTest {
  @TestFactory
  Stream<DynamicTest> a_header_is_refused_or_has_one_reading()
      throws IOException, URISyntaxException {
    var folder =
        Path.of(Objects.requireNonNull(XfccSeedsTest.class.getResource("XfccFuzzInputs/header"))
            .toURI());
    try (var files = Files.list(folder)) {
      var seeds = files.sorted().toList();
      assertThat(seeds).hasSizeGreaterThan(20);
      return seeds.stream()
          .map(seed -> DynamicTest.dynamicTest(
              seed.getFileName().toString(), () -> XfccProperties.hold(Files.readAllBytes(seed))));
    }
  }
}
