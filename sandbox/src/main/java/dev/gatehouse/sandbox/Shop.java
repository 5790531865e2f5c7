package dev.gatehouse.sandbox;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;
import tools.jackson.databind.json.JsonMapper;

/**
 * The demo's upstream: a shop whose answers hold what a gate must not let out. It compresses and cuts ranges when asked, so that
 * masking is put to the test, and says as {@code user} which {@code x-user} reached it.
 */
public final class Shop implements Function<Upstream.Seen, Upstream.Reply> {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final Pattern RANGE = Pattern.compile("bytes=(\\d+)-(\\d*)");

  @Override
  public Upstream.Reply apply(Upstream.Seen request) {
    var path = request.path().split("\\?", 2)[0];
    return switch (path) {
      case "/orders" -> request.method().equals("POST") ? created(request) : orders(request);
      case "/public" -> json(request, 200, Map.of("open", "09:00-18:00"));
      case "/admin" -> json(request, 200, Map.of("revenue", 1024));
      default -> json(request, 404, Map.of("error", "no such page", "path", path));
    };
  }

  private static Upstream.Reply orders(Upstream.Seen request) {
    var full = json(
        request,
        200,
        Map.of(
            "orders",
            List.of(
                order(1, "Ada", "4111111111111111", 42),
                order(2, "Grace", "5500005555555559", 17))));
    return ranged(request, compressed(request, full));
  }

  private static Map<String, Object> order(int id, String customer, String card, int total) {
    var order = new LinkedHashMap<String, Object>();
    order.put("id", id);
    order.put("customer", customer);
    order.put("card", Map.of("number", card));
    order.put("total", total);
    return order;
  }

  private static Upstream.Reply created(Upstream.Seen request) {
    return json(request, 201, Map.of("created", request.text()));
  }

  private static Upstream.Reply json(
      Upstream.Seen request, int status, Map<String, Object> content) {
    var body = new LinkedHashMap<String, Object>();
    body.put("user", String.join(", ", request.header("x-user")));
    body.putAll(content);
    return new Upstream.Reply(
        status,
        List.of(
            new Field("content-type", "application/json"),
            new Field("server", "shop/1.0"),
            new Field("x-powered-by", "Beans 7"),
            new Field("accept-ranges", "bytes")),
        ByteString.copyFromUtf8(JSON.writeValueAsString(body) + "\n"));
  }

  private static Upstream.Reply compressed(Upstream.Seen request, Upstream.Reply reply) {
    var asked = String.join(",", request.header("accept-encoding")).toLowerCase(Locale.ROOT);
    if (!asked.contains("gzip")) {
      return reply;
    }
    return new Upstream.Reply(
        reply.status(), with(reply, new Field("content-encoding", "gzip")), gzip(reply.body()));
  }

  private static Upstream.Reply ranged(Upstream.Seen request, Upstream.Reply reply) {
    var range = RANGE.matcher(String.join(",", request.header("range")));
    if (!range.matches()) {
      return reply;
    }
    var size = reply.body().size();
    var from = Integer.parseInt(range.group(1));
    var to = range.group(2).isEmpty() ? size - 1 : Integer.parseInt(range.group(2));
    if (from >= size || to < from) {
      return new Upstream.Reply(
          416, with(reply, new Field("content-range", "bytes */" + size)), ByteString.EMPTY);
    }
    to = Math.min(to, size - 1);
    return new Upstream.Reply(
        206,
        with(reply, new Field("content-range", "bytes " + from + "-" + to + "/" + size)),
        reply.body().substring(from, to + 1));
  }

  private static List<Field> with(Upstream.Reply reply, Field field) {
    var fields = new ArrayList<>(reply.fields());
    fields.add(field);
    return fields;
  }

  static ByteString gzip(ByteString plain) {
    var bytes = ByteString.newOutput();
    try (var out = new GZIPOutputStream(bytes)) {
      plain.writeTo(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteString();
  }
}
