package dev.gatehouse.policy.expr;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Who was authenticated: what ext-authz tells the others in dynamic metadata, and what conditions see as {@code auth}.
 *
 * @param method {@code jwt}, {@code anonymous}, …
 * @param claims the configured ones; numbers are doubles, in every service alike. A claim that is null counts as absent and is left
 *     out, whatever its depth: CEL has no maps with null in them
 */
public record Auth(
    String method,
    @Nullable String sub,
    @Nullable String iss,
    List<String> scopes,
    Map<String, Object> claims,
    @Nullable String plan) {
  public Auth {
    if (holdsNull(claims)) {
      claims = withoutNulls(claims);
    }
  }

  private static boolean holdsNull(@Nullable Object value) {
    return switch (value) {
      case null -> true;
      case Map<?, ?> map -> any(map.values());
      case List<?> list -> any(list);
      default -> false;
    };
  }

  private static boolean any(Iterable<?> values) {
    for (var value : values) {
      if (holdsNull(value)) {
        return true;
      }
    }
    return false;
  }

  private static Map<String, Object> withoutNulls(Map<?, ?> map) {
    var kept = new LinkedHashMap<String, Object>();
    map.forEach((name, value) -> {
      if (value != null) {
        kept.put(String.valueOf(name), present(value));
      }
    });
    return kept;
  }

  private static Object present(Object value) {
    return switch (value) {
      case Map<?, ?> map -> withoutNulls(map);
      case List<?> list -> {
        var kept = new ArrayList<Object>(list.size());
        for (var element : list) {
          if (element != null) {
            kept.add(present(element));
          }
        }
        yield kept;
      }
      default -> value;
    };
  }
}
