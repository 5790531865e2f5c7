package dev.gatehouse.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;

import dev.gatehouse.sandbox.EnvoyBinary;
import dev.gatehouse.sandbox.cases.CaseRunner;
import dev.gatehouse.testkit.RedisFixture;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every folder below {@code src/test/cases} that holds a {@code requests.yaml}, through a real Envoy. */
final class PolicyCasesTest {
  private static final Path CASES = Path.of("src/test/cases").toAbsolutePath();

  private static RedisFixture redis;
  private static CaseRunner runner;

  @BeforeAll
  static void start() {
    redis = RedisFixture.start();
    runner = CaseRunner.onGates(new CaseRunner.Settings(
        EnvoyBinary.find(System.getenv(), System.err::println), redis.url()));
  }

  @AfterAll
  static void stop() {
    runner.close();
    redis.close();
  }

  @TestFactory
  Stream<DynamicTest> cases() {
    var folders = CaseRunner.find(CASES);
    assertThat(folders).as("cases below " + CASES).isNotEmpty();
    return folders.stream().map(PolicyCasesTest::asTest);
  }

  private static DynamicTest asTest(Path folder) {
    var name = CASES.relativize(folder).toString();
    return DynamicTest.dynamicTest(name, folder.resolve("requests.yaml").toUri(), () -> {
      var result = runner.run(name, folder);
      if (!result.passed()) {
        fail(result.about() + "\n" + result.wrong());
      }
    });
  }
}
