package dev.gatehouse.authz.rules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.gatehouse.policy.resource.StringMatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PathConditionTest {
  @ParameterizedTest
  @CsvSource({
    "EXACT, /a, /a, YES",
    "EXACT, /a, /a/, NO",
    "EXACT, /a, /A, NO",
    "PATH_PREFIX, /a, /a, YES",
    "PATH_PREFIX, /a, /a/, YES",
    "PATH_PREFIX, /a, /a/b, YES",
    "PATH_PREFIX, /a, /ab, NO",
    "PATH_PREFIX, /a/, /a, YES",
    "PATH_PREFIX, /a/, /a/b, YES",
    "PATH_PREFIX, /a/, /ab, NO",
    "PATH_PREFIX, /, /, YES",
    "PATH_PREFIX, /, /a/b, YES",
    "REGULAR_EXPRESSION, /a/[0-9]+, /a/12, YES",
    "REGULAR_EXPRESSION, /a/[0-9]+, /a/12/b, NO",
    "REGULAR_EXPRESSION, /a/[0-9]+, /x/a/12, NO",
    "EXACT, /a%20b, /a%20b, YES",
    "EXACT, /a%20b, /a%20c, NO",
    "REGULAR_EXPRESSION, /a/[^/]+, /a/b%20c, YES",
    "PATH_PREFIX, /a, /a/%C3%A9.txt, YES",
    "PATH_PREFIX, /a, /a/.hidden, YES",
    "PATH_PREFIX, /a, /a/..., YES",
    "PATH_PREFIX, /a, /a/b..c, YES"
  })
  void paths_are_compared(StringMatch.Type type, String value, String path, Answer answer) {
    assertThat(PathCondition.of(new StringMatch(type, value), false).holds(path))
        .isEqualTo(answer);
  }

  @Test
  void an_inverted_one_holds_for_every_other_path() {
    var notPublic = PathCondition.of(new StringMatch(StringMatch.Type.PATH_PREFIX, "/a"), true);

    assertThat(notPublic.holds("/a")).isEqualTo(Answer.NO);
    assertThat(notPublic.holds("/a/b")).isEqualTo(Answer.NO);
    assertThat(notPublic.holds("/ab")).isEqualTo(Answer.YES);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "a",
        "*",
        "//",
        "/a//b",
        "/.",
        "/..",
        "/a/.",
        "/a/..",
        "/a/./b",
        "/a/../b",
        "/a;b",
        "/a;/b",
        "/a#b",
        "/a\\b",
        "/a?b",
        "/a b",
        "/a%",
        "/a%2",
        "/a%zz",
        "/a%2f",
        "/a%2F",
        "/a%5c",
        "/a%2e",
        "/a%3b",
        "/a%23",
        "/a%3f",
        "/a%25",
        "/a%00",
        "/a%0a",
        "/a%7f",
        "/\u00e9",
        "/a\n",
        "/a%c0%af",
        "/a%c0%ae%c0%ae/b",
        "/a%e9",
        "/a%\uff12\uff10"
      })
  void a_path_with_two_meanings_is_unsure(String path) {
    for (var type : new StringMatch.Type[] {
      StringMatch.Type.EXACT, StringMatch.Type.PATH_PREFIX, StringMatch.Type.REGULAR_EXPRESSION
    }) {
      for (var inverted : new boolean[] {false, true}) {
        assertThat(PathCondition.of(new StringMatch(type, "/a"), inverted).holds(path))
            .isEqualTo(Answer.UNSURE);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "EXACT, /admin, /%61dmin",
    "EXACT, /a b, /a%20b",
    "EXACT, /%61dmin, /admin",
    "PATH_PREFIX, /admin, /%61dmin/x",
    "PATH_PREFIX, /caf\u00e9, /caf%C3%A9/x",
    "REGULAR_EXPRESSION, /[^a]*, /%61dmin",
    "REGULAR_EXPRESSION, /a(/.*)?, /%61/b"
  })
  void an_escape_that_makes_a_difference_is_unsure(
      StringMatch.Type type, String value, String path) {
    assertThat(PathCondition.of(new StringMatch(type, value), false).holds(path))
        .isEqualTo(Answer.UNSURE);
  }

  @Test
  void a_bad_expression_is_refused_when_it_is_compiled() {
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            PathCondition.of(new StringMatch(StringMatch.Type.REGULAR_EXPRESSION, "(?=a)"), false))
        .withMessageContaining("RE2");
  }
}
