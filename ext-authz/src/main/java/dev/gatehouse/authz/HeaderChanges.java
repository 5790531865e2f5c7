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
 * What an allow does to the headers towards the upstream. A name is in one of the two only: Envoy removes after it sets.
 *
 * @param set these replace whatever the client sent under their names
 * @param remove owned names for which there is no value
 */
record HeaderChanges(Map<String, String> set, List<String> remove) {
  private static final int MAX_VALUE = 8 << 10;

  static HeaderChanges removing(Collection<String> ownedHeaders) {
    return new HeaderChanges(Map.of(), List.copyOf(ownedHeaders));
  }

  static HeaderChanges of(
      Collection<String> ownedHeaders,
      List<Provider.ClaimHeader> claimHeaders,
      Map<String, @Nullable Object> claims) {
    var set = new LinkedHashMap<String, String>();
    var remove = new TreeSet<>(ownedHeaders);
    for (var header : claimHeaders) {
      var value = text(header.claim().in(claims));
      if (value != null && !value.isEmpty() && isFieldValue(value)) {
        set.put(header.header(), value);
      } else if (!set.containsKey(header.header())) {
        remove.add(header.header());
      }
    }
    remove.removeAll(set.keySet());
    return new HeaderChanges(set, new ArrayList<>(remove));
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

  /** RFC 9110 §5.5: no line breaks, no other control characters; a claim may hold what a user typed. */
  private static boolean isFieldValue(String value) {
    if (value.length() > MAX_VALUE) {
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
