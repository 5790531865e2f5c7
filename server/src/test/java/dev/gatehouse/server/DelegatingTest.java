package dev.gatehouse.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class DelegatingTest {
  /** A default that is not passed on would be silent: ext-authz's refusal is a denial, and the default's is an error, which may let pass. */
  @Test
  void everything_is_passed_on_also_what_has_a_default() {
    var passedOn = Arrays.stream(Delegating.class.getDeclaredMethods())
        .map(Method::getName)
        .toList();
    assertThat(Arrays.stream(Service.class.getMethods())
            .filter(method -> !Modifier.isStatic(method.getModifiers()))
            .map(Method::getName))
        .isNotEmpty()
        .isSubsetOf(passedOn);
  }
}
