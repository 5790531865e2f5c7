package dev.gatehouse.authz.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class ClaimPathTest {
  @Test
  void a_name_with_dots_is_a_path_into_nested_objects() {
    var claims = Map.of("realm", Map.of("access", Map.of("tenant", "acme")));
    assertThat(ClaimPath.of("realm.access.tenant").in(claims)).isEqualTo("acme");
    assertThat(ClaimPath.of("realm.access").in(claims)).isEqualTo(Map.of("tenant", "acme"));
    assertThat(ClaimPath.of("realm.access.tenant.more").in(claims)).isNull();
    assertThat(ClaimPath.of("realm.other").in(claims)).isNull();
    assertThat(ClaimPath.of("realm.access.tenant").top(claims)).isEqualTo("realm");
  }

  @Test
  void a_claim_of_the_whole_name_comes_first() {
    var claims = Map.of("a.b", "whole", "a", Map.of("b", "nested"));
    assertThat(ClaimPath.of("a.b").in(claims)).isEqualTo("whole");
    assertThat(ClaimPath.of("a.b").top(claims)).isEqualTo("a.b");
  }

  @Test
  void names_may_hold_dots_at_any_level() {
    var claims = Map.of("https://shop.example/app", Map.of("v1.roles", Map.of("main", "admin")));
    assertThat(ClaimPath.of("https://shop.example/app.v1.roles.main").in(claims))
        .isEqualTo("admin");
  }

  @Test
  void a_name_of_many_dots_costs_little() {
    var name = "a.".repeat(500) + "a";
    assertThat(ClaimPath.of(name).in(Map.of("a", Map.of("b", 1)))).isNull();
  }

  @Test
  void odd_names_are_no_paths() {
    var claims = Map.of("", Map.of("", 1), "a", Map.of("", 2));
    assertThat(ClaimPath.of(".").in(claims)).isNull();
    assertThat(ClaimPath.of("a.").in(claims)).isEqualTo(2);
  }
}
