package dev.gatehouse.policy.resource;

import java.util.ArrayDeque;

/**
 * How large a regular expression is once its counted repetitions are written out. RE2/J writes them out without a bound
 * ({@code ((a{1000}){1000}){1000}} takes all memory), Envoy's RE2 refuses them: so we refuse before we compile.
 */
public final class RegexSize {
  /** The largest that is taken; the program in memory is some times as large. */
  public static final int MAX = 10_000;

  private RegexSize() {}

  /** An upper bound of the steps, cut off above {@link #MAX}; a text that is no regular expression gets some number. */
  public static long of(String regex) {
    var groups = new ArrayDeque<long[]>();
    long[] group = new long[2]; // total, last atom
    for (int i = 0; i < regex.length(); i++) {
      switch (regex.charAt(i)) {
        case '(' -> {
          groups.push(group);
          group = new long[2];
        }
        case ')' -> {
          long inner = group[0] + 2;
          group = groups.isEmpty() ? new long[2] : groups.pop();
          atom(group, inner);
        }
        case '[' -> {
          i = endOfClass(regex, i);
          atom(group, 1);
        }
        case '\\' -> {
          i++;
          atom(group, 1);
        }
        case '{' -> {
          int end = regex.indexOf('}', i);
          long times = end < 0 ? 0 : times(regex.substring(i + 1, end));
          if (times == 0) {
            atom(group, 1);
          } else {
            group[0] += group[1] * (times - 1);
            group[1] *= times;
            i = end;
          }
        }
        default -> atom(group, 1);
      }
      if (group[0] > MAX) {
        return group[0];
      }
    }
    return group[0] + groups.stream().mapToLong(g -> g[0]).sum();
  }

  private static void atom(long[] group, long size) {
    group[0] += size;
    group[1] = size;
  }

  private static int endOfClass(String regex, int from) {
    for (int i = from + 2; i < regex.length(); i++) {
      switch (regex.charAt(i)) {
        case '\\' -> i++;
        case ']' -> {
          return i;
        }
        default -> {}
      }
    }
    return regex.length();
  }

  /** The larger count of {@code n}, {@code n,} or {@code n,m}; 0 when it is none of them, and a brace is a brace. */
  private static long times(String counts) {
    if (!counts.matches("[0-9]{1,5}(,[0-9]{0,5})?")) {
      return 0;
    }
    long times = 1;
    for (var count : counts.split(",", 2)) {
      times = Math.max(times, count.isEmpty() ? 1 : Long.parseLong(count) + 1);
    }
    return times;
  }
}
