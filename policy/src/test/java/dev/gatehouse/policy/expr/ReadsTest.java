package dev.gatehouse.policy.expr;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ReadsTest {
  @Test
  void a_condition_names_its_variables_and_their_members() {
    assertThat(Reads.condition(
                "request.headers['x-a'] == 'request.body' && has(auth.claims.plan) && response.code > 400")
            .names())
        .containsExactly("auth.claims.plan", "request.headers", "response.code");
  }

  @Test
  void a_variable_inside_a_macro_is_found_too() {
    assertThat(Reads.condition("request.body.items.exists(i, i.price > 3)").reads("request.body"))
        .isTrue();
  }

  @Test
  void a_template_reads_what_stands_between_its_braces() {
    var reads = Reads.template("request.body ${source.address} $${request.path} ${auth.sub}");
    assertThat(reads.names()).containsExactly("auth.sub", "source.address");
    assertThat(reads.reads("source.address")).isTrue();
    assertThat(reads.reads("source.addr")).isFalse();
    assertThat(reads.reads("request")).isFalse();
  }

  @Test
  void metadata_is_read_by_namespace() {
    assertThat(Reads.condition(
                "metadata['my.filter'].tier == 'gold' || metadata.plain.x == 1 || has(metadata['third'].y)")
            .namespaces())
        .containsExactly("my.filter", "plain", "third");
  }

  @Test
  void of_a_text_that_is_no_expression_nothing_is_said() {
    assertThat(Reads.condition("request.headers[")).isEqualTo(Reads.NOTHING);
    assertThat(Reads.template("${")).isEqualTo(Reads.NOTHING);
  }

  @Test
  void two_together_read_what_either_does() {
    var both = Reads.condition("request.path == ''").and(Reads.template("${metadata['a'].b}"));
    assertThat(both.names()).containsExactly("metadata", "request.path");
    assertThat(both.namespaces()).containsExactly("a");
    assertThat(both.and(Reads.NOTHING)).isSameAs(both);
  }
}
