package dev.gatehouse.extproc.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonEditsTest {
  @Test
  void untouched_bytes_stay_as_they_were() throws Exception {
    var json =
        " { \"n\" : 1.50e+3 ,\n\t\"s\":\"\\u00e4\\/\", \"card\": \"4111111111111111\" , \"z\":[ ] } ";
    assertThat(apply(json, mask("/card", 4)))
        .isEqualTo(
            " { \"n\" : 1.50e+3 ,\n\t\"s\":\"\\u00e4\\/\", \"card\": \"************1111\" , \"z\":[ ] } ");
  }

  @Test
  void nothing_to_do_gives_the_very_same_bytes() throws Exception {
    var in = "{\"a\":1}".getBytes(StandardCharsets.UTF_8);
    assertThat(JsonEdits.of(List.of(mask("/b", 0), remove("/c/d"))).apply(in)).isSameAs(in);
  }

  @Test
  void a_star_is_any_element_or_member() throws Exception {
    assertThat(apply("{\"a\":[{\"c\":\"12\"},{\"c\":\"34\"}]}", mask("/a/*/c", 1)))
        .isEqualTo("{\"a\":[{\"c\":\"*2\"},{\"c\":\"*4\"}]}");
    assertThat(apply("{\"a\":{\"x\":{\"c\":\"12\"},\"y\":{\"c\":\"34\"}}}", mask("/a/*/c", 1)))
        .isEqualTo("{\"a\":{\"x\":{\"c\":\"*2\"},\"y\":{\"c\":\"*4\"}}}");
  }

  @Test
  void a_duplicated_member_does_not_evade_a_mask() throws Exception {
    assertThat(apply("{\"card\":\"12\",\"card\":\"34\"}", mask("/card", 0)))
        .isEqualTo("{\"card\":\"**\",\"card\":\"**\"}");
  }

  @Test
  void an_escaped_name_does_not_evade_a_mask() throws Exception {
    assertThat(apply("{\"c\\u0061rd\":\"12\"}", mask("/card", 0)))
        .isEqualTo("{\"c\\u0061rd\":\"**\"}");
  }

  @Test
  void another_type_does_not_evade_a_mask() throws Exception {
    assertThat(apply("{\"card\":4111111111111111}", mask("/card", 4)))
        .isEqualTo("{\"card\":\"************1111\"}");
    assertThat(apply("{\"card\":[\"4111\",{\"no\":42,\"ok\":true,\"x\":null}]}", mask("/card", 0)))
        .isEqualTo("{\"card\":[\"****\",{\"no\":\"**\",\"ok\":\"****\",\"x\":null}]}");
  }

  @Test
  void a_masked_boolean_does_not_tell_which_it_was() throws Exception {
    for (var keep : List.of(0, 1, 4)) {
      assertThat(apply("{\"ok\":true,\"no\" : false}", mask("/ok", keep), mask("/no", keep)))
          .isEqualTo("{\"ok\":\"****\",\"no\" : \"****\"}");
      assertThat(apply("false", mask("", keep))).isEqualTo("\"****\"");
    }
  }

  @Test
  void a_short_value_is_masked_whole() throws Exception {
    assertThat(apply("{\"card\":\"123\"}", mask("/card", 4))).isEqualTo("{\"card\":\"***\"}");
    assertThat(apply("{\"card\":\"1234\"}", mask("/card", 4))).isEqualTo("{\"card\":\"****\"}");
  }

  @Test
  void characters_are_masked_not_bytes_and_what_is_kept_stays_a_json_string() throws Exception {
    assertThat(apply("{\"s\":\"aä😀\\\"\\n\"}", mask("/s", 2)))
        .isEqualTo("{\"s\":\"***\\\"\\u000a\"}");
  }

  @Test
  void removals_see_to_the_commas() throws Exception {
    assertThat(apply("{\"a\":1, \"b\":2, \"c\":3}", remove("/a"))).isEqualTo("{\"b\":2, \"c\":3}");
    assertThat(apply("{\"a\":1, \"b\":2, \"c\":3}", remove("/b"))).isEqualTo("{\"a\":1, \"c\":3}");
    assertThat(apply("{\"a\":1, \"b\":2, \"c\":3}", remove("/c"))).isEqualTo("{\"a\":1, \"b\":2}");
    assertThat(apply("{ \"a\":1 }", remove("/a"))).isEqualTo("{  }");
    assertThat(apply("{\"a\":1,\"b\":2,\"c\":3}", remove("/a"), remove("/b"), remove("/c")))
        .isEqualTo("{}");
    assertThat(apply("[1,2,3]", remove("/*"))).isEqualTo("[]");
    assertThat(apply("[1,2,3]", remove("/0"), remove("/2"))).isEqualTo("[2]");
  }

  @Test
  void a_rename_takes_the_place_of_the_one_that_bears_the_name() throws Exception {
    assertThat(apply("{\"usr\":1,\"user\":2}", rename("/usr", "user"))).isEqualTo("{\"user\":1}");
    assertThat(apply("{\"user\":2,\"x\":3,\"usr\":1}", rename("/usr", "user")))
        .isEqualTo("{\"x\":3,\"user\":1}");
    assertThat(apply("{\"user\":2}", rename("/usr", "user"))).isEqualTo("{\"user\":2}");
    assertThat(apply("{\"b\":{\"b\":{},\"x\":{}},\"a\":{\"b\":1}}", rename("/**/a", "b")))
        .isEqualTo("{\"b\":{\"b\":1}}");
  }

  @Test
  void a_set_replaces_adds_and_makes_what_is_missing_on_the_way() throws Exception {
    assertThat(apply("{\"a\":1}", set("/a", "\"x\""))).isEqualTo("{\"a\":\"x\"}");
    assertThat(apply("{\"a\":1 }", set("/b", "2"))).isEqualTo("{\"a\":1,\"b\":2 }");
    assertThat(apply("{}", set("/meta/source", "\"gateway\"")))
        .isEqualTo("{\"meta\":{\"source\":\"gateway\"}}");
    assertThat(apply("[1]", set("/-", "2"))).isEqualTo("[1,2]");
    assertThat(apply("[]", set("/0", "2"))).isEqualTo("[2]");
    assertThat(apply("[{\"a\":1},{}]", set("/*/a", "0"))).isEqualTo("[{\"a\":0},{\"a\":0}]");
    assertThat(apply("[1]", set("", "{}"))).isEqualTo("{}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"meta\":1}",
        "{\"meta\":[]}",
        "{\"meta\":null}",
        "7",
        "{\"meta\":{},\"meta\":\"x\"}"
      })
  void nobody_keeps_a_set_out_by_putting_something_in_its_way(String json) {
    assertThatThrownBy(() -> apply(json, set("/meta/source", "1")))
        .isInstanceOf(UnprocessableBody.class)
        .hasMessageContaining("/meta/source");
  }

  @Test
  void edits_happen_in_order_when_they_meet() throws Exception {
    assertThat(apply("{\"usr\":{\"n\":\"12\"}}", rename("/usr", "user"), mask("/user/n", 0)))
        .isEqualTo("{\"user\":{\"n\":\"**\"}}");
    assertThat(apply("{\"a\":{\"b\":\"12\",\"c\":\"3\"}}", mask("/a", 0), remove("/a/b")))
        .isEqualTo("{\"a\":{\"c\":\"*\"}}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "{",
        "{\"a\"}",
        "{\"a\":1,}",
        "[1,]",
        "{a:1}",
        "{'a':1}",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "nul",
        "NaN",
        "\"\n\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "{} {}",
        "{}x",
        "// c\n{}",
        "<a/>",
        "[1 2]",
        "{\"a\":1 \"b\":2}",
        "\"abc"
      })
  void what_is_no_json_text_is_unprocessable(String text) {
    assertThatThrownBy(() -> apply(text, mask("/a", 0))).isInstanceOf(UnprocessableBody.class);
  }

  @Test
  void utf_8_is_read_strictly_so_that_no_overlong_name_evades_a_mask() {
    var overlong = new byte[] {'{', '"', (byte) 0xc1, (byte) 0xa1, '"', ':', '1', '}'};
    var surrogate = new byte[] {'"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"'};
    var utf16 = "{\"a\":1}".getBytes(StandardCharsets.UTF_16LE);
    for (var body : List.of(overlong, surrogate, utf16)) {
      assertThatThrownBy(() -> JsonEdits.of(List.of(mask("/a", 0))).apply(body))
          .isInstanceOf(UnprocessableBody.class);
    }
  }

  @Test
  void deep_nesting_is_unprocessable_and_not_an_overflow() throws Exception {
    var deep = "[".repeat(10_000) + "]".repeat(10_000);
    assertThatThrownBy(() -> apply(deep, mask("/a", 0)))
        .isInstanceOf(UnprocessableBody.class)
        .hasMessageContaining("512");
    assertThatThrownBy(() -> apply("{\"a\":" + deep + "}", mask("/a", 0)))
        .isInstanceOf(UnprocessableBody.class);
    var atTheBound = "[".repeat(512) + "]".repeat(512);
    assertThat(apply(atTheBound, mask("/a", 0))).isEqualTo(atTheBound);
  }

  @Test
  void a_small_body_cannot_be_made_a_huge_one() {
    var many = "[" + "{},".repeat(100_000) + "{}]";
    var value = "\"" + "x".repeat(60_000) + "\"";
    assertThatThrownBy(() -> apply(many, set("/*/x", value)))
        .isInstanceOf(UnprocessableBody.class)
        .hasMessageContaining("too large");
  }

  @Test
  void a_pointer_is_read_by_rfc_6901() throws Exception {
    assertThat(apply(
            "{\"a/b\":\"1\",\"~\":\"2\",\"\":\"3\"}",
            mask("/a~1b", 0),
            mask("/~0", 0),
            mask("/", 0)))
        .isEqualTo("{\"a/b\":\"*\",\"~\":\"*\",\"\":\"*\"}");
    assertThatThrownBy(() -> JsonPath.parse("a")).hasMessageContaining("begins with /");
    assertThatThrownBy(() -> JsonPath.parse("/a~2")).hasMessageContaining("~0");
  }

  @Test
  void values_may_be_given_for_each_text_without_compiling_again() throws Exception {
    var edits = JsonEdits.of(List.of(
        JsonEdit.Set.given(JsonPath.parse("/m/a"), 0),
        JsonEdit.Default.given(JsonPath.parse("/m/b"), 1),
        set("/m/c", "3"),
        mask("/card", 0)));
    var json = "{\"card\":\"1\"}".getBytes(StandardCharsets.UTF_8);
    assertThat(new String(edits.with(List.of("1", "[2]")).apply(json), StandardCharsets.UTF_8))
        .isEqualTo("{\"card\":\"*\",\"m\":{\"a\":1,\"b\":[2],\"c\":3}}");
    json = "{\"m\":{\"a\":0,\"b\":0}}".getBytes(StandardCharsets.UTF_8);
    assertThat(new String(edits.with(List.of("\"x\"", "2")).apply(json), StandardCharsets.UTF_8))
        .isEqualTo("{\"m\":{\"a\":\"x\",\"b\":0,\"c\":3}}");
    assertThatThrownBy(() -> edits.with(List.of("1"))).hasMessageContaining("expected: 2");
    assertThatThrownBy(() -> edits.apply("{}".getBytes(StandardCharsets.UTF_8)))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void two_stars_are_any_number_of_levels() throws Exception {
    assertThat(apply(
            "{\"card\":\"1\",\"a\":[{\"card\":\"2\"},[[{\"b\":{\"card\":\"3\"}}]]],\"cards\":\"4\"}",
            mask("/**/card", 0)))
        .isEqualTo(
            "{\"card\":\"*\",\"a\":[{\"card\":\"*\"},[[{\"b\":{\"card\":\"*\"}}]]],\"cards\":\"4\"}");
    assertThat(apply(
            "{\"x\":{\"no\":\"1\"},\"a\":{\"y\":{\"no\":\"2\"},\"no\":\"3\"}}",
            mask("/a/**/no", 0)))
        .isEqualTo("{\"x\":{\"no\":\"1\"},\"a\":{\"y\":{\"no\":\"*\"},\"no\":\"*\"}}");
    assertThat(apply("{\"a\":{\"x\":{\"c\":{\"d\":1}}},\"c\":{\"d\":2}}", remove("/**/c/d")))
        .isEqualTo("{\"a\":{\"x\":{\"c\":{}}},\"c\":{}}");
  }

  @Test
  void masks_that_meet_both_hide() throws Exception {
    var json = "{\"a\":{\"card\":\"12345\"},\"card\":\"123\"}";
    assertThat(apply(json, mask("/**/card", 4), mask("/a", 2)))
        .isEqualTo("{\"a\":{\"card\":\"***45\"},\"card\":\"***\"}");
    assertThat(apply("{\"card\":\"123\"}", mask("/card", 4), mask("/**/card", 2)))
        .isEqualTo("{\"card\":\"***\"}");
  }

  @Test
  void a_set_below_two_stars_replaces_and_adds_nothing() throws Exception {
    assertThat(apply("{\"a\":{\"v\":1},\"b\":{},\"v\":[2]}", set("/**/v", "0")))
        .isEqualTo("{\"a\":{\"v\":0},\"b\":{},\"v\":0}");
  }

  @Test
  void a_default_is_added_only_where_nothing_is() throws Exception {
    assertThat(apply("{\"a\":null}", ready("/a", "1"), ready("/b", "2")))
        .isEqualTo("{\"a\":null,\"b\":2}");
    assertThat(apply("{}", ready("/m/a", "1"), ready("/m/b", "2")))
        .isEqualTo("{\"m\":{\"a\":1,\"b\":2}}");
    assertThat(apply("[{\"a\":1},{}]", ready("/*/a", "0"))).isEqualTo("[{\"a\":1},{\"a\":0}]");
    assertThat(apply("{\"m\":7}", ready("/m/a", "1"))).isEqualTo("{\"m\":7}");
    assertThat(apply("{\"\\u0061\":1}", ready("/a", "2"))).isEqualTo("{\"\\u0061\":1}");
    assertThatThrownBy(() -> ready("/**/a", "1")).hasMessageContaining("no **");
    assertThatThrownBy(() -> ready("/a/*", "1")).hasMessageContaining("can be missing");
    assertThatThrownBy(() -> ready("/a/-", "1")).hasMessageContaining("can be missing");
  }

  @Test
  void a_move_takes_a_value_as_it_is_written_to_another_place() throws Exception {
    assertThat(apply(
            "{\"to\":0,\"from\":{ \"x\" : 1.0 },\"z\":1}", JsonSplicerTest.move("/from", "/to")))
        .isEqualTo("{\"to\":{ \"x\" : 1.0 },\"z\":1}");
    assertThat(apply("{\"a\":{\"b\":[1]}}", JsonSplicerTest.move("/a/b", "/x/y")))
        .isEqualTo("{\"a\":{},\"x\":{\"y\":[1]}}");
    assertThat(apply("{\"a\":{\"b\":7}}", JsonSplicerTest.move("/a/b", "/a")))
        .isEqualTo("{\"a\":7}");
    assertThat(apply(
            "[{\"ref\":{\"id\":1}},{\"ref\":{}},{\"id\":3,\"ref\":{\"id\":4}}]",
            JsonSplicerTest.move("/*/ref/id", "/*/id")))
        .isEqualTo("[{\"ref\":{},\"id\":1},{\"ref\":{}},{\"id\":4,\"ref\":{}}]");
    var without = "{\"b\":1}".getBytes(StandardCharsets.UTF_8);
    assertThat(JsonEdits.of(List.of(JsonSplicerTest.move("/a", "/b"))).apply(without))
        .isSameAs(without);
  }

  @Test
  void a_move_says_what_it_cannot_do() {
    assertThatThrownBy(() -> JsonSplicerTest.move("/a", "/a/b"))
        .hasMessageContaining("into itself");
    assertThatThrownBy(() -> JsonSplicerTest.move("/a/*", "/b"))
        .hasMessageContaining("which goes where");
    assertThatThrownBy(() -> JsonSplicerTest.move("/**/a", "/b"))
        .hasMessageContaining("without **");
    assertThatThrownBy(() -> apply("{\"a\":1,\"b\":2}", JsonSplicerTest.move("/a", "/b/c")))
        .isInstanceOf(UnprocessableBody.class)
        .hasMessageContaining("/b/c");
  }

  static JsonEdit ready(String at, String value) {
    return new JsonEdit.Default(JsonPath.parse(at), value);
  }

  static JsonEdit mask(String at, int keepLast) {
    return new JsonEdit.Mask(JsonPath.parse(at), keepLast);
  }

  static JsonEdit remove(String at) {
    return new JsonEdit.Remove(JsonPath.parse(at));
  }

  static JsonEdit rename(String at, String to) {
    return new JsonEdit.Rename(JsonPath.parse(at), to);
  }

  static JsonEdit set(String at, String value) {
    return new JsonEdit.Set(JsonPath.parse(at), value);
  }

  static String apply(String json, JsonEdit... edits) throws UnprocessableBody {
    return new String(
        JsonEdits.of(List.of(edits)).apply(json.getBytes(StandardCharsets.UTF_8)),
        StandardCharsets.UTF_8);
  }
}
