package dev.gatehouse.authz;

import com.google.protobuf.ByteString;
import dev.gatehouse.authz.rules.Trace;
import dev.gatehouse.policy.attach.RouteKey;
import dev.gatehouse.policy.expr.Auth;
import dev.gatehouse.policy.expr.RequestFacts;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A request as Envoy describes it ({@code envoy.service.auth.v3.AttributeContext}), read lazily. Understands both forms of
 * headers: {@code header_map} (Envoy's {@code encode_raw_headers}: every line by itself, raw bytes) and {@code headers} (values
 * joined by commas, bytes that are no UTF-8 replaced by {@code !}). Belongs to one call.
 */
final class RequestView implements RequestFacts {
  /** More parameters than this are refused by whoever looks at the query: the one that matters may stand behind them. */
  static final int MAX_PARAMETERS = 256;

  private static final String EXTERNAL_ADDRESS = "x-envoy-external-address";

  private final AttributeContext attributes;
  private final AttributeContext.HttpRequest http;
  private final boolean addressFromHeader;
  private final Trace trace;
  private @Nullable Map<String, String> headers;
  private @Nullable Map<String, String> query;
  private @Nullable ByteString decisionId;

  private RequestView(AttributeContext attributes, boolean addressFromHeader, Trace trace) {
    this.attributes = attributes;
    this.http = attributes.getRequest().getHttp();
    this.addressFromHeader = addressFromHeader;
    this.trace = trace;
  }

  static RequestView of(AttributeContext attributes, boolean addressFromHeader) {
    return new RequestView(attributes, addressFromHeader, Trace.NONE);
  }

  /** Whose decision somebody follows. */
  static RequestView traced(AttributeContext attributes, boolean addressFromHeader, Trace trace) {
    return new RequestView(attributes, addressFromHeader, trace);
  }

  @Override
  public String method() {
    return http.getMethod();
  }

  @Override
  public String path() {
    return http.getPath();
  }

  @Override
  public String urlPath() {
    var path = http.getPath();
    int query = path.indexOf('?');
    return query < 0 ? path : path.substring(0, query);
  }

  @Override
  public String host() {
    return http.getHost();
  }

  @Override
  public String scheme() {
    return http.getScheme();
  }

  @Override
  public String id() {
    var id = header("x-request-id");
    return id == null ? "" : id;
  }

  @Override
  public @Nullable String header(String name) {
    if (!raw()) {
      return http.getHeadersMap().get(name);
    }
    int first = indexOf(name, 0);
    if (first < 0) {
      return null;
    }
    var value = line(first).toStringUtf8();
    int next = indexOf(name, first + 1);
    if (next < 0) {
      return value;
    }
    var all = new StringBuilder(value);
    for (; next >= 0; next = indexOf(name, next + 1)) {
      all.append(',').append(line(next).toStringUtf8());
    }
    return all.toString();
  }

  /** A header's first line as it came; in the form {@code headers} that may be several joined by commas. */
  @Nullable
  ByteString first(String name) {
    if (raw()) {
      int first = indexOf(name, 0);
      return first < 0 ? null : line(first);
    }
    var joined = http.getHeadersMap().get(name);
    return joined == null ? null : ByteString.copyFromUtf8(joined);
  }

  /** Whether a header has more than one line. The form {@code headers} cannot tell, but for a comma in the value. */
  boolean repeated(String name) {
    if (!raw()) {
      return false;
    }
    int first = indexOf(name, 0);
    return first >= 0 && indexOf(name, first + 1) >= 0;
  }

  /**
   * Whether a header, whose first line is {@code value}, has another that may hold a credential. In the form {@code headers} several
   * lines are a comma in the value, which no credential holds.
   */
  boolean several(String name, ByteString value) {
    return raw() ? repeated(name) : TokenLocation.contains(value, ',');
  }

  @Override
  public Map<String, String> headers() {
    if (headers == null) {
      headers = raw() ? joined() : http.getHeadersMap();
    }
    return headers;
  }

  /**
   * @throws IllegalStateException if there are more than {@link #MAX_PARAMETERS}
   */
  @Override
  public Map<String, String> query() {
    if (query == null) {
      var first = new LinkedHashMap<String, String>();
      for (var parameter : parameters()) {
        first.putIfAbsent(parameter.name(), parameter.value());
      }
      query = Collections.unmodifiableMap(first);
    }
    return query;
  }

  /**
   * Every value of a query parameter, decoded, in order.
   *
   * @throws IllegalStateException if there are more than {@link #MAX_PARAMETERS}
   */
  List<String> parameter(String name) {
    var path = http.getPath();
    int query = path.indexOf('?');
    if (query < 0 || (path.indexOf(name, query) < 0 && path.indexOf('%', query) < 0)) {
      return List.of(); // not even in disguise
    }
    return parameters().stream()
        .filter(p -> p.name().equals(name))
        .map(Parameter::value)
        .toList();
  }

  /** Whether a parameter's name is written in another way than it reads, so that Envoy would not find it to take it out. */
  boolean disguises(String name) {
    var path = http.getPath();
    int query = path.indexOf('?');
    if (query < 0 || (path.indexOf('%', query) < 0 && path.indexOf('+', query) < 0)) {
      return false;
    }
    long plain = Arrays.stream(path.substring(query + 1).split("&", MAX_PARAMETERS + 1))
        .filter(part -> part.equals(name) || part.startsWith(name + "="))
        .count();
    return plain != parameter(name).size();
  }

