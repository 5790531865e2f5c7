package dev.gatehouse.policy.expr;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class ReadsTest {
  @Test
  void a_condition_names_its_variables_and_their_members() {
    assertThat(condition(
                "request.headers['x-a'] == 'request.body' && has(auth.claims.plan) && response.code > 400")
            .names())
        .containsExactly("auth.claims.plan", "request.headers", "response.code");
  }

  @Test
  void a_variable_inside_a_macro_is_found_too() {
    assertThat(condition("request.body.items.exists(i, i.price > 3)").reads("request.body"))
        .isTrue();
  }

  @Test
  void a_template_reads_what_stands_between_its_braces() {
    var reads = template("request.body ${source.address} $${request.path} ${auth.sub}");
    assertThat(reads.names()).containsExactly("auth.sub", "source.address");
    assertThat(reads.reads("source.address")).isTrue();
    assertThat(reads.reads("source.addr")).isFalse();
    assertThat(reads.reads("request")).isFalse();
  }

  @Test
  void metadata_is_read_by_namespace() {
    assertThat(condition(
                "metadata['my.filter'].tier == 'gold' || metadata.plain.x == 1 || has(metadata['third'].y)")
            .namespaces())
        .containsExactly("my.filter", "plain", "third");
  }

  @Test
  void two_together_read_what_either_does() {
    var both = condition("request.path == ''").and(template("${metadata['a'].b}"));
    assertThat(both.names()).containsExactly("metadata", "request.path");
    assertThat(both.namespaces()).containsExactly("a");
    assertThat(both.and(Reads.NOTHING)).isSameAs(both);
  }

  private static Reads condition(String cel) {
    var problems = new Problems();
    var compiled = Expressions.condition(cel, Place.TRANSFORM_RESPONSE, Origin.NONE, "", problems);
    return Objects.requireNonNull(compiled, () -> problems.all().toString()).reads();
  }

  private static Reads template(String text) {
    var problems = new Problems();
    var compiled = Expressions.template(text, Place.TRANSFORM_RESPONSE, Origin.NONE, "", problems);
    return Objects.requireNonNull(compiled, () -> problems.all().toString()).reads();
  }
}
