package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.transform.NamedEdits.Ready;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/**
 * Names and values as a query and an {@code application/x-www-form-urlencoded} body write them. What is not edited keeps its place and
 * its encoding, byte for byte; names are compared decoded, so that no encoding evades a removal.
 *
 * <p>Each field becomes an object of some hundred bytes: whoever calls bounds how many there are (Envoy does for a query).
 */
final class Parameters implements NamedEdits.Target {
  private static final String HEX = "0123456789ABCDEF";
  private static final String UNRESERVED = "-._~";

  private final List<Parameter> all = new ArrayList<>();
  private boolean changed;

  /** @param raw as it stands, {@code name=value} or {@code name} alone */
  private record Parameter(String name, String raw) {}

  private Parameters(String encoded) {
    for (var raw : encoded.isEmpty() ? new String[0] : encoded.split("&", -1)) {
      all.add(new Parameter(decode(name(raw)), raw));
    }
  }

  /**
   * The edited text.
   *
   * @param encoded one character a byte
   * @return the very same string if nothing changed
   */
  static String edit(String encoded, Ready edits) {
    var parameters = new Parameters(encoded);
    edits.applyTo(parameters);
    return parameters.changed ? parameters.encoded() : encoded;
  }

  /** The path with its query edited. */
  static String editQuery(String path, Ready edits) {
    var mark = path.indexOf('?');
    var before = mark < 0 ? "" : bytes(path.substring(mark + 1));
    var after = edit(before, edits);
    if (after.equals(before)) {
      return path;
    }
    var bare = mark < 0 ? path : path.substring(0, mark);
    return after.isEmpty() ? bare : bare + "?" + text(after);
  }

  /** The decoded query of a path; of a repeated parameter the first value. */
  static Map<String, String> query(String path) {
    var mark = path.indexOf('?');
    if (mark < 0) {
      return Map.of();
    }
    var query = new LinkedHashMap<String, String>();
    for (var raw : bytes(path.substring(mark + 1)).split("&", -1)) {
      if (!raw.isEmpty()) {
        var name = name(raw);
        var value = name.length() == raw.length() ? "" : raw.substring(name.length() + 1);
        query.putIfAbsent(decode(name), decode(value));
      }
    }
    return query;
  }

  @Override
  public void remove(String name) {
    changed |= all.removeIf(parameter -> parameter.name.equals(name));
  }

  @Override
  public void rename(String from, String to) {
    if (from.equals(to) || !has(from)) {
      return;
    }
    changed = true;
    all.removeIf(parameter -> parameter.name.equals(to));
    all.replaceAll(parameter -> parameter.name.equals(from)
        ? new Parameter(
            to, encode(to) + parameter.raw.substring(name(parameter.raw).length()))
        : parameter);
  }

  /** Where the first one stands, or at the end. */
  @Override
  public void set(String name, List<ByteString> values) {
    changed = true;
    var at = 0;
    while (at < all.size() && !all.get(at).name.equals(name)) {
      at++;
    }
    all.removeIf(parameter -> parameter.name.equals(name));
    all.addAll(at, made(name, values));
  }

  @Override
  public void add(String name, List<ByteString> values) {
    changed = true;
    all.addAll(made(name, values));
  }

  private static List<Parameter> made(String name, List<ByteString> values) {
    return values.stream()
        .map(value -> new Parameter(name, encode(name) + "=" + encode(value.toByteArray())))
        .toList();
  }

  @Override
  public boolean has(String name) {
    return all.stream().anyMatch(parameter -> parameter.name.equals(name));
  }

  private String encoded() {
    var text = new StringJoiner("&");
    all.forEach(parameter -> text.add(parameter.raw));
    return text.toString();
  }

  private static String name(String raw) {
    var equals = raw.indexOf('=');
    return equals < 0 ? raw : raw.substring(0, equals);
  }

  /** As in forms: {@code +} is a blank. What is no percent-encoding stays as it is. */
  private static String decode(String bytes) {
    var in = bytes.getBytes(StandardCharsets.ISO_8859_1);
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

  /** With everything but the unreserved characters (RFC 3986 section 2.3) percent-encoded. */
  static String encode(String text) {
    return encode(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String encode(byte[] bytes) {
    var out = new StringBuilder(bytes.length + 16);
    for (var b : bytes) {
      var plain = (b >= 'a' && b <= 'z')
          || (b >= 'A' && b <= 'Z')
          || (b >= '0' && b <= '9')
          || UNRESERVED.indexOf(b) >= 0;
      if (plain) {
        out.append((char) b);
      } else {
        out.append('%').append(HEX.charAt(b >> 4 & 15)).append(HEX.charAt(b & 15));
      }
    }
    return out.toString();
  }

  /** One character a byte. */
  private static String bytes(String text) {
    return isAscii(text)
        ? text
        : new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
  }

  private static String text(String bytes) {
    return isAscii(bytes)
        ? bytes
        : new String(bytes.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }

  private static boolean isAscii(String text) {
    for (var i = 0; i < text.length(); i++) {
      if (text.charAt(i) > 0x7f) {
        return false;
      }
    }
    return true;
  }
}
