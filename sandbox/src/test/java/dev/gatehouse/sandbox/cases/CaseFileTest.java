package dev.gatehouse.sandbox.cases;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CaseFileTest {
  @TempDir
  Path folder;

  @Test
  void a_whole_case_is_read() throws IOException {
    var file = read("""
        about: What it shows.
        settings: {unmatched: allow, redis: true}
        requests:
        - name: one
          method: POST
          path: /orders?a=b
          host: shop.example
          headers: {x-one: "1", x-two: [a, b]}
          json: {a: 1}
          times: 3
          from: 127.0.0.2
          token: {sub: ada, exp: now-1m}
          sign: {alg: ES256, forged: true}
          reply: {status: 500, body: broken}
          expect:
            status: 502
            headers: {x-there: {matches: "^a"}, x-gone: null, x-many: [a, b]}
            body: {contains: broken, lacks: [secret], at: {/a: 1}}
            upstream: {method: POST, headers: {x-user: ada}}
            envoy: {spurious: 0}
        - edit: {orders.yaml: edits/orders.yaml, old.yaml: null}
          expect: {inForce: false, problems: "orders.yaml:3"}
        """);

    assertThat(file.settings().redis()).isTrue();
    assertThat(file.requests())
        .extracting(CaseFile.Step::title)
        .containsExactly("one", "edit [orders.yaml, old.yaml]");
    var expect = file.requests().getFirst().expect();
    assertThat(expect.headers()).hasSize(3);
    assertThat(expect.headers()).hasEntrySatisfying("x-gone", match -> {
      assertThat(match.wrong("x", List.of())).isEmpty();
      assertThat(match.wrong("x", List.of("1"))).hasSize(1);
    });
    assertThat(file.requests().get(1).edit()).containsEntry("old.yaml", null);
  }

  @Test
  void an_unknown_key_is_named_with_its_line_and_the_keys_there_are() {
    assertThatThrownBy(() -> read("""
        requests:
        - path: /a
          expect:
            statuss: 200
        """))
        .isInstanceOf(CaseException.class)
        .hasMessageContaining("requests.yaml:4:")
        .hasMessageContaining("unknown key \"statuss\" (there are: body, closed, envoy,");
  }

  @Test
  void an_unknown_part_of_an_expectation_is_named_too() {
    assertThatThrownBy(() -> read("""
        requests:
        - path: /a
          expect:
            body: {containing: x}
        """))
        .hasMessageContaining("requests.yaml:4:")
        .hasMessageContaining("unknown key \"containing\"");
  }

  @Test
  void a_step_that_expects_nothing_is_refused() {
    assertThatThrownBy(() -> read("requests: [{path: /a}]"))
        .hasMessageContaining("requests[0]: no expect");
    assertThatThrownBy(() -> read("requests: [{path: /a, expect: {}}]"))
        .hasMessageContaining("requests[0]: no expect");
    assertThatThrownBy(() -> read("requests: []")).hasMessageContaining("there are none");
    assertThatThrownBy(() -> read("requests: [{expect: {status: 200}}]"))
        .hasMessageContaining("neither path nor raw nor edit");
  }

  @Test
  void a_duplicate_key_is_refused() {
    assertThatThrownBy(() -> read("""
        requests:
        - path: /a
          path: /b
          expect: {status: 200}
        """))
        .hasMessageContaining("requests.yaml:3:")
        .hasMessageContaining("path");
  }

  private CaseFile read(String yaml) throws IOException {
    Files.writeString(folder.resolve("requests.yaml"), yaml);
    return CaseFile.read(folder);
  }
}
