package dev.gatehouse.policy.resource;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RegexSizeTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "/orders/[0-9]{1,10}",
        "(a{100}){9}",
        "[{]{1000}",
        "\\{9999\\}",
        "a{,9}",
        "(?:[a-z]{1,63}\\.){1,8}[a-z]{2,63}",
        "[]{2,3}]{99}"
      })
  void what_a_policy_writes_is_small(String regex) {
    assertThat(RegexSize.of(regex)).isLessThanOrEqualTo(RegexSize.MAX);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "((a{1000}){1000}){1000}",
        "(((((a{30}){30}){30}){30}){30})",
        "(a{200}){200}",
        "(a|b{50}|(c{99}){99}){9}",
        "(((a{100,}){100,}))"
      })
  void nested_repetitions_multiply(String regex) {
    assertThat(RegexSize.of(regex)).isGreaterThan(RegexSize.MAX);
  }
}
