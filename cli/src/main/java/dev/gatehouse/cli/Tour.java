package dev.gatehouse.cli;

import com.google.protobuf.ByteString;
import dev.gatehouse.sandbox.Field;
import dev.gatehouse.sandbox.Issuer;
import dev.gatehouse.sandbox.RawHttp;
import dev.gatehouse.sandbox.SigningKey;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/** The demo's requests, each with the answer it will get: printed as curl lines to paste, and run by {@code demo --check}. */
final class Tour {
  private static final long TOKEN_SECONDS = 12 * 3_600;
  private static final String CARD_MASKED = "************1111";
  private static final String CARD = "4111111111111111";

  private final String url;
  private final String reader;
  private final String admin;
  private final List<Stop> stops = new ArrayList<>();

  Tour(String url, Issuer issuer) {
    this.url = url;
    this.reader = token(issuer, "ada", "orders:read", null);
    this.admin = token(issuer, "grace", "orders:read orders:write", "admin");
    stops();
  }

  private static String token(Issuer issuer, String sub, String scope, @Nullable String role) {
    var now = Instant.now().getEpochSecond();
    var claims = new LinkedHashMap<String, Object>();
    claims.put("iss", SigningKey.DEMO_ISSUER);
    claims.put("aud", SigningKey.DEMO_AUDIENCE);
    claims.put("sub", sub);
    claims.put("scope", scope);
    if (role != null) {
      claims.put("role", role);
    }
    claims.put("iat", now);
    claims.put("exp", now + TOKEN_SECONDS);
    return issuer.token(claims);
  }

  /** Whose token goes along. */
  enum Who {
    NOBODY,
    READER,
    ADMIN
  }

  /**
   * One request, or several alike.
   *
   * @param statuses what each answer's will be; as many as there are requests
   * @param promise what the answer will be, in words
   */
  record Stop(
      String title,
      Who who,
      String method,
      String path,
      List<Field> fields,
      String body,
      List<Integer> statuses,
      List<String> contains,
      List<String> lacks,
      Map<String, String> headers,
      List<String> without,
      String promise) {
    int times() {
      return statuses.size();
    }

    Stop in(String more) {
      return with(add(contains, more), lacks, headers, without);
    }

    Stop notIn(String less) {
      return with(contains, add(lacks, less), headers, without);
    }

    Stop header(String name, String value) {
      var all = new LinkedHashMap<>(headers);
      all.put(name, value);
      return with(contains, lacks, all, without);
    }

    Stop without(String name) {
      return with(contains, lacks, headers, add(without, name));
    }

    private Stop with(
        List<String> contains,
        List<String> lacks,
        Map<String, String> headers,
        List<String> without) {
      return new Stop(
          title, who, method, path, fields, body, statuses, contains, lacks, headers, without,
          promise);
    }

    private static List<String> add(List<String> list, String one) {
      var all = new ArrayList<>(list);
      all.add(one);
      return List.copyOf(all);
    }

    /** What is wrong with an answer; empty when it is as promised. */
    List<String> wrong(RawHttp.Answer answer, int number) {
      var wrong = new ArrayList<String>();
      if (answer.status() != statuses.get(number)) {
        wrong.add("status " + answer.status() + " instead of " + statuses.get(number));
      }
      var text = text(answer);
      contains.stream()
          .filter(part -> !text.contains(part))
          .forEach(part -> wrong.add("the body lacks " + part));
      lacks.stream().filter(text::contains).forEach(part -> wrong.add("the body holds " + part));
      headers.forEach((name, value) -> {
        if (!answer.header(name).contains(value)) {
          wrong.add(name + " is " + answer.header(name) + " instead of " + value);
        }
      });
      without.stream()
          .filter(name -> !answer.header(name).isEmpty())
          .forEach(name -> wrong.add(name + " is " + answer.header(name)));
      return wrong;
    }

    private static String text(RawHttp.Answer answer) {
      if (!answer.header("content-encoding").contains("gzip")) {
        return answer.text();
      }
      try (var in = new GZIPInputStream(answer.body().newInput())) {
        return ByteString.readFrom(in).toStringUtf8();
      } catch (IOException e) {
        return answer.text();
      }
    }
  }

