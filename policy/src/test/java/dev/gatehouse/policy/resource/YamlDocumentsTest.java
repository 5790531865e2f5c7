package dev.gatehouse.policy.resource;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class YamlDocumentsTest {
  private static final String CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n";

  @Test
  void a_syntax_error_is_named_where_the_parser_stood_and_makes_the_file_unreadable() {
    var read = Read.of("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a\ndata: {}\n");

    assertThat(read.problems())
        .containsExactly(
            "p.yaml:4:5: this is not YAML: while parsing a flow mapping, expected ',' or '}', but got :");
    assertThat(read.unreadable()).containsExactly("p.yaml");
  }

  @Test
  void the_mistakes_with_many_faces_are_told_how_to_be_mended() {
    assertThat(Read.of("kind: a\n cel: x == \"a: b\"\n").problems())
        .containsExactly(
            "p.yaml:2:5: this is not YAML: mapping values are not allowed here (is the line indented as its neighbours are? a text with \": \" in it stands in quotes)");
    assertThat(Read.of("spec:\n  rules:\n  - a: 1\n   b: 2\n").problems())
        .singleElement()
        .asString()
        .endsWith(" (is the line indented as its neighbours are?)");
  }

  @Test
  void what_stands_before_a_syntax_error_is_read() {
    var read = Read.of(CONFIG.formatted("a") + "---\nkind: [\n");

    assertThat(read.resources()).extracting(r -> r.meta().name()).containsExactly("a");
    assertThat(read.unreadable()).containsExactly("p.yaml");
  }

  @Test
  void a_syntax_error_never_quotes_the_file_since_it_may_hold_a_secret() {
    var read = Read.of(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  k: hunter2: hunter3\n  j: \"hunter4\n");

    assertThat(read.problems()).isNotEmpty().noneMatch(p -> p.contains("hunter"));
  }

  @Test
  void a_tab_is_explained() {
    assertThat(Read.of("kind: A\n\tx: 1\n").problems())
        .singleElement()
        .asString()
        .startsWith("p.yaml:2:1: this is not YAML:")
        .contains("Do not use \\t(TAB) for indentation");
  }

  @Test
  void a_character_that_yaml_forbids_is_named_with_its_place() {
    assertThat(Read.of("apiVersion: v1\nkind: a\u0001\n").problems())
        .containsExactly("p.yaml:2:8: this is not YAML: special characters are not allowed");
  }

  @Test
  void a_key_that_stands_twice_is_an_error() {
    var read = Read.of(CONFIG.formatted("a") + "data: {x: a}\ndata: {x: b}\n");

    assertThat(read.problems())
        .containsExactly("p.yaml:5:1: duplicate key \"data\", first at line 4");
    assertThat(read.resources()).isEmpty();
  }

  @Test
  void several_documents_in_a_file_are_read_and_empty_ones_passed_over() {
    var read = Read.of("---\n# nothing\n---\n" + CONFIG.formatted("a") + "---\n"
        + CONFIG.formatted("b") + "---\n");

    assertThat(read.problems()).isEmpty();
    assertThat(read.resources()).extracting(r -> r.meta().name()).containsExactly("a", "b");
  }

  @Test
  void a_list_as_kubectl_prints_it_is_read() {
    var read = Read.of(
        "apiVersion: v1\nkind: List\nmetadata: {resourceVersion: ''}\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {nam: b}\n");

    assertThat(read.resources()).extracting(r -> r.meta().name()).containsExactly("a");
    assertThat(read.problems())
        .containsExactly(
            "p.yaml:10:3: items[1].metadata: \"name\" is missing",
            "p.yaml:10:14: items[1].metadata.nam: unknown field (did you mean \"name\"?)");
  }

  @Test
  void aliases_are_followed() {
    var read = Read.of(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: &l {x: b}}\ndata: *l\n");

    assertThat(read.only(ConfigMap.class).data()).containsEntry("x", "b");
  }

  @Test
  void an_alias_without_an_anchor_is_an_error() {
    assertThat(Read.of(CONFIG.formatted("a") + "data: {x: *n}\n").problems())
        .containsExactly(
            "p.yaml:4:11: no mapping or list with the anchor &n stands before the alias *n (a single value cannot be referred to; repeat it)");
  }

  @Test
  void anchors_do_not_reach_into_the_next_document() {
    assertThat(Read.of(CONFIG.formatted("a") + "data: &d {x: a}\n---\n" + CONFIG.formatted("b")
                + "data: *d\n")
            .unreadable())
        .containsExactly("p.yaml");
  }

  @Test
  void a_billion_laughs_end_at_the_bound() {
    var laughs = new StringBuilder("l0: &l0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 30; i++) {
      var before = "*l" + (i - 1);
      laughs.append("l%d: &l%d [%s]\n"
          .formatted(
              i, i, IntStream.range(0, 10).mapToObj(j -> before).collect(Collectors.joining(","))));
    }

    var read = Read.of(laughs.toString());

    assertThat(read.problems())
        .singleElement()
        .asString()
        .contains("more than 200000 values in one file, aliases followed");
    assertThat(read.unreadable()).containsExactly("p.yaml");
  }

  @Test
  void deep_nesting_ends_at_the_bound() {
    var read = Read.of("a: " + "[".repeat(100_000));

    assertThat(read.problems()).singleElement().asString().contains("nested more than 64 deep");
  }

  @Test
  void a_large_text_is_refused_unread() {
    assertThat(Read.of("# " + "x".repeat(YamlDocuments.MAX_CHARS)).problems())
        .containsExactly("p.yaml: is larger than 2097152 characters; split it");
  }

  @Test
  void tags_and_merge_keys_are_refused() {
    assertThat(Read.of(CONFIG.formatted("!!binary YQ==")).problems())
        .containsExactly("p.yaml:3:18: YAML tags are not supported (tag:yaml.org,2002:binary)");
    assertThat(Read.of(CONFIG.formatted("a") + "data: &d {x: a}\nbinaryData: {<<: *d}\n")
            .problems())
        .containsExactly("p.yaml:5:14: merge keys (<<) are not supported; write the fields out");
  }
}
