package dev.gatehouse.policy.expr;

import static dev.gatehouse.policy.expr.Request.alice;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problems;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TemplateTest {
  private static final Map<String, Object> CLAIMS = Map.of(
      "account",
      12345678.0,
      "share",
      0.25,
      "tiny",
      0.00000001,
      "huge",
      1e20,
      "admin",
      true,
      "roles",
      List.of("a"),
      "nothing",
      Double.NaN);

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "plain | plain",
        "${auth.sub} | alice",
        "user ${auth.sub} of ${request.host}! | user alice of shop.example.com!",
        "${request.method}${request.url_path} | GET/orders",
        "account ${auth.claims.account} | account 12345678",
        "${auth.claims.share} | 0.25",
        "${auth.claims.tiny} | 0.00000001",
        "${auth.claims.huge} | 100000000000000000000",
        "${auth.claims.admin} | true",
        "${1 + 2}, ${3u}, ${request.method == 'GET'} | 3, 3, true",
        "{\"id\":\"${request.id}\"} | {\"id\":\"4711\"}",
        "${{'a': {'b': '}'}}.a.b} | }",
        "${\"}\" + '{' + \"\\\"}\"} | }{\"}",
        "${'''a'}b'''} | a'}b",
        "${r'\\d}' + '}'} | \\d}}",
        "$${auth.sub} | ${auth.sub}",
        "$$${auth.sub} | $${auth.sub}",
        "$5 {x} } | $5 {x} }",
        "${has(auth.plan) ? auth.plan : 'free'} | free"
      })
  void fills_in_what_stands_between_braces(String text, String rendered)
      throws EvaluationException {
    assertThat(template(text).render(Request.of(alice(CLAIMS)))).isEqualTo(rendered);
  }

  @Test
  void an_empty_text_stays_empty() throws EvaluationException {
    assertThat(template("").render(Request.of(null))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "${auth.claims.absent}",
        "x ${auth.plan}",
        "${auth.claims.roles}",
        "${auth.claims}",
        "${auth.claims.nothing}",
        "${request.headers['absent']}"
      })
  void what_is_absent_or_no_scalar_cannot_be_rendered(String text) {
    var template = template(text);

    assertThatThrownBy(() -> template.render(Request.of(alice(CLAIMS))))
        .isInstanceOf(EvaluationException.class);
  }

  @Test
  void each_expression_that_is_wrong_is_said() {
    assertThat(errors("${request.metod} and ${auth.tenant} and ${request.headers}"))
        .hasSize(3)
        .anySatisfy(e -> assertThat(e).contains("\"request.metod\""))
        .anySatisfy(e -> assertThat(e).contains("\"tenant\""))
        .anySatisfy(e -> assertThat(e).contains("(expected: string, number or bool)"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"a ${auth.sub", "a ${'}", "a ${{'x': 1}", "a ${'''}'}"})
  void an_expression_that_is_not_closed_is_an_error(String text) {
    assertThat(errors(text))
        .singleElement()
        .asString()
        .contains("the ${ in column 3 of", "is not closed");
  }

  @Test
  void an_empty_expression_is_an_error() {
    assertThat(errors("${}")).isNotEmpty();
  }

  private static Template template(String text) {
    var problems = new Problems();
    var template =
        Expressions.template(text, Place.TRANSFORM_REQUEST, Origin.NONE, "spec", problems);
    assertThat(problems.all()).isEmpty();
    return Objects.requireNonNull(template);
  }

  private static List<String> errors(String text) {
    var problems = new Problems();
    assertThat(Expressions.template(text, Place.TRANSFORM_REQUEST, Origin.NONE, "spec", problems))
        .isNull();
    return problems.all().stream().map(Problem::toString).toList();
  }
}
