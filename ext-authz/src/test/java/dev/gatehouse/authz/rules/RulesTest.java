package dev.gatehouse.authz.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RulesTest {
  @Test
  void a_header_with_several_values_is_unsure_if_one_of_them_counts() {
    var header = new Rule.Header("x-role", Set.of("admin", "a,b"));
    assertThat(header.holds(request("admin"))).isEqualTo(Answer.YES);
    assertThat(header.holds(request("a,b"))).isEqualTo(Answer.YES);
    assertThat(header.holds(request("user,admin"))).isEqualTo(Answer.UNSURE);
    assertThat(header.holds(request("admin, admin"))).isEqualTo(Answer.UNSURE);
    assertThat(header.holds(request("user,guest"))).isEqualTo(Answer.NO);
    assertThat(header.holds(request("Admin"))).isEqualTo(Answer.NO);
    assertThat(header.holds(request(null))).isEqualTo(Answer.NO);
  }

  private static dev.gatehouse.policy.expr.RequestFacts request(@Nullable String role) {
    return new StubRequest(role == null ? Map.of() : Map.of("x-role", role));
  }
}
