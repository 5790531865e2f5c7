package dev.gatehouse.extproc.transform;

import dev.gatehouse.policy.expr.EvaluationException;
import dev.gatehouse.policy.expr.RequestFacts;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Removes and sets query parameters. The others keep their place and their encoding, byte for byte; names are compared decoded, so
 * that no encoding evades a removal. A parameter that is set occurs once afterwards.
 */
record QueryEdit(Map<String, Text> set, Set<String> remove) {
  private static final String HEX = "0123456789ABCDEF";
  private static final String UNRESERVED = "-._~";

  /** @param path with or without a query */
  String apply(String path, RequestFacts facts) throws EvaluationException {
    var left = new LinkedHashMap<String, String>();
    for (var entry : set.entrySet()) {
      left.put(entry.getKey(), entry.getValue().render(facts).toStringUtf8());
    }
    var mark = path.indexOf('?');
    var kept = new ArrayList<String>();
    if (mark >= 0 && mark + 1 < path.length()) {
      for (var parameter : path.substring(mark + 1).split("&", -1)) {
        var name = decode(name(parameter));
        if (remove.contains(name)) {
          continue;
        }
        if (!set.containsKey(name)) {
          kept.add(parameter);
          continue;
        }
        var value = left.remove(name);
        if (value != null) {
          kept.add(encode(name) + "=" + encode(value));
        }
      }
    }
    left.forEach((name, value) -> kept.add(encode(name) + "=" + encode(value)));
    var bare = mark < 0 ? path : path.substring(0, mark);
    return kept.isEmpty() ? bare : bare + "?" + String.join("&", kept);
  }

  /** The decoded query of a path; of a repeated parameter the first value. */
  static Map<String, String> parse(String path) {
    var mark = path.indexOf('?');
    if (mark < 0) {
      return Map.of();
    }
    var query = new LinkedHashMap<String, String>();
    for (var parameter : path.substring(mark + 1).split("&", -1)) {
      if (!parameter.isEmpty()) {
        var name = name(parameter);
        var value =
            name.length() == parameter.length() ? "" : parameter.substring(name.length() + 1);
        query.putIfAbsent(decode(name), decode(value));
      }
    }
    return query;
  }

  private static String name(String parameter) {
    var equals = parameter.indexOf('=');
    return equals < 0 ? parameter : parameter.substring(0, equals);
  }

  /** As in forms: {@code +} is a blank. What is no percent-encoding stays as it is. */
  private static String decode(String text) {
    if (text.indexOf('%') < 0 && text.indexOf('+') < 0) {
      return text;
    }
    var in = text.getBytes(StandardCharsets.UTF_8);
    var out = new byte[in.length];
    var length = 0;
    for (var i = 0; i < in.length; i++) {
      var value = in[i] == '%' && i + 2 < in.length ? hex(in[i + 1], in[i + 2]) : -1;
      if (value >= 0) {
        i += 2;
      }
      out[length++] = value >= 0 ? (byte) value : in[i] == '+' ? (byte) ' ' : in[i];
    }
    return new String(out, 0, length, StandardCharsets.UTF_8);
  }

  private static int hex(byte high, byte low) {
    var h = Character.digit(high, 16);
    var l = Character.digit(low, 16);
    return h < 0 || l < 0 ? -1 : h << 4 | l;
  }

  private static String encode(String text) {
    @Nullable StringBuilder out = null;
    var bytes = text.getBytes(StandardCharsets.UTF_8);
    for (var i = 0; i < bytes.length; i++) {
      var b = bytes[i];
      var plain = (b >= 'a' && b <= 'z')
          || (b >= 'A' && b <= 'Z')
          || (b >= '0' && b <= '9')
          || UNRESERVED.indexOf(b) >= 0;
      if (!plain && out == null) {
        out = new StringBuilder(bytes.length + 16).append(text, 0, i);
      }
      if (out != null && plain) {
        out.append((char) b);
      } else if (out != null) {
        out.append('%').append(HEX.charAt(b >> 4 & 15)).append(HEX.charAt(b & 15));
      }
    }
    return out == null ? text : out.toString();
  }

  List<String> describe() {
    var all = new ArrayList<String>();
    remove.forEach(name -> all.add("-?" + name));
    set.keySet().forEach(name -> all.add("?" + name + "="));
    return all;
  }
}
