package dev.gatehouse.authz.jwt;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The fuzzer's seeds and what it found, each looked at again; {@code TokenFuzz} looks for more. */
class TokenSeedsTest {
  @TestFactory
  Stream<DynamicTest> a_token_is_refused_or_has_one_meaning()
      throws IOException, URISyntaxException {
    var folder =
        Path.of(Objects.requireNonNull(TokenSeedsTest.class.getResource("TokenFuzzInputs/token"))
            .toURI());
    try (var files = Files.list(folder)) {
      var seeds = files.sorted().toList();
      assertThat(seeds).hasSizeGreaterThan(20);
      return seeds.stream()
          .map(seed -> DynamicTest.dynamicTest(
              seed.getFileName().toString(), () -> TokenProperties.hold(Files.readAllBytes(seed))));
    }
  }
}
