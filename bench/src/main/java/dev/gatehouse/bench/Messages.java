package dev.gatehouse.bench;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.HeaderMap;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpBody;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpHeaders;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.ProtocolConfiguration;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * The messages that Envoy would send for an ordinary API request with 14 headers. Serialised once, so that the client costs as
 * little as it can.
 */
final class Messages {
  private static final String ROUTE = "httproute/shop/orders/rule/0/match/0/*";

  /** Under which Envoy sends attributes. */
  private static final String FILTER = "envoy.filters.http.ext_proc";

  private static final String PEER = "10.1.2.3:51234";

  private static final int ORDER_BYTES = 4096;
  private static final String CARD = "4111111111111111";

  /** Of the loads on routes, the smaller number of them. */
  private static final int FEW = 10;

  private Messages() {}

  /** For each caller the messages of one call: one, or two and three on an ext_proc stream. */
  static List<List<byte[]>> of(Scenario scenario, Shop shop) {
    return switch (scenario) {
      case AUTHZ, AUTHZ_FIRST -> checks(shop, shop.tokens());
      case AUTHZ_ROUTES, RATELIMIT_RULES ->
        throw new IllegalArgumentException("how many? (expected: onRoutes)");
      case AUTHZ_APIKEY ->
        shop.apiKeys().stream()
            .map(key -> List.of(check(shop, shop.route(), "x-api-key", key)))
            .toList();
      case RATELIMIT, RATELIMIT_DENIED ->
        shop.users().stream().map(user -> List.of(limit(shop, ROUTE, user))).toList();
      case EXT_PROC ->
        shop.tokens().stream()
            .map(
                token -> List.of(requestHeaders(token, BodySendMode.NONE), responseHeaders("4711")))
            .toList();
      case EXT_PROC_MASK -> {
        var body = order();
        yield shop.tokens().stream()
            .map(token -> List.of(
                requestHeaders(token, BodySendMode.BUFFERED),
                responseHeaders(Integer.toString(body.size())),
                responseBody(body)))
            .toList();
      }
    };
  }

  /** A call with each of the tokens, which are all of one length: only the first message is built, the others are copies. */
  static List<List<byte[]>> checks(Shop shop, List<String> tokens) {
    var template = check(shop, tokens.getFirst());
    int tokenAt = indexOf(template, tokens.getFirst());
    return tokens.stream().map(token -> List.of(with(template, tokenAt, token))).toList();
  }

  /**
   * Two calls a token, on two of the routes, all of which are called. The same tokens and as many pairs of token and policy however
   * many routes there are, so that nothing but the number of routes tells two loads apart. In the same haphazard order each time.
   */
  static List<List<byte[]>> onRoutes(Shop shop, int routes, int calls) {
    var tokens = shop.tokens(0, calls / 2);
    var all = new ArrayList<List<byte[]>>(calls);
    for (int i = 0; i < calls; i++) {
      var token = "Bearer " + tokens.get(i / 2);
      all.add(List.of(check(shop, shop.route(i % routes), "authorization", token)));
    }
    Collections.shuffle(all, new Random(4711));
    return all;
  }

  /**
   * As many pairs of route and caller, and so as many counters, however many routes there are. In the same haphazard order each time.
   */
  static List<List<byte[]>> limitsOnRoutes(Shop shop, int routes, int calls) {
    var users = shop.users();
    var all = new ArrayList<List<byte[]>>(calls);
    for (int i = 0; i < calls; i++) {
      var route = shop.rateLimitedRoute(i % routes);
      all.add(List.of(limit(shop, route, users.get(i / FEW % users.size()))));
    }
    Collections.shuffle(all, new Random(4711));
    return all;
  }

  /** A call for each of so many callers, each of whom has a counter of its own. */
  static List<List<byte[]>> limits(Shop shop, int from, int count) {
    return shop.users(from, count).stream()
        .map(user -> List.of(limit(shop, ROUTE, user)))
        .toList();
  }

  static byte[] check(Shop shop, String token) {
    return check(shop, shop.route(), "authorization", "Bearer " + token);
  }

