package dev.gatehouse.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** The policies that the measured servers serve, and who calls: a thousand callers, and as many more as a load asks for. */
final class Shop {
  private static final int CALLERS = 1_000;

  /** So many routes, with a policy each, stand in one file. */
  private static final int ROUTES_A_FILE = 500;

  private final QuickKey key = new QuickKey();
  private final long now = System.currentTimeMillis() / 1000;

  String listener() {
    return "shop/web/http";
  }

  String route() {
    return "HTTPRoute/shop/orders/list";
  }

  /** Of the many routes of {@link #writeRoutes}. */
  String route(int number) {
    return "HTTPRoute/shop/" + name(number) + "/list";
  }

  /** The first entry of the descriptors of {@link #route(int)}. */
  String rateLimitedRoute(int number) {
    return "httproute/shop/" + name(number) + "/rule/0/match/0/*";
  }

  List<String> users() {
    return users(0, CALLERS);
  }

  List<String> users(int from, int count) {
    return IntStream.range(from, from + count).mapToObj(Shop::user).toList();
  }

  List<String> tokens() {
    return tokens(0, CALLERS);
  }

  /** Tokens of other callers for each number; all of one length. Signed on all processors. */
  List<String> tokens(int from, int count) {
    return IntStream.range(from, from + count).parallel().mapToObj(this::token).toList();
  }

  List<String> apiKeys() {
    return IntStream.range(0, CALLERS).mapToObj(Shop::apiKey).toList();
  }

  /** Writes the policies of a scenario into a folder. Limits are so high that nothing is denied. */
  void write(Scenario scenario, Path folder) {
    switch (scenario) {
      case AUTHZ, AUTHZ_FIRST, RATELIMIT, EXT_PROC -> write(folder, resource("policies.yaml"));
      case RATELIMIT_DENIED ->
        write(folder, resource("policies.yaml").replace("{requests: 1000000000,", "{requests: 0,"));
      case AUTHZ_APIKEY -> write(folder, resource("api-keys.yaml") + secret());
      case EXT_PROC_MASK -> write(folder, resource("masking.yaml"));
      case AUTHZ_ROUTES, RATELIMIT_RULES ->
        throw new IllegalArgumentException("how many routes? (expected: writeRoutes)");
    }
  }

  /** Routes with a policy each, all of one Gateway. */
  void writeRoutes(Scenario scenario, Path folder, int count) {
    write(folder, resource("gateway.yaml"));
    var each = resource(scenario == Scenario.RATELIMIT_RULES ? "limited-route.yaml" : "route.yaml");
    for (int from = 0; from < count; from += ROUTES_A_FILE) {
      var file = new StringBuilder();
      for (int i = from; i < Math.min(count, from + ROUTES_A_FILE); i++) {
        file.append(each.replace("${name}", name(i)));
      }
      save(folder.resolve(name(from) + ".yaml"), file.toString());
    }
  }

  /** The limit of the usual policies, a second long. */
  void writeLimitsASecond(Path folder) {
    write(
        folder,
        resource("policies.yaml")
            .replace("{requests: 1000000000, unit: Hour}", "{requests: 1000000000, unit: Second}"));
  }

  /** The usual policies with a second limit, which all callers share. */
  void writeNestedLimits(Path folder) {
    var limit = "limit: {requests: 1000000000, unit: Hour}\n";
    write(folder, resource("policies.yaml").replace(limit, limit + "      - " + limit));
  }

  private void write(Path folder, String yaml) {
    save(folder.resolve("policies.yaml"), yaml.replace("${jwks}", key.jwks("k1")));
  }

  private static void save(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String resource(String name) {
    try (var in = Shop.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is not among the resources");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String secret() {
    var secret = new StringBuilder(
        "---\napiVersion: v1\nkind: Secret\nmetadata: {name: keys, namespace: shop}\nstringData:\n");
    for (int i = 0; i < CALLERS; i++) {
      secret.append("  ").append(user(i)).append(": ").append(apiKey(i)).append('\n');
    }
    return secret.toString();
  }

  private static String name(int route) {
    return String.format(Locale.ROOT, "route-%05d", route);
  }

  private static String user(int number) {
    return String.format(Locale.ROOT, "user-%07d", number);
  }

  private static String apiKey(int number) {
    return String.format(Locale.ROOT, "gk_live_4f1d0c52a9b84e6d8f3e%012d", number);
  }

  private String token(int number) {
    var user = user(number);
    return key.sign(
        "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}",
        "{\"iss\":\"https://idp.shop.example\",\"aud\":\"orders\",\"sub\":\"" + user
            + "\",\"client_id\":\"shop-web\",\"scope\":\"orders:read orders:write profile\",\"iat\":"
            + now + ",\"exp\":" + (now + 86_400) + ",\"jti\":\"" + user
            + "-1\",\"plan\":\"gold\"}");
  }
}
