package dev.gatehouse.authz;

import com.google.protobuf.ByteString;
import dev.gatehouse.authz.jwt.BadToken;
import dev.gatehouse.policy.resource.SecurityPolicy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A place of a request where a token may stand. Two of them in one place are one too many: never the first wins. */
sealed interface TokenLocation {
  /** RFC 6750 §2.1 and, as Envoy's jwt_authn, a query parameter (RFC 6750 §2.3). */
  List<TokenLocation> DEFAULT =
      List.of(new Header("authorization", "Bearer ", true), new Parameter("access_token"));

  /** The places that a policy names: headers, then cookies, then parameters. */
  static List<TokenLocation> of(SecurityPolicy.ExtractFrom from) {
    var locations = new ArrayList<TokenLocation>();
    for (var header : from.headers()) {
      var prefix = header.valuePrefix() == null ? "" : header.valuePrefix();
      locations.add(new Header(
          header.name().toLowerCase(Locale.ROOT),
          prefix,
          prefix.strip().equalsIgnoreCase("bearer")));
    }
    from.cookies().forEach(name -> locations.add(new Cookie(name)));
    from.params().forEach(name -> locations.add(new Parameter(name)));
    return List.copyOf(locations);
  }

  /**
   * The token that stands there, or null.
   *
   * @throws BadToken if there is more than one
   */
  @Nullable
  ByteString find(RequestView request) throws BadToken;

  /**
   * A header whose value begins with the prefix; spaces behind a prefix are not the token's.
   *
   * @param name in lower case
   * @param scheme the prefix is an authentication scheme: compared without case (RFC 9110 §11.1)
   */
  record Header(String name, String prefix, boolean scheme) implements TokenLocation {
    @Override
    public @Nullable ByteString find(RequestView request) throws BadToken {
      var value = request.first(name);
      if (value == null) {
        return null;
      }
      if (request.several(name, value)) {
        throw new BadToken("the header " + name + " is there more than once");
      }
      if (!begins(value)) {
        return null;
      }
      int start = prefix.length();
      while (start > 0 && start < value.size() && value.byteAt(start) == ' ') {
        start++;
      }
      return value.substring(start);
    }

    private boolean begins(ByteString value) {
      if (value.size() < prefix.length()) {
        return false;
      }
      for (int i = 0; i < prefix.length(); i++) {
        char wanted = prefix.charAt(i);
        char there = (char) (value.byteAt(i) & 0xff);
        if (wanted != there
            && !(scheme && Character.toLowerCase(wanted) == Character.toLowerCase(there))) {
          return false;
        }
      }
      return true;
    }
  }

  record Cookie(String name) implements TokenLocation {
    @Override
    public @Nullable ByteString find(RequestView request) throws BadToken {
      return only(request.cookie(name), "the cookie " + name);
    }
  }

  record Parameter(String name) implements TokenLocation {
    @Override
    public @Nullable ByteString find(RequestView request) throws BadToken {
      try {
        return only(request.parameter(name), "the query parameter " + name);
      } catch (IllegalStateException e) {
        throw new BadToken(String.valueOf(e.getMessage()));
      }
    }
  }

  static boolean contains(ByteString value, char wanted) {
    for (int i = 0; i < value.size(); i++) {
      if (value.byteAt(i) == wanted) {
        return true;
      }
    }
    return false;
  }

  private static @Nullable ByteString only(List<String> values, String what) throws BadToken {
    if (values.size() > 1) {
      throw new BadToken(what + " is there more than once");
    }
    return values.isEmpty() ? null : ByteString.copyFrom(values.getFirst(), StandardCharsets.UTF_8);
  }
}
