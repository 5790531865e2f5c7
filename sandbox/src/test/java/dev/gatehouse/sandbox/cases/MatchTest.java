package dev.gatehouse.sandbox.cases;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.dataformat.yaml.YAMLMapper;

final class MatchTest {
  private static final YAMLMapper YAML = YAMLMapper.builder()
      .enable(DeserializationFeature.ACCEPT_SINGLE_VALUE_AS_ARRAY)
      .build();

  @Test
  void a_text_is_the_only_value() {
    assertThat(match("ada").wrong("header x-user", List.of("ada"))).isEmpty();
    assertThat(match("ada").wrong("header x-user", List.of("root", "ada")))
        .containsExactly("header x-user: expected \"ada\", got \"root\", \"ada\"");
    assertThat(match("ada").wrong("header x-user", List.of()))
        .containsExactly("header x-user: expected \"ada\", got none");
  }

  @Test
  void a_list_is_all_values_in_order() {
    assertThat(match("[a, b]").wrong("h", List.of("a", "b"))).isEmpty();
    assertThat(match("[a, b]").wrong("h", List.of("b", "a"))).hasSize(1);
  }

  @Test
  void parts_are_looked_for_in_each_value() {
    var match = match("{contains: car, lacks: [4111], matches: '^\\{'}");

    assertThat(match.wrongText("body", "{card}")).isEmpty();
    assertThat(match.wrongText("body", "card 4111"))
        .containsExactly(
            "body: expected not to contain \"4111\", got \"card 4111\"",
            "body: expected to match \"^\\{\", got \"card 4111\"");
    assertThat(match.wrong("header", List.of())).hasSize(1);
  }

  @Test
  void json_is_compared_as_json() {
    assertThat(match("{json: {a: [1, x]}}").wrongText("body", "{ \"a\": [1,\"x\"] }"))
        .isEmpty();
    assertThat(match("{at: {/a/0: 2, /b: null}}").wrongText("body", "{\"a\":[1],\"b\":3}"))
        .containsExactlyInAnyOrder(
            "body/a/0: expected 2, got 1", "body/b: expected nothing, got 3");
    assertThat(match("{json: {}}").wrongText("body", "no json"))
        .containsExactly("body: expected JSON, got \"no json\"");
  }

  private static Match match(String yaml) {
    return YAML.readValue(yaml, Match.class);
  }
}
