package dev.gatehouse.authz.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The fuzzer's seeds and what it found, each looked at again; {@code PathFuzz} looks for more. */
class PathSeedsTest {
  @TestFactory
  Stream<DynamicTest> where_upstreams_may_read_another_path_the_condition_is_unsure()
      throws IOException, URISyntaxException {
    var folder =
        Path.of(Objects.requireNonNull(PathSeedsTest.class.getResource("PathFuzzInputs/path"))
            .toURI());
    try (var files = Files.list(folder)) {
      var seeds = files.sorted().toList();
      assertThat(seeds).hasSizeGreaterThan(20);
      return seeds.stream()
          .map(seed -> DynamicTest.dynamicTest(
              seed.getFileName().toString(), () -> PathProperties.hold(Files.readAllBytes(seed))));
    }
  }
}
