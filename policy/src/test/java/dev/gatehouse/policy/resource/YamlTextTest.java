package dev.gatehouse.policy.resource;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class YamlTextTest {
  private final Problems problems = new Problems();

  private List<Value> read(String yaml) {
    return YamlText.documents("limits.yaml", yaml, problems);
  }

  private Object any(String yaml) {
    return read(yaml).getFirst().any();
  }

  @Test
  void
      what_is_merged_gives_way_to_what_is_written_out_and_the_first_source_goes_before_the_others() {
    assertThat(any("""
        a: &a {unit: second, name: a}
        b: &b {unit: minute, cost: 2}
        c: {<<: [*a, *b], name: c}
        """))
        .isEqualTo(Map.of(
            "a", Map.of("unit", "second", "name", "a"),
            "b", Map.of("unit", "minute", "cost", 2.0),
            "c", Map.of("unit", "second", "name", "c", "cost", 2.0)));
    assertThat(problems.all()).isEmpty();
  }

  @Test
  void only_mappings_can_be_merged() {
    read("a: {<<: text, b: c}");

    assertThat(problems.all())
        .extracting(Problem::toString)
        .containsExactly("limits.yaml:1:5: a merge key (<<) takes a mapping or a list of mappings");
  }

  @Test
  void merged_values_count_against_the_bound_as_often_as_they_are_used() {
    var yaml = new StringBuilder("a0: &a0 {x: y}\n");
    for (int i = 1; i < 30; i++) {
      yaml.append("a%d: &a%d {l: *a%d, r: *a%d, <<: *a%d}%n".formatted(i, i, i - 1, i - 1, i - 1));
    }
    read(yaml.toString());

    assertThat(problems.all())
        .singleElement()
        .asString()
        .endsWith("more than 200000 values in one file, aliases followed");
  }

  @Test
  void a_value_may_be_anything() {
    assertThat(any("[1, -1e3, 0.5, .inf, 0x1F, true, 'true', null, {a: [b]}]"))
        .isEqualTo(Arrays.asList(
            1.0, -1000.0, 0.5, ".inf", "0x1F", true, "true", null, Map.of("a", List.of("b"))));
    assertThat(problems.all()).isEmpty();
  }

  @Test
  void a_text_is_what_is_written_even_where_yaml_takes_it_for_a_number() {
    var written = read("[404, true, 1.50, 'x', null]").getFirst().list(10, v -> v.written(10));

    assertThat(written).containsExactly("404", "true", "1.50", "x", "");
    assertThat(problems.all()).isEmpty();
  }

  @Test
  void a_text_is_bounded_and_no_list() {
    read("[too long, [a]]").getFirst().list(10, v -> v.written(4));

    assertThat(problems.all())
        .extracting(Problem::toString)
        .containsExactly(
            "limits.yaml:1:2: [0]: is 8 characters long (expected: at most 4)",
            "limits.yaml:1:12: [1]: expected a text, got a list");
  }

  @Test
  void a_text_that_is_too_large_is_not_read() {
    assertThat(read("#".repeat(YamlDocuments.MAX_CHARS + 1))).isEmpty();
    assertThat(problems.all())
        .extracting(Problem::toString)
        .containsExactly("limits.yaml: is larger than 2097152 characters; split it");
  }
}
