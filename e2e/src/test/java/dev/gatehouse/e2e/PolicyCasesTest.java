package dev.gatehouse.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;

import dev.gatehouse.sandbox.EnvoyBinary;
import dev.gatehouse.sandbox.cases.CaseRunner;
import dev.gatehouse.testkit.RedisFixture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

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

  @Test
  void a_case_that_fails_says_what_is_wrong_with_its_policies(@TempDir Path folder)
      throws IOException {
    var policies = Files.createDirectory(folder.resolve("policies")).resolve("shop.yaml");
    Files.writeString(policies, """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: web}
        spec: {gatewayClassName: c, listeners: [{name: http, protocol: HTTP, port: 80}]}
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: all}
        spec:
          parentRefs: [{name: web}]
          rules: [{backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: shop}]}]
        ---
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: Backend
        metadata: {name: shop}
        spec: {endpoints: [{ip: {address: 127.0.0.1, port: 1}}]}
        ---
        apiVersion: gatehouse.dev/v1alpha1
        kind: AuthPolicy
        metadata: {name: all}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: all}]
          anonymous: {wen: "true"}
        """);
    Files.writeString(
        folder.resolve("requests.yaml"), "requests:\n- {path: /, expect: {status: 200}}\n");

    assertThat(runner.run("a case", folder).wrong())
        .contains("errors in its policies\n  " + policies + ":23:15: spec.anonymous.wen: unknown")
        .contains("status: expected 200, got 503");
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