  /** Every value of a cookie, in order (RFC 6265 §4.2.1), quotes kept. */
  List<String> cookie(String name) {
    return cookies().stream()
        .filter(cookie -> name.equals(cookie.name))
        .map(Cookie::value)
        .toList();
  }

  /** All cookies but those of these names, as one header's value; null if there is none of them. */
  @Nullable
  String cookiesBut(List<String> names) {
    var all = cookies();
    var left = all.stream().filter(cookie -> !names.contains(cookie.name)).toList();
    return left.size() == all.size()
        ? null
        : left.stream().map(Cookie::text).collect(Collectors.joining("; "));
  }

  /** @param name empty where there is none */
  private record Cookie(String name, String value, String text) {}

  /** In one place, so that whoever looks for a credential and whoever takes it out read the same. */
  private List<Cookie> cookies() {
    var header = header("cookie");
    if (header == null) {
      return List.of();
    }
    var cookies = new ArrayList<Cookie>();
    // HTTP/2 may carry each cookie in a line of its own (RFC 9113 §8.2.3); lines joined by a comma
    // are no less apart.
    for (var pair : header.split("[;,]")) {
      int equals = pair.indexOf('=');
      if (!pair.isBlank()) {
        cookies.add(new Cookie(
            equals > 0 ? pair.substring(0, equals).strip() : "",
            pair.substring(equals + 1).strip(),
            pair.strip()));
      }
    }
    return cookies;
  }

  /** The peer that Envoy reports, or what Envoy says in {@code x-envoy-external-address}, where the settings trust that. */
  @Override
  public String sourceAddress() {
    if (addressFromHeader) {
      var told = header(EXTERNAL_ADDRESS);
      return told == null ? "" : told;
    }
    return peerAddress();
  }

  /** Whoever the connection is with, be it a proxy. */
  String peerAddress() {
    return attributes.getSource().getAddress().getSocketAddress().getAddress();
  }

  /** Not known yet: who it is, is what a decision finds out. */
  @Override
  public @Nullable Auth auth() {
    return null;
  }

  @Override
  public @Nullable RouteKey route() {
    return null;
  }

  /**
   * What the log, the metadata and the other services call this decision: {@code x-request-id} where it is a UUID, as Envoy's are,
   * else a new one. Always 36 characters of ASCII.
   */
  ByteString decisionId() {
    if (decisionId == null) {
      var id = first("x-request-id");
      decisionId = id != null && isUuid(id) ? id : ByteString.copyFromUtf8(unique());
    }
    return decisionId;
  }

  /** A name, not a secret: a SecureRandom would read a file on the event loop, under a lock. */
  private static String unique() {
    var random = ThreadLocalRandom.current();
    long version4 = (random.nextLong() & ~0xf000L) | 0x4000L;
    long variant = (random.nextLong() & ~(0b11L << 62)) | (0b10L << 62);
    return new UUID(version4, variant).toString();
  }

  @Override
  public String decision() {
    return decisionId().toStringUtf8();
  }

  Trace trace() {
    return trace;
  }

  AttributeContext attributes() {
    return attributes;
  }

  private boolean raw() {
    return http.getHeaderMap().getHeadersCount() > 0;
  }

  private int indexOf(String name, int from) {
    var lines = http.getHeaderMap();
    for (int i = from; i < lines.getHeadersCount(); i++) {
      if (lines.getHeaders(i).getKey().equalsIgnoreCase(name)) {
        return i;
      }
    }
    return -1;
  }

  private ByteString line(int index) {
    return bytes(http.getHeaderMap().getHeaders(index));
  }

  private record Parameter(String name, String value) {}

  private List<Parameter> parameters() {
    var path = http.getPath();
    int question = path.indexOf('?');
    if (question < 0) {
      return List.of();
    }
    int fragment = path.indexOf('#', question);
    var text = path.substring(question + 1, fragment < 0 ? path.length() : fragment);
    var parts = text.split("&", MAX_PARAMETERS + 1);
    if (parts.length > MAX_PARAMETERS) {
      throw new IllegalStateException("more than " + MAX_PARAMETERS + " query parameters");
    }
    var parameters = new ArrayList<Parameter>(parts.length);
    for (var part : parts) {
      int equals = part.indexOf('=');
      if (!part.isEmpty()) {
        parameters.add(new Parameter(
            decoded(equals < 0 ? part : part.substring(0, equals)),
            equals < 0 ? "" : decoded(part.substring(equals + 1))));
      }
    }
    return parameters;
  }

  /** As an HTML form would be ({@code +} is a space); what cannot be decoded stays as it is. */
  private static String decoded(String text) {
    if (text.indexOf('%') < 0 && text.indexOf('+') < 0) {
      return text;
    }
    try {
      return URLDecoder.decode(text, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return text;
    }
  }

  private Map<String, String> joined() {
    var all = new LinkedHashMap<String, String>();
    for (var line : http.getHeaderMap().getHeadersList()) {
      all.merge(line.getKey(), bytes(line).toStringUtf8(), (one, other) -> one + "," + other);
    }
    return Collections.unmodifiableMap(all);
  }

  private static ByteString bytes(HeaderValue line) {
    return line.getRawValue().isEmpty() ? line.getValueBytes() : line.getRawValue();
  }

  private static boolean isUuid(ByteString id) {
    if (id.size() != 36) {
      return false;
    }
    for (int i = 0; i < 36; i++) {
      byte c = id.byteAt(i);
      boolean dash = i == 8 || i == 13 || i == 18 || i == 23;
      boolean hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      if (dash ? c != '-' : !hex) {
        return false;
      }
    }
    return true;
  }
}
