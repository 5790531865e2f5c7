package dev.gatehouse.policy.expr;

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

/** Bodies and metadata, which are not there by themselves. */
class BodyExpressionsTest {
  private static final Map<String, Object> BODY = Map.of(
      "id",
      9007199254740993L,
      "price",
      12.5,
      "items",
      List.of(Map.of("sku", "a"), Map.of("sku", "b")),
      "none",
      Expressions.NULL,
      "user",
      Map.of("name", "bob"));

  @ParameterizedTest
  @ValueSource(
      strings = {
        "request.body.user.name == 'bob'",
        "request.body['user']['name'] == 'bob'",
        "has(request.body.user) && !has(request.body.account)",
        "request.body.id == 9007199254740993 && request.body.price > 12",
        "request.body.items.exists(item, item.sku == 'b') && size(request.body.items) == 2",
        "request.body.items[0].sku == 'a'",
        "request.body.none == null && request.body.user != null",
        "type(request.body) == map"
      })
  void conditions_see_a_body_as_json(String cel) throws EvaluationException {
    var request = new Request();
    request.requestBody = BODY;

    assertThat(condition(cel, Place.TRANSFORM_REQUEST).test(request)).isTrue();
  }

  @Test
  void a_body_that_is_not_there_cannot_be_evaluated() {
    var condition = condition("request.body.a == 1", Place.TRANSFORM_REQUEST);

    assertThatThrownBy(() -> condition.test(new Request())).isInstanceOf(EvaluationException.class);
  }

  @Test
  void a_template_writes_whole_numbers_of_a_body_as_they_were() throws EvaluationException {
    var request = new Request();
    request.responseBody = BODY;
    var template = template("${response.body.id} ${response.body.price}", Place.TRANSFORM_RESPONSE);

    assertThat(template.render(request)).isEqualTo("9007199254740993 12.5");
  }

  @Test
  void metadata_is_read_by_namespace_and_no_other_is_asked_for() throws EvaluationException {
    var request = new Request();
    request.metadata = Map.of("a.b", Map.of("tier", "gold"), "other", Map.of("x", "y"));
    var condition = condition(
        "metadata['a.b'].tier == 'gold' && !('none' in metadata)", Place.TRANSFORM_RESPONSE);

    assertThat(condition.test(request)).isTrue();
    assertThat(request.asked).containsOnly("metadata a.b", "metadata none");
  }

  @Test
  void a_condition_and_a_template_say_what_they_read() {
    var condition = condition(
        "has(request.body.a) && metadata.m.a == 'b' || 'n' in metadata", Place.TRANSFORM_REQUEST);
    var template = template(
        "a ${request.body.a} ${metadata['n'].b} ${metadata['m'].b}", Place.TRANSFORM_REQUEST);

    assertThat(condition.reads().reads("request.body")).isTrue();
    assertThat(condition.reads().namespaces()).containsExactly("m", "n");
    assertThat(template.reads().reads("request.body")).isTrue();
    assertThat(template.reads().namespaces()).containsExactly("m", "n");
    assertThat(template("plain", Place.TRANSFORM_REQUEST).reads()).isEqualTo(Reads.NOTHING);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "TRANSFORM_REQUEST | metadata.exists(n, n == 'a') | which metadata is read must stand there",
        "TRANSFORM_REQUEST | metadata[request.method].a == 'b' | which metadata is read must stand there",
        "TRANSFORM_REQUEST | response.body.a == 1 | nothing is called \"response.body\" here",
        "AUTHORIZATION | request.body.a == 1 | nothing is called \"request.body\" here",
        "AUTHORIZATION | metadata['a'].b == 'c' | nothing is called \"metadata\" here"
      })
  void what_is_not_there_in_a_place_is_an_error(Place place, String cel, String message) {
    var problems = new Problems();

    assertThat(Expressions.condition(cel, place, Origin.NONE, "when", problems)).isNull();
    assertThat(problems.all())
        .extracting(Problem::toString)
        .anySatisfy(problem -> assertThat(problem).contains(message));
  }

  @Test
  void what_expressions_yield_is_escaped_and_the_rest_is_not() throws EvaluationException {
    var template = template("/a/${request.url_path}/${request.method}", Place.TRANSFORM_REQUEST);

    assertThat(template.render(new Request(), text -> text.replace("/", "%2F")))
        .isEqualTo("/a/%2Forders/GET");
    assertThat(template("/a", Place.TRANSFORM_REQUEST).render(new Request(), text -> "x"))
        .isEqualTo("/a");
    assertThat(template("${request.url_path}", Place.TRANSFORM_REQUEST)
            .render(new Request(), text -> "x"))
        .isEqualTo("x");
  }

  private static Condition condition(String cel, Place place) {
    var problems = new Problems();
    return Objects.requireNonNull(
        Expressions.condition(cel, place, Origin.NONE, "when", problems),
        () -> problems.all().toString());
  }

  private static Template template(String text, Place place) {
    var problems = new Problems();
    return Objects.requireNonNull(
        Expressions.template(text, place, Origin.NONE, "value", problems),
        () -> problems.all().toString());
  }
}
