package dev.gatehouse.cli.explain;

import com.google.protobuf.ByteString;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.SecurityPolicy;
import dev.gatehouse.policy.resource.SecurityPolicy.ExtractFrom;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What is secret in a request and its response, and how it is shown instead. It is looked for by name: credentials' headers, cookies,
 * query parameters and body members, those that a policy reads among them. Whatever is printed goes through {@link #mask}, which hides
 * these texts wherever they stand, so that no part of an explanation has to think of it.
 */
final class Secrets {
  private static final String HIDDEN = "****";

  /** From a longer one the first and last four characters are shown: enough to tell two tokens apart. */
  private static final int SHOWN_ABOVE = 16;

  /** A shorter one is hidden only where it stands as a word: it may be a part of anything. */
  private static final int WORD_BELOW = 4;

  /** A shorter one is none that could not be guessed, and hidden it would take every such letter out of the page. */
  private static final int NO_SECRET_BELOW = 3;

  private static final Pattern SECRET_NAME = Pattern.compile(
      "(?i).*(authorization|token|secret|passw|pwd|passphrase|credential|api[-_]?key|session|assertion|signature|cookie).*");
  private static final Set<String> SECRET_PARAMETERS =
      Set.of("key", "code", "sig", "jwt", "auth", "otp", "pin");

  private final Set<String> headers = new HashSet<>();
  private final Set<String> parameters = new HashSet<>(SECRET_PARAMETERS);
  private final Map<String, String> shown = new HashMap<>();
  private List<Map.Entry<String, String>> longestFirst = List.of();

  private Secrets() {}

  static Secrets of(Asked asked, PolicySet policies) {
    var secrets = new Secrets();
    policies.policies().stream()
        .filter(SecurityPolicy.class::isInstance)
        .map(SecurityPolicy.class::cast)
        .flatMap(Secrets::places)
        .forEach(secrets::reads);
    secrets.take(asked);
    secrets.longestFirst = secrets.shown.entrySet().stream()
        .sorted(
            Comparator.comparingInt((Map.Entry<String, String> e) -> e.getKey().length())
                .reversed())
        .toList();
    return secrets;
  }

  /** The text with nothing secret in it. */
  String mask(String text) {
    var masked = text;
    for (var secret : longestFirst) {
      masked = secret.getKey().length() < WORD_BELOW
          ? masked.replaceAll(
              "(?<![\\p{Alnum}])" + Pattern.quote(secret.getKey()) + "(?![\\p{Alnum}])",
              secret.getValue().replace("$", "\\$"))
          : masked.replace(secret.getKey(), secret.getValue());
    }
    return masked;
  }

  private static Stream<ExtractFrom> places(SecurityPolicy policy) {
    var jwt = policy.jwt();
    var apiKey = policy.apiKeyAuth();
    return Stream.concat(
        jwt == null
            ? Stream.of()
            : jwt.providers().stream()
                .flatMap(provider -> Stream.ofNullable(provider.extractFrom())),
        apiKey == null ? Stream.of() : apiKey.extractFrom().stream());
  }

  private void reads(ExtractFrom from) {
    from.headers().forEach(header -> headers.add(header.name().toLowerCase(Locale.ROOT)));
    parameters.addAll(from.params());
  }

  private void take(Asked asked) {
    var type = "";
    for (var header : asked.headers()) {
      header(header);
      type = header.name().equalsIgnoreCase("content-type") ? header.value() : type;
    }
    query(asked.path());
    body(asked.body(), type);
    if (asked.response() != null) {
      asked.response().headers().forEach(this::header);
      body(asked.response().body(), "");
    }
  }

  private void header(Asked.Header header) {
    var name = header.name().toLowerCase(Locale.ROOT);
    switch (name) {
      case "cookie" -> Stream.of(header.value().split("[;,]")).forEach(this::cookie);
      case "set-cookie" -> cookie(header.value().split(";", 2)[0]);
      default -> {
        if (headers.contains(name) || SECRET_NAME.matcher(name).matches()) {
          credentials(header.value());
        } else if (name.equals("referer") || name.equals("x-envoy-original-path")) {
          query(header.value());
        }
      }
    }
  }

  private void cookie(String pair) {
    int equals = pair.indexOf('=');
    secret(equals < 0 ? pair.strip() : pair.substring(equals + 1).strip());
  }

  /** RFC 9110 section 11.4: a scheme, a space, credentials; or a bare key. */
  private void credentials(String value) {
    secret(value.strip());
    int space = value.strip().indexOf(' ');
    if (space < 0) {
      return;
    }
    var scheme = value.strip().substring(0, space);
    var rest = value.strip().substring(space + 1).strip();
    shown.put(value.strip(), scheme + " " + shape(rest));
    if (scheme.equalsIgnoreCase("basic")) {
      shown.put(value.strip(), scheme + " " + HIDDEN);
      password(rest);
      basic(rest);
    } else {
      secret(rest);
    }
  }

  private void basic(String base64) {
    try {
      var text = new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
      password(text);
      password(text.substring(text.indexOf(':') + 1));
    } catch (IllegalArgumentException e) {
      // Not what it says it is, and hidden already.
    }
  }

  private void query(String path) {
    int question = path.indexOf('?');
    if (question >= 0) {
      form(path.substring(question + 1));
    }
  }

  private void form(String text) {
    for (var pair : text.split("[&;]")) {
      int equals = pair.indexOf('=');
      if (equals > 0 && isSecret(decoded(pair.substring(0, equals)))) {
        secret(pair.substring(equals + 1));
        secret(decoded(pair.substring(equals + 1)));
      }
    }
  }

  private boolean isSecret(String name) {
    return parameters.contains(name)
        || SECRET_PARAMETERS.contains(name.toLowerCase(Locale.ROOT))
        || SECRET_NAME.matcher(name).matches();
  }

  private void body(ByteString body, String type) {
    if (body.isEmpty()) {
      return;
    }
    if (type.toLowerCase(Locale.ROOT).startsWith("application/x-www-form-urlencoded")) {
      form(body.toStringUtf8());
      return;
    }
    try {
      json("", JsonMapper.shared().readTree(body.toStringUtf8()));
    } catch (JacksonException e) {
      // No JSON: there are no names in it that would tell what is secret.
    }
  }

  private void json(String name, JsonNode node) {
    if (node.isObject()) {
      node.properties().forEach(member -> json(member.getKey(), member.getValue()));
    } else if (node.isArray()) {
      node.forEach(element -> json(name, element));
    } else if (SECRET_NAME.matcher(name).matches() && node.isValueNode() && !node.isNull()) {
      password(node.asString());
    }
  }

  private void secret(String text) {
    if (text.isEmpty()) {
      return;
    }
    hide(text, shape(text));
    for (var part : text.split("\\.")) {
      if (part.length() >= SHOWN_ABOVE) {
        hide(part, shape(part)); // a token's signature or claims alone
      }
    }
  }

  private void password(String text) {
    if (!text.isEmpty()) {
      hide(text, HIDDEN);
    }
  }

  private void hide(String text, String instead) {
    if (text.length() < NO_SECRET_BELOW) {
      return;
    }
    shown.putIfAbsent(text, instead);
    shown.putIfAbsent(URLEncoder.encode(text, StandardCharsets.UTF_8), instead);
    var json = JsonMapper.shared().writeValueAsString(text);
    shown.putIfAbsent(json.substring(1, json.length() - 1), instead);
  }

  private static String shape(String text) {
    return text.length() > SHOWN_ABOVE
        ? text.substring(0, 4) + "…" + text.substring(text.length() - 4)
        : HIDDEN;
  }

  private static String decoded(String text) {
    try {
      return URLDecoder.decode(text, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return text;
    }
  }

  /** A JSON value with nothing secret in it, names of members included. */
  Object masked(Object json) {
    return switch (json) {
      case String text -> mask(text);
      case Map<?, ?> map -> {
        var copy = new LinkedHashMap<String, Object>();
        map.forEach((name, value) -> copy.put(mask((String) name), masked(value)));
        yield copy;
      }
      case List<?> list -> list.stream().map(this::masked).toList();
      default -> json;
    };
  }
}
