package dev.gatehouse.extproc.transform;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.transform.NamedEdits.Ready;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Editing encoded text against the plain way: decode all, edit a list, compare what it means; and what is not named keeps its bytes. */
class ParametersTest {
  private static final String[] NAMES = {"a", "b", "A", "ä b", "", "=", "&c"};
  private static final String[] VALUES = {"", "1", "x y", "%", "&=+", "ü", "\u0000\r\n"};

  private record Pair(String name, String value) {}

  @Test
  void what_it_means_is_what_an_edited_list_means_and_the_rest_keeps_its_bytes() {
    var random = new Random(20261201);
    for (var run = 0; run < 20_000; run++) {
      var raw = new ArrayList<String>();
      for (var i = random.nextInt(6); i > 0; i--) {
        raw.add(encoded(random, pick(random, NAMES))
            + (random.nextInt(5) == 0 ? "" : "=" + encoded(random, pick(random, VALUES))));
      }
      var before = String.join("&", raw);
      if (before.isEmpty()) {
        raw.clear();
      }
      var edits = edits(random);

      var after = Parameters.edit(before, edits);

      var expected = edited(before, edits);
      if (expected.equals(List.of(new Pair("", "")))) {
        continue; // Written as nothing, it reads as nothing.
      }
      assertThat(decoded(after)).as("%s by %s", before, edits).isEqualTo(expected);
      var named = named(edits);
      var untouched = new ArrayList<>(raw);
      untouched.removeIf(pair -> named.contains(decodedName(pair)));
      if (!untouched.isEmpty()) {
        assertThat(List.of(after.split("&", -1))).as(before).containsSubsequence(untouched);
      }
    }
  }

  @Test
  void what_is_no_percent_encoding_stays() {
    var edits = new Ready(Set.of("x"), Map.of(), Map.of(), Map.of(), Map.of(), Map.of());

    assertThat(Parameters.edit("a=%&b=%zz&%78=1&c=%f", edits)).isEqualTo("a=%&b=%zz&c=%f");
  }

  private static Ready edits(Random random) {
    var rename = new LinkedHashMap<String, String>();
    if (random.nextInt(3) == 0) {
      rename.put(name(random), name(random));
    }
    return new Ready(
        random.nextInt(3) == 0 ? Set.of(name(random)) : Set.of(),
        rename,
        values(random),
        values(random),
        values(random),
        values(random));
  }

  private static Map<String, List<ByteString>> values(Random random) {
    if (random.nextInt(3) > 0) {
      return Map.of();
    }
    var values = new ArrayList<ByteString>();
    for (var i = random.nextInt(2); i >= 0; i--) {
      values.add(ByteString.copyFromUtf8(pick(random, VALUES)));
    }
    return Map.of(name(random), values);
  }

  /** A policy cannot name the empty name. */
  private static String name(Random random) {
    var name = pick(random, NAMES);
    return name.isEmpty() ? "z" : name;
  }

  private static Set<String> named(Ready edits) {
    var named = new HashSet<>(edits.remove());
    named.addAll(edits.rename().keySet());
    named.addAll(edits.rename().values());
    for (var some : List.of(edits.replace(), edits.set(), edits.addIfAbsent(), edits.add())) {
      named.addAll(some.keySet());
    }
    return named;
  }

  private static List<Pair> edited(String text, Ready edits) {
    var pairs = new ArrayList<>(decoded(text));
    pairs.removeIf(pair -> edits.remove().contains(pair.name));
    edits.rename().forEach((from, to) -> {
      if (!from.equals(to) && has(pairs, from)) {
        pairs.removeIf(pair -> pair.name.equals(to));
        pairs.replaceAll(pair -> pair.name.equals(from) ? new Pair(to, pair.value) : pair);
      }
    });
    edits.replace().forEach((name, values) -> {
      if (has(pairs, name)) {
        set(pairs, name, values);
      }
    });
    edits.set().forEach((name, values) -> set(pairs, name, values));
    edits.addIfAbsent().forEach((name, values) -> {
      if (!has(pairs, name)) {
        pairs.addAll(pairs(name, values));
      }
    });
    edits.add().forEach((name, values) -> pairs.addAll(pairs(name, values)));
    return pairs;
  }

  private static void set(List<Pair> pairs, String name, List<ByteString> values) {
    var kept = new ArrayList<Pair>();
    var placed = false;
    for (var pair : pairs) {
      if (!pair.name.equals(name)) {
        kept.add(pair);
      } else if (!placed) {
        kept.addAll(pairs(name, values));
        placed = true;
      }
    }
    if (!placed) {
      kept.addAll(pairs(name, values));
    }
    pairs.clear();
    pairs.addAll(kept);
  }

  private static boolean has(List<Pair> pairs, String name) {
    return pairs.stream().anyMatch(pair -> pair.name.equals(name));
  }

  private static List<Pair> pairs(String name, List<ByteString> values) {
    return values.stream().map(value -> new Pair(name, value.toStringUtf8())).toList();
  }

  private static List<Pair> decoded(String text) {
    var pairs = new ArrayList<Pair>();
    for (var pair : text.isEmpty() ? new String[0] : text.split("&", -1)) {
      var equals = pair.indexOf('=');
      pairs.add(new Pair(
          decodedName(pair),
          equals < 0 ? "" : URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8)));
    }
    return pairs;
  }

  private static String decodedName(String pair) {
    var equals = pair.indexOf('=');
    return URLDecoder.decode(equals < 0 ? pair : pair.substring(0, equals), StandardCharsets.UTF_8);
  }

  /** One of the ways to write it. */
  private static String encoded(Random random, String text) {
    var out = new StringBuilder();
    for (var b : text.getBytes(StandardCharsets.UTF_8)) {
      var letter = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9');
      if (letter && random.nextInt(4) > 0) {
        out.append((char) b);
      } else if (b == ' ' && random.nextBoolean()) {
        out.append('+');
      } else {
        out.append(String.format(random.nextBoolean() ? "%%%02x" : "%%%02X", b));
      }
    }
    return out.toString();
  }

  private static String pick(Random random, String[] some) {
    return some[random.nextInt(some.length)];
  }
}