  private static byte[] check(Shop shop, String route, String header, String credential) {
    var http = AttributeContext.HttpRequest.newBuilder()
        .setId("1234567890123456789")
        .setMethod("GET")
        .setPath("/orders/4711?expand=lines&limit=50")
        .setHost("api.shop.example")
        .setScheme("https")
        .setProtocol("HTTP/2")
        .setSize(-1)
        .setHeaderMap(headerMap(request(header, credential)));
    return CheckRequest.newBuilder()
        .setAttributes(AttributeContext.newBuilder()
            .setSource(AttributeContext.Peer.newBuilder().setAddress(address("10.1.2.3", 51234)))
            .setDestination(
                AttributeContext.Peer.newBuilder().setAddress(address("10.0.0.1", 8443)))
            .setRequest(AttributeContext.Request.newBuilder().setHttp(http))
            .putContextExtensions("gatehouse.dev/listener", shop.listener())
            .putContextExtensions("gatehouse.dev/route", route))
        .build()
        .toByteArray();
  }

  /** A copy of a message in which another text of the same length stands. */
  static byte[] with(byte[] template, int at, String text) {
    var message = template.clone();
    var bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, message, at, bytes.length);
    return message;
  }

  static int indexOf(byte[] message, String text) {
    int at = new String(message, StandardCharsets.ISO_8859_1).indexOf(text);
    if (at < 0) {
      throw new IllegalArgumentException("the message does not hold the text");
    }
    return at;
  }

  /** The caller's limit and the route's. */
  static List<List<byte[]>> nestedLimits(Shop shop) {
    return shop.users().stream()
        .map(user -> List.of(RateLimitRequest.newBuilder()
            .setDomain(shop.listener())
            .addDescriptors(descriptor(ROUTE, "rule-0-match-0", user))
            .addDescriptors(descriptor(ROUTE, "rule-1-match--1", "rule-1-match--1"))
            .build()
            .toByteArray()))
        .toList();
  }

  private static RateLimitDescriptor descriptor(String route, String key, String value) {
    return RateLimitDescriptor.newBuilder()
        .addEntries(RateLimitDescriptor.Entry.newBuilder().setKey(route).setValue(route))
        .addEntries(RateLimitDescriptor.Entry.newBuilder().setKey(key).setValue(value))
        .build();
  }

  private static byte[] limit(Shop shop, String route, String user) {
    return RateLimitRequest.newBuilder()
        .setDomain(shop.listener())
        .addDescriptors(descriptor(route, "rule-0-match-0", user))
        .build()
        .toByteArray();
  }

  /** @param responseBody as the filter is configured, which Envoy says in the first message */
  private static byte[] requestHeaders(String token, BodySendMode responseBody) {
    return ProcessingRequest.newBuilder()
        .setRequestHeaders(HttpHeaders.newBuilder()
            .setHeaders(headerMap(request("authorization", "Bearer " + token)))
            .setEndOfStream(true))
        .putAttributes(FILTER, attributes("source.address", PEER))
        .setProtocolConfig(ProtocolConfiguration.newBuilder().setResponseBodyMode(responseBody))
        .build()
        .toByteArray();
  }

  private static byte[] responseHeaders(String length) {
    return ProcessingRequest.newBuilder()
        .setResponseHeaders(HttpHeaders.newBuilder()
            .setHeaders(headerMap(List.of(
                new String[] {":status", "200"},
                new String[] {"content-type", "application/json"},
                new String[] {"content-length", length},
                new String[] {"date", "Sun, 22 Nov 2026 10:00:00 GMT"},
                new String[] {"server", "shop/1.2"},
                new String[] {"x-powered-by", "shop"},
                new String[] {"cache-control", "no-store"},
                new String[] {"etag", "\"0a1b2c3d4e5f\""},
                new String[] {"vary", "accept-encoding"},
                new String[] {"x-envoy-upstream-service-time", "12"}))))
        .putAttributes(
            FILTER, attributes("response.code_details", "via_upstream", "source.address", PEER))
        .build()
        .toByteArray();
  }

  private static byte[] responseBody(ByteString body) {
    return ProcessingRequest.newBuilder()
        .setResponseBody(HttpBody.newBuilder().setBody(body).setEndOfStream(true))
        .build()
        .toByteArray();
  }

  private static Struct attributes(String... namesAndValues) {
    var all = Struct.newBuilder();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      all.putFields(
          namesAndValues[i],
          Value.newBuilder().setStringValue(namesAndValues[i + 1]).build());
    }
    return all.build();
  }

  /** An order of 4 KiB; what is masked of it stands at its begin. */
  private static ByteString order() {
    var order = new StringBuilder("{\"id\":4711,\"customer\":{\"name\":\"Ada Miller\",\"card\":\"")
        .append(CARD)
        .append(
            "\",\"iban\":\"DE89370400440532013000\",\"email\":\"ada@example.com\"},\"lines\":[");
    for (int i = 0; order.length() < ORDER_BYTES - 200; i++) {
      order
          .append(i == 0 ? "" : ",")
          .append("{\"sku\":\"SKU-")
          .append(10_000 + i)
          .append("\",\"name\":\"An article with a name\",\"quantity\":")
          .append(1 + i % 7)
          .append(",\"price\":")
          .append(19.95 + i)
          .append(",\"giftWrap\":false}");
    }
    order.append("],\"note\":\"");
    return ByteString.copyFromUtf8(order + "x".repeat(ORDER_BYTES - order.length() - 2) + "\"}");
  }

  /** @throws IllegalStateException if the body's answer is not the order with its card masked */
  static void requireMasked(List<byte[]> answers) throws InvalidProtocolBufferException {
    var body = ProcessingResponse.parseFrom(answers.getLast())
        .getResponseBody()
        .getResponse()
        .getBodyMutation()
        .getBody();
    if (body.size() != ORDER_BYTES || body.toStringUtf8().contains(CARD)) {
      throw new IllegalStateException("the answer is not the masked order: " + body.toStringUtf8());
    }
  }

  /** The same request as a client sends it over HTTP/1.1. */
  static byte[] httpRequest() {
    var text = new StringBuilder(
        "GET /orders/4711?expand=lines&limit=50 HTTP/1.1\r\nhost: api.shop.example\r\n");
    for (var header : request("x-api-key", "gk_live_4f1d0c52a9b84e6d8f3e")) {
      if (!header[0].startsWith(":")) {
        text.append(header[0]).append(": ").append(header[1]).append("\r\n");
      }
    }
    return text.append("\r\n").toString().getBytes(StandardCharsets.US_ASCII);
  }

  private static List<String[]> request(String header, String credential) {
    var headers = new ArrayList<String[]>();
    headers.add(new String[] {":authority", "api.shop.example"});
    headers.add(new String[] {":path", "/orders/4711?expand=lines&limit=50"});
    headers.add(new String[] {":method", "GET"});
    headers.add(new String[] {":scheme", "https"});
    headers.add(new String[] {
      "user-agent",
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
    });
    headers.add(new String[] {"accept", "application/json"});
    headers.add(new String[] {"accept-encoding", "gzip, deflate, br, zstd"});
    headers.add(new String[] {"accept-language", "en-GB,en;q=0.9,de;q=0.8"});
    headers.add(new String[] {header, credential});
    headers.add(
        new String[] {"cookie", "consent=all; theme=dark; locale=en-GB; visited=1763800000"});
    headers.add(new String[] {"referer", "https://www.shop.example/account/orders"});
    headers.add(new String[] {"x-forwarded-for", "203.0.113.7"});
    headers.add(new String[] {"x-forwarded-proto", "https"});
    headers.add(new String[] {"x-request-id", "8f0c6a52-2c3c-4e2e-9a59-0d8a7a0a1b2c"});
    return headers;
  }

  private static HeaderMap headerMap(List<String[]> headers) {
    var map = HeaderMap.newBuilder();
    for (var header : headers) {
      map.addHeaders(HeaderValue.newBuilder()
          .setKey(header[0])
          .setRawValue(ByteString.copyFromUtf8(header[1])));
    }
    return map.build();
  }

  private static Address address(String ip, int port) {
    return Address.newBuilder()
        .setSocketAddress(SocketAddress.newBuilder().setAddress(ip).setPortValue(port))
        .build();
  }
}
