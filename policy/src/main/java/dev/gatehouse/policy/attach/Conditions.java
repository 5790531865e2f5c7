package dev.gatehouse.policy.attach;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.gatehouse.policy.resource.HttpRoute.Match;
import dev.gatehouse.policy.resource.HttpRoute.NamedMatch;
import dev.gatehouse.policy.resource.StringMatch;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a match asks of a request, but for an exact path or a prefix, by which it was found; compared as Envoy compares. */
final class Conditions {
  /** Envoy sees bytes where we see text: where both might not agree, nobody guesses. */
  enum Holds {
    YES,
    NO,
    UNSURE
  }

  private static final int MAX_PARTS = 16;

  private final @Nullable Text path;
  private final @Nullable String method;
  private final Named[] headers;
  private final Named[] queryParams;

  private Conditions(
      @Nullable Text path, @Nullable String method, Named[] headers, Named[] queryParams) {
    this.path = path;
    this.method = method;
    this.headers = headers;
    this.queryParams = queryParams;
  }

  static Conditions of(Match match) {
    return new Conditions(
        match.path().type() == StringMatch.Type.REGULAR_EXPRESSION ? text(match.path()) : null,
        match.method(),
        named(match.headers()),
        named(match.queryParams()));
  }

  /** @param pathEnd where in the request's path the query begins, or its length */
  Holds hold(RoutedRequest request, String target, int pathEnd) {
    if (method != null && !method.equals(request.method())) {
      return Holds.NO;
    }
    var all = path == null ? Holds.YES : path.matches(target, 0, pathEnd);
    for (int i = 0; all != Holds.NO && i < headers.length; i++) {
      all = and(all, header(headers[i], request));
    }
    for (int i = 0; all != Holds.NO && i < queryParams.length; i++) {
      all = and(all, query(queryParams[i], target, pathEnd));
    }
    return all;
  }

  private static Holds and(Holds one, Holds other) {
    return other == Holds.YES ? one : other;
  }

  /**
   * Envoy 1.40 matches each value of a header by itself, and the header if one of them matches (tried); earlier ones matched the values
   * joined. Where the two differ the answer is unsure, so that it is right whatever Envoy is asking.
   */
  private static Holds header(Named header, RoutedRequest request) {
    if (header.name.equals("host")) {
      // Envoy keeps the Host header as :authority, and finds it by either name (tried).
      return header.text.matches(request.host());
    }
    var joined = request.header(header.name);
    if (joined == null) {
      return Holds.NO;
    }
    var values = request.headerValues(header.name);
    if (values == null) {
      return joined.indexOf(',') < 0
          ? header.text.matches(joined)
          : joined(header.text, joined.split(",", -1));
    }
    if (values.size() <= 1) {
      return header.text.matches(joined);
    }
    var any = Holds.NO;
    for (int i = 0; i < values.size() && any == Holds.NO; i++) {
      any = header.text.matches(values.get(i));
    }
    return any == header.text.matches(joined) ? any : Holds.UNSURE;
  }

  /** One value with commas in it, or several: certain is only that nothing of it matches. */
  private static Holds joined(Text text, String[] parts) {
    if (parts.length > MAX_PARTS) {
      return Holds.UNSURE;
    }
    for (int from = 0; from < parts.length; from++) {
      var value = new StringBuilder();
      for (int to = from; to < parts.length; to++) {
        value.append(to == from ? "" : ",").append(parts[to]);
        if (text.matches(value.toString().strip()) != Holds.NO
            || text.matches(value.toString()) != Holds.NO) {
          return Holds.UNSURE;
        }
      }
    }
    return Holds.NO;
  }

  /** Of a repeated parameter the first value; names and values as they were sent, not decoded (tried with Envoy 1.40). */
  private static Holds query(Named query, String target, int pathEnd) {
    int start = pathEnd + 1;
    while (start <= target.length()) {
      int end = target.indexOf('&', start);
      end = end < 0 ? target.length() : end;
      int equals = target.indexOf('=', start);
      int nameEnd = equals < 0 || equals > end ? end : equals;
      if (nameEnd - start == query.name.length() && target.startsWith(query.name, start)) {
        return query.text.matches(target, Math.min(nameEnd + 1, end), end);
      }
      start = end + 1;
    }
    return Holds.NO;
  }

  private static Named[] named(List<NamedMatch> matches) {
    return matches.stream()
        .map(match -> new Named(match.name(), text(match.match())))
        .toArray(Named[]::new);
  }

  private static Text text(StringMatch match) {
    return switch (match.type()) {
      case EXACT -> new Exact(match.value());
      case REGULAR_EXPRESSION -> regex(match.value());
      case DISTINCT -> new Any();
      case PATH_PREFIX -> new Unknown();
    };
  }

  private static Text regex(String regex) {
    try {
      return new Regex(Pattern.compile(regex));
    } catch (PatternSyntaxException e) {
      // Whoever read the route has said so; perhaps the gateway's RE2 takes what RE2/J does not.
      return new Unknown();
    }
  }

  private record Named(String name, Text text) {}

  private sealed interface Text {
    Holds matches(String text, int from, int to);

    default Holds matches(String text) {
      return matches(text, 0, text.length());
    }
  }

  private record Exact(String value) implements Text {
    @Override
    public Holds matches(String text, int from, int to) {
      return value.length() == to - from && text.startsWith(value, from) ? Holds.YES : Holds.NO;
    }
  }

  private record Regex(Pattern pattern) implements Text {
    @Override
    public Holds matches(String text, int from, int to) {
      var part = text.substring(from, to);
      for (int i = 0; i < part.length(); i++) {
        if (part.charAt(i) > 0x7f) {
          // Envoy's RE2 takes bytes for characters (tried): an é is two of them.
          return Holds.UNSURE;
        }
      }
      return pattern.matches(part) ? Holds.YES : Holds.NO;
    }
  }

  private record Any() implements Text {
    @Override
    public Holds matches(String text, int from, int to) {
      return Holds.YES;
    }
  }

  private record Unknown() implements Text {
    @Override
    public Holds matches(String text, int from, int to) {
      return Holds.UNSURE;
    }
  }
}
