package dev.gatehouse.extproc.json;

import static dev.gatehouse.extproc.json.JsonEditsTest.apply;
import static dev.gatehouse.extproc.json.JsonEditsTest.mask;
import static dev.gatehouse.extproc.json.JsonEditsTest.remove;
import static dev.gatehouse.extproc.json.JsonEditsTest.rename;
import static dev.gatehouse.extproc.json.JsonEditsTest.set;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonSplicerTest {
  private static final JsonEdit CARD = mask("/card", 4);

  private static final List<String> NASTY = List.of(
      "{\"c\\u0061rd\":\"\\ud83d\\ude00\\\"\\\\\\u00e4xyz\",\"c\\u0061rdx\":1,\"\\u0063ar\":\"2345\"}",
      "{ \"ä\" : \"öäü😀€ÿ\" ,\r\n\t\"card\" : \"4111😀é1\\n11\" } ",
      "\ufeff{\"card\":-0.50e+10,\"n\":-0,\"m\":[0,1E-2,10.0e0],\"card\":true,\"o\":null}",
      "{\"\":\"\",\"card\":\"\",\"a\":{},\"b\":[],\"c\":[[],{}],\"d\":{\"\":{\"card\":[\"1\",22]}}}",
      "{\"x\":1,\"card\":{\"card\":[12345,false,null,\"\\ud83d\",\"\\ude00\\ud83d\\u0041\"]},\"z\":2}",
      "{ \"a\" : 1 , \"b\" : [ 1 , { \"a\" : 2 } , 3 ] , \"card\" : \"12\" , \"user\" : 5 , \"a\" : 4 }",
      "[ {\"a\":{\"a\":\"x\"}} , \"\\\\\", \"\\\"\", {\"card\":\"7777777\", \"a\" : [] } ]",
      "[[[[{\"a\":[{\"card\":\"123456789\"}]}]]]]",
      "{\"card\":[\"a\\/b\\b\\f\\r\\t\"],\"user\":1,\"usr\":{\"n\":[]},\"a\":[{\"c\":1},{}]}",
      " \"4111111111111111\" ",
      "-12.5E+7",
      "true",
      "null");

  private static final List<List<JsonEdit>> EDITS = List.of(
      List.of(CARD),
      List.of(mask("/**/card", 2)),
      List.of(mask("", 3)),
      List.of(remove("/a"), remove("/card")),
      List.of(remove("/**/a")),
      List.of(remove("/*")),
      List.of(remove("/0"), mask("/**/card", 1)),
      List.of(remove("/b/1"), rename("/card", "kard")),
      List.of(rename("/card", "z"), mask("/z", 1)),
      List.of(rename("/**/a", "ä\"")),
      List.of(set("/**/card", "[0]")),
      List.of(
          new JsonEdit.Default(JsonPath.parse("/meta/by"), "\"us\""),
          new JsonEdit.Default(JsonPath.parse("/a"), "0"),
          new JsonEdit.Default(JsonPath.parse("/meta/at"), "1")),
      List.of(remove("/*/a"), new JsonEdit.Default(JsonPath.parse("/a/-/x"), "1")),
      List.of(remove("/z"), remove("/x"), new JsonEdit.Default(JsonPath.parse("/y"), "1")));

  static Stream<String> nasty() {
    return NASTY.stream();
  }

  @ParameterizedTest
  @MethodSource("nasty")
  void a_piece_may_end_anywhere(String text) throws Exception {
    var bytes = text.getBytes(StandardCharsets.UTF_8);
    for (var edits : EDITS) {
      var compiled = JsonEdits.of(edits);
      var whole = new String(compiled.apply(bytes), StandardCharsets.UTF_8);
      for (var one = 0; one <= bytes.length; one++) {
        for (var other = one; other <= Math.min(one + 12, bytes.length); other++) {
          var spliced = spliced(compiled, bytes, one, other);
          if (!spliced.equals(whole)) {
            fail("%s by %s, cut at %d and %d: %s", text, edits, one, other, spliced);
          }
        }
      }
      assertThat(byBytes(compiled, bytes)).as("%s by %s", text, edits).isEqualTo(whole);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nul",
        "truth",
        "01",
        "-",
        "1.",
        "1.e5",
        ".5",
        "+1",
        "1e",
        "1e+",
        "0x1",
        "NaN",
        "'a'",
        "\"\t\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"",
        "\"\\\"",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1",
        "[",
        "[}",
        "[1}",
        "{",
        "{]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1",
        "{\"a\" 1}",
        "{a:1}",
        "{1:1}",
        "{\"a\":1 \"b\":2}",
        "{,}",
        "/**/1",
        "",
        "\u00a01",
        "tru"
      })
  void what_is_no_json_is_refused_wherever_it_stands_and_however_it_comes(String bad)
      throws Exception {
    for (var frame : List.of(
        "%s",
        "{\"card\":%s}",
        "{\"other\":%s,\"card\":\"1\"}",
        "{\"a\":[[1,{\"b\":%s}]]}",
        "{\"gone\":[0,%s]}",
        "{\"set\":{\"x\":%s}}")) {
      var bytes = frame.formatted(bad).getBytes(StandardCharsets.UTF_8);
      var edits = JsonEdits.of(List.of(CARD, remove("/gone"), set("/set", "1")));
      assertThatThrownBy(() -> edits.apply(bytes))
          .as(frame.formatted(bad))
          .isInstanceOf(UnprocessableBody.class);
      assertThatThrownBy(() -> byBytes(edits, bytes))
          .as(frame.formatted(bad))
          .isInstanceOf(UnprocessableBody.class);
    }
  }

  @Test
  void broken_utf_8_is_refused_wherever_it_stands_and_however_it_comes() {
    var edits = JsonEdits.of(List.of(CARD, remove("/gone")));
    for (var bad : List.of(
        "c1a1",
        "c080",
        "e08080",
        "e0a0",
        "e28228",
        "eda080",
        "f0808080",
        "f4908080",
        "f5808080",
        "80",
        "ff",
        "c3")) {
      for (var frame : List.of(
          "{\"card\":\"%s\"}", "{\"%s\":1}", "{\"a\":[{\"%s\":\"\"}]}", "{\"gone\":\"%s\"}")) {
        var at = frame.indexOf('%');
        var bytes = new ByteArrayOutputStream();
        bytes.writeBytes(frame.substring(0, at).getBytes(StandardCharsets.US_ASCII));
        bytes.writeBytes(HexFormat.of().parseHex(bad));
        bytes.writeBytes(frame.substring(at + 2).getBytes(StandardCharsets.US_ASCII));
        assertThatThrownBy(() -> edits.apply(bytes.toByteArray()))
            .as("%s in %s", bad, frame)
            .isInstanceOf(UnprocessableBody.class);
        assertThatThrownBy(() -> byBytes(edits, bytes.toByteArray()))
            .as("%s in %s", bad, frame)
            .isInstanceOf(UnprocessableBody.class);
      }
    }
  }

  @Test
  void an_error_says_at_which_byte_of_the_whole_text() {
    var bytes = "{\"a\":[1,2],\"b\":x}".getBytes(StandardCharsets.UTF_8);
    assertThatThrownBy(() -> byBytes(JsonEdits.of(List.of(CARD)), bytes))
        .hasMessageContaining("at byte 15");
    assertThatThrownBy(() -> JsonEdits.of(List.of(CARD)).apply(bytes))
        .hasMessageContaining("at byte 15");
  }

  @Test
  void several_texts_in_one_body_are_refused_so_that_the_second_is_not_passed_unread() {
    for (var lines : List.of("{\"card\":\"1\"}\n{\"card\":\"2\"}\n", "1 2", "{}[]", "{},{}")) {
      assertThatThrownBy(
              () -> byBytes(JsonEdits.of(List.of(CARD)), lines.getBytes(StandardCharsets.UTF_8)))
          .hasMessageContaining("follows the JSON text");
    }
  }

  @Test
  void ten_thousand_levels_are_refused_whatever_is_looked_for() throws Exception {
    var levels = 10_000;
    for (var edits : List.of(
        List.of(CARD),
        List.of(mask("/**/card", 0)),
        List.of(mask("", 0)),
        List.of(remove("/a")),
        List.of(set("/a", "1")))) {
      for (var deep : List.of(
          "[".repeat(levels) + "]".repeat(levels),
          "{\"a\":".repeat(levels) + "1" + "}".repeat(levels))) {
        var compiled = JsonEdits.of(edits);
        assertThatThrownBy(() -> byBytes(compiled, deep.getBytes(StandardCharsets.UTF_8)))
            .isInstanceOf(UnprocessableBody.class)
            .hasMessageContaining("more than 512 levels");
      }
      var bound = "[".repeat(512) + "]".repeat(512);
      assertThat(byBytes(
              JsonEdits.of(List.of(mask("/**/card", 0))), bound.getBytes(StandardCharsets.UTF_8)))
          .isEqualTo(bound);
    }
  }

  @Test
  void what_is_decided_has_gone_on_before_the_next_piece_comes() throws Exception {
    var out = new ByteArrayOutputStream();
    var splicer = JsonEdits.of(List.of(mask("/*/card", 0)))
        .splicer((bytes, from, to) -> out.write(bytes, from, to - from));
    feed(splicer, "[{\"card\":\"12\"},{\"ca");
    assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("[{\"card\":\"**\"},{\"ca");
    feed(splicer, "rd\":\"3456");
    assertThat(out.toString(StandardCharsets.UTF_8)).endsWith("{\"card\":\"****");
    feed(splicer, "78\"}]");
    splicer.finish();
    assertThat(out.toString(StandardCharsets.UTF_8)).endsWith("{\"card\":\"******\"}]");
  }

  @Test
  void long_names_and_values_are_not_gathered() throws Exception {
    var lots = "x".repeat(1 << 20);
    var edits = JsonEdits.of(List.of(
        mask("/card", 4),
        remove("/gone"),
        rename("/usr", "user"),
        new JsonEdit.Default(JsonPath.parse("/by"), "1")));
    for (var text : List.of(
        "{\"" + lots + "\":1,\"" + lots + "\":2}",
        "{\"a\":\"" + lots + "\",\"card\":\"" + lots + "\"}",
        "{\"card\":" + "1".repeat(1 << 20) + "}",
        "{\"card\":[" + "{\"a\":1},".repeat(1 << 17) + "1]}",
        " ".repeat(1 << 20) + "{" + " ".repeat(1 << 20) + "\"a\" " + " ".repeat(1 << 20) + ":1}")) {
      var bytes = text.getBytes(StandardCharsets.UTF_8);
      var written = new long[1];
      var splicer = edits.splicer((piece, from, to) -> written[0] += to - from);
      var lag = 0L;
      for (var at = 0; at < bytes.length; at += 1000) {
        splicer.feed(bytes, at, Math.min(at + 1000, bytes.length));
        lag = Math.max(lag, at + 1000 - written[0]);
      }
      splicer.finish();
      assertThat(lag).as(text.substring(0, 20)).isLessThan(1_100);
    }
  }

  @Test
  void white_space_that_would_have_to_be_held_is_bounded() throws Exception {
    var wide = "{\"a\":1," + " ".repeat(JsonWalk.MAX_HELD + 100) + "\"b\":2}";
    var bytes = wide.getBytes(StandardCharsets.UTF_8);
    assertThat(byBytes(JsonEdits.of(List.of(CARD)), bytes)).isEqualTo(wide);
    assertThatThrownBy(() -> byBytes(JsonEdits.of(List.of(remove("/b"))), bytes))
        .isInstanceOf(UnprocessableBody.class)
        .hasMessageContaining("white space");
  }

  @Test
  void a_small_text_cannot_be_made_a_huge_one_piece_by_piece_either() {
    var edits = JsonEdits.of(List.of(set("/*/x", "\"" + "x".repeat(60_000) + "\"")));
    var bytes = ("[" + "{},".repeat(10_000) + "{}]").getBytes(StandardCharsets.UTF_8);
    assertThatThrownBy(() -> byBytes(edits, bytes)).hasMessageContaining("too large");
  }

  @Test
  void a_member_that_has_the_new_name_already_is_refused_where_it_came_first_in_pieces()
      throws Exception {
    var edits = JsonEdits.of(List.of(rename("/usr", "user")));
    var late = "{\"usr\":1,\"user\":2}".getBytes(StandardCharsets.UTF_8);
    var early = "{\"user\":2,\"x\":0,\"usr\":1}".getBytes(StandardCharsets.UTF_8);
    assertThat(byBytes(edits, late)).isEqualTo("{\"user\":1}");
    assertThat(new String(edits.apply(early), StandardCharsets.UTF_8))
        .isEqualTo("{\"x\":0,\"user\":1}");
    assertThatThrownBy(() -> byBytes(edits, early))
        .isInstanceOf(UnprocessableBody.class)
        .hasMessageContaining("new name already");
  }

  @Test
  void a_plan_says_why_it_needs_the_whole_body() {
    var moves = JsonEdits.of(List.of(CARD, move("/a/b", "/c")));
    assertThat(moves.needsWholeBody())
        .hasValueSatisfying(why -> assertThat(why).contains("/a/b", "/c"));
    assertThatThrownBy(() -> moves.splicer((bytes, from, to) -> {}))
        .isInstanceOf(IllegalStateException.class);
    for (var edits : EDITS) {
      assertThat(JsonEdits.of(edits).needsWholeBody()).isEmpty();
    }
  }

  @Test
  void splicing_allocates_nothing_that_grows_with_the_text() throws Exception {
    var text = new StringBuilder("[");
    while (text.length() < 4_000_000) {
      text.append(
              "{\"id\":1234,\"card\":\"4111111111111111\",\"c\\u0061rd\":\"\\u00e411111\",\"gone\":[1,2],")
          .append("\"usr\":{\"a\":\"ä\"},\"note\":null},");
    }
    var bytes = text.append("{}]").toString().getBytes(StandardCharsets.UTF_8);
    var edits = JsonEdits.of(List.of(
        mask("/*/card", 4), remove("/**/gone"), rename("/*/usr", "user"), set("/*/by", "1")));
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    var least = Long.MAX_VALUE;
    for (var attempt = 0; attempt < 5 && least > bytes.length / 20; attempt++) {
      var before = threads.getCurrentThreadAllocatedBytes();
      var written = new long[1];
      var splicer = edits.splicer((piece, from, to) -> written[0] += to - from);
      for (var at = 0; at < bytes.length; at += 16_384) {
        splicer.feed(bytes, at, Math.min(at + 16_384, bytes.length));
      }
      splicer.finish();
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      assertThat(written[0]).isGreaterThan(bytes.length / 2);
    }
    assertThat(least)
        .as("bytes allocated for %d", bytes.length)
        .isLessThanOrEqualTo(bytes.length / 20);
  }

  @Test
  void stars_below_a_descent_are_bounded_and_paths_do_not_end_in_one() {
    assertThatThrownBy(() -> JsonPath.parse("/a/**")).hasMessageContaining("ends in **");
    assertThatThrownBy(() -> JsonPath.parse("/**/a/*/*/*/*/*/*")).hasMessageContaining("at most 5");
    assertThat(JsonEdits.of(List.of(mask("/**/a/*/*/*/*/*", 0))).needsWholeBody())
        .isEmpty();
  }

  @Test
  void hundreds_of_edits_are_made_in_as_many_walks_as_they_need() throws Exception {
    var edits = new ArrayList<JsonEdit>();
    var text = new StringBuilder("{\"z\":\"1\"");
    for (var i = 0; i < 300; i++) {
      edits.add(mask("/**/m" + i, 0));
      edits.add(new JsonEdit.Default(JsonPath.parse("/d" + i), "0"));
      text.append(",\"m").append(i).append("\":\"1\"");
    }
    var spliced = apply(text.append('}').toString(), edits.toArray(JsonEdit[]::new));
    assertThat(spliced)
        .startsWith("{\"z\":\"1\",\"m0\":\"*\",\"m1\":\"*\"")
        .contains("\"d299\":0")
        .doesNotContain("m1\":\"1");
  }

  static JsonEdit move(String at, String to) {
    return new JsonEdit.Move(JsonPath.parse(at), JsonPath.parse(to));
  }

  private static void feed(JsonSplicer splicer, String piece) throws UnprocessableBody {
    var bytes = piece.getBytes(StandardCharsets.UTF_8);
    splicer.feed(bytes, 0, bytes.length);
  }

  private static String byBytes(JsonEdits edits, byte[] bytes) throws UnprocessableBody {
    var out = new ByteArrayOutputStream();
    var splicer = edits.splicer((piece, from, to) -> out.write(piece, from, to - from));
    for (var i = 0; i < bytes.length; i++) {
      splicer.feed(bytes, i, i + 1);
    }
    splicer.finish();
    return out.toString(StandardCharsets.UTF_8);
  }

  private static String spliced(JsonEdits edits, byte[] bytes, int one, int other)
      throws UnprocessableBody {
    var out = new ByteArrayOutputStream();
    var splicer = edits.splicer((piece, from, to) -> out.write(piece, from, to - from));
    splicer.feed(bytes, 0, one);
    splicer.feed(bytes, one, other);
    splicer.feed(bytes, other, bytes.length);
    splicer.finish();
    return out.toString(StandardCharsets.UTF_8);
  }
}
