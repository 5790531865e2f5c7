package dev.gatehouse.policy.expr;

import static dev.gatehouse.policy.expr.Request.alice;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problems;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConditionTest {
  private static final Origin ORIGIN = new Origin("orders.yaml", 7, 11);

  @ParameterizedTest
  @ValueSource(
      strings = {
        "request.method == 'GET'",
        "request.path == '/orders?page=2' && request.url_path == '/orders'",
        "request.host == 'shop.example.com' && request.scheme == 'https' && request.id == '4711'",
        "request.headers['x-role'] == 'admin'",
        "request.headers.host == 'none' || request.headers['content-type'] == 'text/xml'",
        "'x-role' in request.headers && !('x-other' in request.headers)",
        "has(request.query.page) && request.query.page == '2'",
        "request.headers.exists(name, name.startsWith('x-'))",
        "size(request.headers) == 2",
        "source.address == '192.0.2.1'",
        "route.kind == 'HTTPRoute' && route.namespace == 'shop' && route.name == 'orders' && route.rule == 'create'",
        "has(auth.sub) && auth.sub == 'alice' && auth.method == 'jwt' && auth.iss == 'https://idp'",
        "'orders:read' in auth.scopes",
        "auth.claims.level >= 3 && auth.claims.level < 3.5",
        "auth.claims.realm.roles.exists(role, role == 'admin')",
        "auth.claims['https://shop/tenant'] == 'one'",
        "'level' in auth.claims && !has(auth.claims.other) && !has(auth.plan)",
        "request.url_path.matches('^/or[a-z]+$') && matches(request.method, 'G')",
        "request.host.lowerAscii().split('.')[0] == 'shop'",
        "auth == auth && size(auth) == 5"
      })
  void sees_the_request_and_who_sent_it(String cel) throws EvaluationException {
    var claims = Map.<String, Object>of(
        "level",
        3.0,
        "realm",
        Map.of("roles", List.of("user", "admin")),
        "https://shop/tenant",
        "one");

    assertThat(condition(cel, Place.AUTHORIZATION).test(Request.of(alice(claims))))
        .isTrue();
  }

  @Test
  void has_is_false_of_everything_in_auth_when_nobody_was_authenticated()
      throws EvaluationException {
    var cel = "has(auth.sub) || has(auth.method) || 'claims' in auth || has(auth.plan)";

    assertThat(condition(cel, Place.AUTHORIZATION).test(Request.of(null))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "auth.sub == 'alice'",
        "request.headers['absent'] == 'x'",
        "auth.claims.absent == 'x'",
        "auth.claims.roles.absent == 'x'"
      })
  void what_is_absent_cannot_be_evaluated_and_the_message_quotes_no_value(String cel) {
    var condition = condition(cel, Place.AUTHORIZATION);

    assertThatThrownBy(() -> condition.test(Request.of(null)))
        .isInstanceOf(EvaluationException.class)
        .hasMessage("`" + cel
            + "` cannot be evaluated: it names what is not there (ask has() or in before)");
  }

  @Test
  void an_error_does_not_quote_what_the_client_sent() {
    var condition = condition("int(request.headers['x-role']) > 3", Place.AUTHORIZATION);

    assertThatThrownBy(() -> condition.test(Request.of(null)))
        .isInstanceOf(EvaluationException.class)
        .hasMessageNotContaining("admin");
  }

  @Test
  void a_claim_that_turns_out_to_be_no_bool_cannot_be_evaluated() {
    var condition = condition("auth.claims.admin", Place.AUTHORIZATION);

    assertThatThrownBy(() -> condition.test(Request.of(alice(Map.of("admin", "yes")))))
        .isInstanceOf(EvaluationException.class)
        .hasMessage("`auth.claims.admin` yields no bool");
  }

  @Test
  void a_claim_that_is_a_bool_is_a_condition() throws EvaluationException {
    var condition = condition("auth.claims.admin", Place.AUTHORIZATION);

    assertThat(condition.test(Request.of(alice(Map.of("admin", true))))).isTrue();
  }

  @Test
  void a_claim_that_is_null_counts_as_absent() throws EvaluationException {
    var claims = new HashMap<String, Object>();
    claims.put("nickname", null);
    claims.put("deep", Collections.singletonMap("x", null));
    claims.put("list", Arrays.asList("a", null));
    var condition = condition(
        "!has(auth.claims.nickname) && !has(auth.claims.deep.x) && auth.claims.list == ['a']",
        Place.AUTHORIZATION);

    assertThat(condition.test(Request.of(alice(claims)))).isTrue();
  }

  @Test
  void response_steps_see_the_response() throws EvaluationException {
    var request = Request.of(null);
    request.responseCode = 503;

    assertThat(condition(
                "response.code >= 500 && response.headers.server == 'nginx' && request.method == 'GET'",
                Place.TRANSFORM_RESPONSE)
            .test(request))
        .isTrue();
  }

  @Test
  void only_what_is_named_is_asked_for() throws EvaluationException {
    var request = Request.of(null);

    condition("request.headers['x-role'] == 'admin' || request.path == '/'", Place.AUTHORIZATION)
        .test(request);

    assertThat(request.asked).containsExactly("header x-role");
  }

  @Test
  void a_misspelt_name_is_an_error_that_says_what_there_is() {
    assertThat(errors("request.metod == 'GET'", Place.AUTHORIZATION))
        .containsExactly(
            "orders.yaml:7:11: spec.rules[0].cel: nothing is called \"request.metod\" here (did you mean \"request.method\"? there are: auth.claims, auth.iss, auth.method, auth.plan, auth.scopes, auth.sub, request.headers, request.host, request.id, request.method and 9 more), in column 1 of `request.metod == 'GET'`");
  }

  @Test
  void a_misspelt_key_of_auth_is_an_error() {
    assertThat(errors("request.method == 'GET' && auth.tenant == 'a'", Place.AUTHORIZATION))
        .containsExactly(
            "orders.yaml:7:11: spec.rules[0].cel: auth holds no \"tenant\" (there are: claims, iss, method, plan, scopes, sub); a token's claims are in auth.claims, in column 28 of `request.method == 'GET' && auth.tenant == 'a'`");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "request.method = 'POST' | `=` is no operator (to compare write ==), in column 16",
        "request.method === 'POST' | `=` is no operator (to compare write ==), in column 18",
        "request.method == 'POST' and true | `and` is no operator (write &&), in column 26",
        "request.method == 'POST' or true | `or` is no operator (write ||), in column 26",
        "has(request.headers['x-a']) | for a header write 'x-a' in request.headers",
        "request.headers.x-kind == 'a' | write request.headers['x-a']",
        "request.path.startWith('/x') | there is no function \"startWith\" (did you mean \"startsWith\"?), in column",
        "nobodys(request.path) | there is no function \"nobodys\", in column",
        "request.path == 7 | `==` does not go with (string, int): compare what is of one type",
        "request.path + 7 == 'a' | `+` does not go with (string, int), in column",
        "request.path.contains(7) | `contains` does not go with string.(int) (expected: string.(string)), in column",
        "request.path == | something is missing at its end, in column",
        "request.path == 'a' 'b' | `'b'` is not expected here, in column"
      })
  void a_mistake_that_people_make_who_know_other_languages_is_told_how_to_write_it(
      String cel, String lesson) {
    assertThat(errors(cel, Place.AUTHORIZATION))
        .anySatisfy(error -> assertThat(error).contains(lesson));
  }

  @Test
  void there_is_no_response_before_it_came() {
    assertThat(errors("response.code == 200", Place.AUTHORIZATION))
        .singleElement()
        .asString()
        .contains("nothing is called \"response.code\" here (the response comes later: ");
    assertThat(errors("response.code == 200", Place.TRANSFORM_REQUEST)).hasSize(1);
    assertThat(errors("response.cod == 200", Place.TRANSFORM_RESPONSE))
        .singleElement()
        .asString()
        .contains("(did you mean \"response.code\"? there are: ");
  }

  @Test
  void the_column_is_of_the_expressions_own_line_when_it_has_several() {
    assertThat(errors("request.method == 'GET' &&\n  who == 'me'", Place.AUTHORIZATION))
        .singleElement()
        .asString()
        .contains("nothing is called \"who\" here")
        .endsWith(", in line 2, column 3 of the expression");
  }

  @Test
  void a_header_name_in_upper_case_is_an_error_because_it_never_holds() {
    assertThat(errors("request.headers['X-Role'] == 'admin'", Place.AUTHORIZATION))
        .singleElement()
        .asString()
        .contains("header names are in lower case here: \"X-Role\" never holds (write \"x-role\")");
  }

  @ParameterizedTest
  @ValueSource(strings = {"request.method", "1 + 1", "auth.scopes == 1 ? 'a' : 'b'"})
  void what_is_no_bool_is_no_condition(String cel) {
    assertThat(errors(cel, Place.AUTHORIZATION))
        .singleElement()
        .asString()
        .contains("(expected: bool)");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "request.method ==",
        "request.method == 'GET",
        "unknown(request.method)",
        "request.method == 1",
        "request.method.matches('(')",
        "request.method.matches('((a{1000}){1000}){1000}')",
        "request.method.matches(request.path)",
        "request.headers.all(name, name.matches(name))"
      })
  void what_cannot_work_is_an_error_when_policies_load(String cel) {
    assertThat(errors(cel, Place.AUTHORIZATION)).isNotEmpty();
  }

  @Test
  void an_expression_longer_than_the_limit_is_an_error() {
    var longOne = "request.method == '" + "x".repeat(10_000) + "'";

    assertThat(errors(longOne, Place.AUTHORIZATION)).isNotEmpty();
  }

  @Test
  void an_evaluation_ends_after_its_steps() {
    var hundred = Collections.nCopies(100, (Object) "x");
    var condition = condition(
        "auth.claims.l.all(a, auth.claims.l.all(b, auth.claims.l.all(c, a == b && b == c)))",
        Place.AUTHORIZATION);

    assertThatThrownBy(() -> condition.test(Request.of(alice(Map.of("l", hundred)))))
        .isInstanceOf(EvaluationException.class)
        .hasMessageContaining("iteration budget exceeded");
  }

  private static Condition condition(String cel, Place place) {
    var problems = new Problems();
    var condition = Expressions.condition(cel, place, ORIGIN, "spec.rules[0].cel", problems);
    assertThat(problems.all()).isEmpty();
    return Objects.requireNonNull(condition);
  }

  private static List<String> errors(String cel, Place place) {
    var problems = new Problems();
    assertThat(Expressions.condition(cel, place, ORIGIN, "spec.rules[0].cel", problems))
        .isNull();
    return problems.all().stream().map(Problem::toString).toList();
  }
}
