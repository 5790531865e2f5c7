package dev.gatehouse.authz;

import dev.gatehouse.authz.jwt.StrictJson;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What an allow does to the request towards the upstream. A header is in one of the two only: Envoy removes after it sets.
 *
 * @param set these replace whatever the client sent under their names, which are in lower case
 * @param remove owned names for which there is no value, and credentials that go no further
 * @param removeParameters of the query
 */
record HeaderChanges(Map<String, String> set, List<String> remove, List<String> removeParameters) {
  static final HeaderChanges NONE = new HeaderChanges(Map.of(), List.of(), List.of());

  private static final int MAX_VALUE = 8 << 10;

  static HeaderChanges removing(Collection<String> headers) {
    return new HeaderChanges(Map.of(), List.copyOf(headers), List.of());
  }

  boolean isEmpty() {
    return set.isEmpty() && remove.isEmpty() && removeParameters.isEmpty();
  }

  /** These too; what is set under a name that was to be removed is not removed. */
  HeaderChanges with(Map<String, String> more) {
    return and(new HeaderChanges(more, List.of(), List.of()));
  }

  HeaderChanges and(HeaderChanges other) {
    var all = new LinkedHashMap<>(set);
    all.putAll(other.set);
    var gone = new TreeSet<>(remove);
    gone.addAll(other.remove);
    gone.removeAll(all.keySet());
    var parameters = new ArrayList<>(removeParameters);
    parameters.addAll(other.removeParameters);
    return new HeaderChanges(all, List.copyOf(gone), parameters);
  }

  /** The headers that claims are made, where they are there and can be. */
  static Map<String, String> ofClaims(
      List<Provider.ClaimHeader> claimHeaders, Map<String, @Nullable Object> claims) {
    var values = new LinkedHashMap<String, String>();
    for (var header : claimHeaders) {
      var value = text(header.claim().in(claims));
      if (value != null) {
        values.put(header.header(), value);
      }
    }
    return fieldValues(values);
  }

  /** Those that can be a field's value (RFC 9110 §5.5): no line breaks, no other control characters. A claim may hold what a user typed. */
  static Map<String, String> fieldValues(Map<String, String> values) {
    var good = new LinkedHashMap<String, String>();
    values.forEach((name, value) -> {
      if (isFieldValue(value)) {
        good.put(name, value);
      }
    });
    return good;
  }

  /** As Envoy's {@code claim_to_headers} writes it: lists and objects as base64 of their JSON. */
  static @Nullable String text(@Nullable Object claim) {
    return switch (claim) {
      case null -> null;
      case String text -> text;
      case Boolean truth -> truth.toString();
      case Double number -> number(number);
      default ->
        Base64.getEncoder()
            .encodeToString(StrictJson.write(written(claim)).getBytes(StandardCharsets.UTF_8));
    };
  }

  /** The same value with whole numbers as JSON usually has them, without a fraction. */
  private static @Nullable Object written(@Nullable Object claim) {
    return switch (claim) {
      case Double number when isWhole(number) -> number.longValue();
      case List<?> list -> {
        var copy = new ArrayList<@Nullable Object>(list.size());
        list.forEach(each -> copy.add(written(each)));
        yield copy;
      }
      case Map<?, ?> map -> {
        var copy = new LinkedHashMap<@Nullable Object, @Nullable Object>();
        map.forEach((name, each) -> copy.put(name, written(each)));
        yield copy;
      }
      case null, default -> claim;
    };
  }

  private static String number(double number) {
    return isWhole(number) ? Long.toString((long) number) : Double.toString(number);
  }

  private static boolean isWhole(double number) {
    return number == Math.rint(number) && Math.abs(number) < 1L << 53;
  }

  private static boolean isFieldValue(String value) {
    if (value.isEmpty() || value.length() > MAX_VALUE) {
      return false;
    }
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if ((c < ' ' && c != '\t') || c == 0x7f) {
        return false;
      }
    }
    return true;
  }
}
