package dev.gatehouse.authz.rules;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The name of a claim: one that is there under the whole name, else a path into nested objects with dots between. A name may hold
 * dots itself, at any level ({@code https://shop.example/roles.admin}); the longest name at the outermost level wins.
 */
public final class ClaimPath {
  private final String name;
  private final List<Split> splits;

  private record Split(String outer, ClaimPath inner) {}

  private ClaimPath(String name, List<Split> splits) {
    this.name = name;
    this.splits = splits;
  }

  public static ClaimPath of(String name) {
    var inner = new HashMap<
        Integer,
        ClaimPath>(); // by where it begins, so that many dots cost no more than their square
    for (int start = name.lastIndexOf('.') + 1;
        start > 0;
        start = name.lastIndexOf('.', start - 2) + 1) {
      inner.put(start, from(name, start, inner));
    }
    return from(name, 0, inner);
  }

  private static ClaimPath from(String name, int start, Map<Integer, ClaimPath> inner) {
    var splits = new ArrayList<Split>();
    for (int dot = name.lastIndexOf('.'); dot > start; dot = name.lastIndexOf('.', dot - 1)) {
      var rest = inner.get(dot + 1);
      if (rest != null) {
        splits.add(new Split(name.substring(start, dot), rest));
      }
    }
    return new ClaimPath(name.substring(start), List.copyOf(splits));
  }

  /** The claim, or null if there is none. */
  public @Nullable Object in(Map<?, ?> claims) {
    var whole = claims.get(name);
    if (whole != null) {
      return whole;
    }
    for (int i = 0; i < splits.size(); i++) {
      var split = splits.get(i);
      if (claims.get(split.outer) instanceof Map<?, ?> nested) {
        var found = split.inner.in(nested);
        if (found != null) {
          return found;
        }
      }
    }
    return null;
  }

  /** The name of the claim at the top that it is or is in, for a set of claims; null if there is none. */
  public @Nullable String top(Map<?, ?> claims) {
    if (claims.get(name) != null) {
      return name;
    }
    for (var split : splits) {
      if (claims.get(split.outer) instanceof Map<?, ?> nested && split.inner.in(nested) != null) {
        return split.outer;
      }
    }
    return null;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ClaimPath path && path.name.equals(name);
  }

  @Override
  public int hashCode() {
    return name.hashCode();
  }

  @Override
  public String toString() {
    return name;
  }
}
