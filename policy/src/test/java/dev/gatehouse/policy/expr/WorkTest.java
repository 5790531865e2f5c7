package dev.gatehouse.policy.expr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a client can make an evaluation cost. Without the bound each of these yields a bool, most of them after seconds. */
class WorkTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "request.headers.a.split(',').exists(a, a in request.headers.b.split(','))",
        "request.headers.a.split(',').all(a, request.headers.a.split(',') == request.headers.a.split(','))",
        "request.headers.a.split(',').map(a, a).size() == 1",
        "request.headers.a.split(',').filter(a, a != 'x').size() == 1",
        "request.headers.a.split(',').exists(a, int(a) == 3) || true",
        "request.headers.a.split(',').exists(a, (a + request.headers.b).size() == 1)",
        "request.headers.a.split(',').exists(a, request.headers.b.lowerAscii() == a)",
        "request.headers.a.split(',').exists(a, request.headers.b < a + request.headers.b)",
        "request.headers.a.split(',').exists(a, bytes(request.headers.b) == b'')",
        "request.headers.a.split(',').exists(a, request.headers.b.matches('x$'))",
        "request.headers.a.matches('(x?[a-z,]){1,900}y') && false",
        "request.headers.a.indexOf(request.headers.b) > 0",
        "request.headers.a.lastIndexOf(request.headers.b) > 0",
        "request.headers.a.split(request.headers.b).size() == 0",
        "request.headers.a.split(',').exists(a, request.headers.b.contains(a + '!'))",
        "request.query.exists(q, request.query[q] == 'none')",
        "request.query.all(q, request.query.exists(other, true))",
        "request.headers.a.split(',').map(a, a).size() == 1 || true"
      })
  void an_evaluation_that_costs_too_much_fails_whatever_else_holds(String cel) {
    var condition = condition(cel);
    var request = request();

    assertThatThrownBy(() -> condition.test(request))
        .isInstanceOf(EvaluationException.class)
        .hasMessage("`" + cel + "` cannot be evaluated: it costs too much over what was sent");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "!request.headers.a.split(',').exists(a, a.trim() == 'none')",
        "request.headers.a.contains('a,a') && !request.headers.a.contains(request.headers.b)",
        "request.headers.a.indexOf('session=') == -1 && request.headers.b.lastIndexOf(',') > 0",
        "request.headers['list'].split(',').map(a, a.trim()).filter(a, a == 'z').size() == 1",
        "request.headers.a.matches('^[a-z,]+$')",
        "request.query.exists(q, q == 'q17')"
      })
  void what_people_write_may_look_at_all_that_a_proxy_lets_through(String cel)
      throws EvaluationException {
    assertThat(condition(cel).test(request())).isTrue();
  }

  @Test
  void the_next_evaluation_has_all_that_it_may_cost() throws EvaluationException {
    var cheap = condition("request.headers.b.contains('b')");
    var dear = condition("request.headers.a.split(',').map(a, a).size() == 1");
    assertThatThrownBy(() -> dear.test(request())).isInstanceOf(EvaluationException.class);

    assertThat(cheap.test(request())).isTrue();
  }

  @Test
  void an_evaluation_ends_when_nobody_waits_for_it_any_more() {
    var condition = condition("request.headers.a.split(',').exists(a, a == 'none')");
    Thread.currentThread().interrupt();
    try {
      assertThatThrownBy(() -> condition.test(request()))
          .isInstanceOf(EvaluationException.class)
          .hasMessageContaining("nobody waits for it any more");
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @Test
  void an_expression_without_loop_or_search_is_not_counted() throws EvaluationException {
    var request = request();
    request.auth = Request.alice(Map.of());
    request.headers = Map.of("a", "a".repeat((int) (2 * Work.QUICK)));

    assertThat(condition("request.headers.a != 'GET' && 'orders:read' in auth.scopes")
            .test(request))
        .isTrue();
  }

  /** Headers of 48 KB together, as Envoy lets them through, and a query of as much. */
  private static Request request() {
    var request = new Request();
    var headers = new HashMap<String, String>();
    headers.put("a", "a,".repeat(9_000) + "a");
    headers.put("b", "b,".repeat(15_000) + "c");
    headers.put("list", "y, ".repeat(200) + "z");
    request.headers = headers;
    request.query =
        IntStream.range(0, 9_000).boxed().collect(Collectors.toMap(i -> "q" + i, i -> ""));
    return request;
  }

  private static Condition condition(String cel) {
    var problems = new Problems();
    return Objects.requireNonNull(
        Expressions.condition(cel, Place.AUTHORIZATION, Origin.NONE, "when", problems),
        () -> problems.all().toString());
  }
}