  private void stops() {
    add("open to everybody", Who.NOBODY, "GET", "/public", "200, no token needed", 200)
        .accept(s -> s.in("\"open\"").without("server").without("x-powered-by"));
    add("no token", Who.NOBODY, "GET", "/orders", "401, asks for a bearer token", 401)
        .accept(s -> s);
    add(
            "a reader reads",
            Who.READER,
            "GET",
            "/orders",
            "200, cards end in 1111 and 5559 and show no more",
            200)
        .accept(s -> masked(s).in("\"user\":\"ada\"").without("server").without("x-powered-by"));
    add(
            "… compressed",
            Who.READER,
            "GET",
            "/orders",
            "200, masked all the same",
            200,
            new Field("accept-encoding", "gzip"))
        .accept(Tour::masked);
    add(
            "… in pieces",
            Who.READER,
            "GET",
            "/orders",
            "200, all of it and masked: no range switches a mask off",
            200,
            new Field("range", "bytes=60-200"))
        .accept(Tour::masked);
    add(
            "… under another name",
            Who.READER,
            "GET",
            "/orders",
            "200, \"user\":\"ada\" whatever the client says",
            200,
            new Field("x-user", "root"))
        .accept(s -> masked(s).in("\"user\":\"ada\"").notIn("root"));
    add(
            "also where it is open",
            Who.NOBODY,
            "GET",
            "/public",
            "200, \"user\":\"\"",
            200,
            new Field("x-user", "root"))
        .accept(s -> s.in("\"user\":\"\"").notIn("root"));
    add("a reader writes", Who.READER, "POST", "/orders", "403, needs the scope orders:write", 403)
        .accept(s -> s);
    add("an admin writes", Who.ADMIN, "POST", "/orders", "201", 201)
        .accept(s -> s.in("\"user\":\"grace\"").in("beans"));
    add(
            "a reader in the back office",
            Who.READER,
            "GET",
            "/admin",
            "403, needs the role admin",
            403)
        .accept(s -> s);
    add("an admin in the back office", Who.ADMIN, "GET", "/admin", "200", 200)
        .accept(s -> s.in("\"revenue\""));
    add(
            "a browser asks first",
            Who.NOBODY,
            "OPTIONS",
            "/orders",
            "200, a CORS preflight needs no token",
            200,
            new Field("origin", "https://www.shop.example"),
            new Field("access-control-request-method", "POST"))
        .accept(s -> s.header("access-control-allow-origin", "https://www.shop.example"));
    stops.add(new Stop(
        "six times in a minute",
        Who.ADMIN,
        "GET",
        "/orders",
        List.of(),
        "",
        List.of(200, 200, 200, 200, 200, 429),
        List.of(),
        List.of(CARD),
        Map.of(),
        List.of(),
        "200 200 200 200 200 429, five a minute for each user"));
    add("no such page", Who.NOBODY, "GET", "/nowhere", "404 by Envoy, no route leads there", 404)
        .accept(s -> s);
  }

  private static Stop masked(Stop stop) {
    return stop.in(CARD_MASKED).notIn(CARD).notIn("5500005555555559");
  }

  private java.util.function.Consumer<java.util.function.UnaryOperator<Stop>> add(
      String title,
      Who who,
      String method,
      String path,
      String promise,
      int status,
      Field... fields) {
    var body = method.equals("POST") ? "{\"item\":\"beans\"}" : "";
    var stop = new Stop(
        title,
        who,
        method,
        path,
        List.of(fields),
        body,
        List.of(status),
        List.of(),
        List.of(),
        Map.of(),
        List.of(),
        promise);
    return more -> stops.add(more.apply(stop));
  }

  List<Stop> all() {
    return List.copyOf(stops);
  }

  /** As it goes over the wire. */
  RawHttp.Request request(Stop stop) {
    var fields = new ArrayList<Field>();
    fields.add(new Field("host", url.substring("http://".length())));
    switch (stop.who) {
      case NOBODY -> {}
      case READER -> fields.add(new Field("authorization", "Bearer " + reader));
      case ADMIN -> fields.add(new Field("authorization", "Bearer " + admin));
    }
    fields.addAll(stop.fields);
    if (!stop.body.isEmpty()) {
      fields.add(new Field("content-type", "application/json"));
      fields.add(new Field("content-length", Integer.toString(stop.body.length())));
    }
    return new RawHttp.Request(
        stop.method, stop.path, fields, ByteString.copyFromUtf8(stop.body), null);
  }

  /** As one pastes it into a shell. */
  String curl(Stop stop) {
    var line = new StringBuilder("curl -s");
    var gzip = stop.fields.stream().anyMatch(f -> f.name().equals("accept-encoding"));
    line.append(stop.times() > 1 ? " -o /dev/null -w '%{http_code} '" : " -i");
    if (stop.method.equals("OPTIONS")) {
      line.append(" -X OPTIONS");
    }
    switch (stop.who) {
      case NOBODY -> {}
      case READER -> line.append(" --oauth2-bearer $READER");
      case ADMIN -> line.append(" --oauth2-bearer $ADMIN");
    }
    if (gzip) {
      line.append(" --compressed");
    }
    for (var field : stop.fields) {
      if (!field.name().equals("accept-encoding")) {
        line.append(" -H '")
            .append(field.name())
            .append(": ")
            .append(field.value())
            .append('\'');
      }
    }
    if (!stop.body.isEmpty()) {
      line.append(" -H 'content-type: application/json' -d '").append(stop.body).append('\'');
    }
    line.append(' ').append(url).append(stop.path);
    return stop.times() == 1
        ? line.toString()
        : "for i in $(seq " + stop.times() + "); do " + line + "; done; echo";
  }

  void print(Terminal terminal) {
    var out = terminal.out();
    out.println(
        "A reader's and an admin's token, good for 12 hours with this demo and nothing else:");
    out.println();
    out.println("READER=" + reader);
    out.println("ADMIN=" + admin);
    out.println();
    out.println("Lines to paste, and what each will answer:");
    out.println();
    for (var stop : stops) {
      out.println(terminal.dim("# " + stop.title + ": ") + terminal.green(stop.promise));
      out.println(curl(stop));
    }
    out.println();
  }
}
