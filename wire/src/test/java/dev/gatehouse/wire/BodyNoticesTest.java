package dev.gatehouse.wire;

import static dev.gatehouse.wire.Wired.TO_UP;
import static dev.gatehouse.wire.Wired.rule;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.Load;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BodyNoticesTest {
  private static List<String> notices(String spec) {
    var load = Load.text(
        "p.yaml",
        String.join(
            "---\n", Wired.GATEWAY, Wired.BACKEND, rule(TO_UP), RoutesTest.transform(spec)));
    assertThat(load.problems().hasErrors()).isFalse();
    var problems = new Problems();
    BodyNotices.check(load.policies(), problems);
    return problems.all().stream().map(Problem::toString).toList();
  }

  @Test
  void a_step_that_waits_for_a_whole_body_is_named_with_what_it_costs_and_why() {
    assertThat(
            notices(
                "response:\n- json: [{op: mask, at: /card}]\n- {when: response.body.open, headers: {remove: [server]}}"))
        .containsExactly(
            "p.yaml:30:5: notice: spec.response[1]: buffers response bodies up to 10Mi, because its when reads response.body; what only changes JSON where it passes does not (set, remove, rename, mask, default, merge)");
  }

  @Test
  void a_step_that_waits_for_several_reasons_is_named_once() {
    assertThat(
            notices(
                "response:\n- {when: response.body.open, headers: {set: {x-id: '${response.body.id}'}}}\n- {name: gone, when: response.body.shut, status: 410}"))
        .satisfiesExactly(
            first -> assertThat(first).contains("spec.response[0]: buffers"),
            second -> assertThat(second).contains("spec.response[1]: \"gone\" buffers"));
  }

  @Test
  void what_streams_is_not_spoken_of() {
    assertThat(notices("response: [{json: [{op: mask, at: /card}]}]")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1 bytes",
    "1023, 1023 bytes",
    "32768, 32Ki",
    "33792, 33Ki",
    "10485760, 10Mi",
    "10485761, 10485761 bytes",
    "1099511627776, 1Ti",
    "3221225472, 3Gi"
  })
  void bytes_are_said_as_policies_write_them(long bytes, String said) {
    assertThat(ByteSize.of(bytes)).isEqualTo(said);
  }
}
