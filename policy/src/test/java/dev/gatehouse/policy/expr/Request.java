package dev.gatehouse.policy.expr;

import dev.gatehouse.policy.attach.RouteKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A request for tests, which notes what was asked of it. */
final class Request implements RequestFacts {
  final List<String> asked = new ArrayList<>();

  @Nullable
  Auth auth;

  @Nullable
  RouteKey route = new RouteKey("HTTPRoute", "shop", "orders", "create");

  Map<String, String> headers = Map.of("x-role", "admin", "content-type", "text/xml");
  Map<String, String> query = Map.of("page", "2");
  Map<String, String> responseHeaders = Map.of("server", "nginx");
  int responseCode;

  @Nullable
  Object requestBody;

  @Nullable
  Object responseBody;

  Map<String, Map<String, Object>> metadata = Map.of();

  static Request of(@Nullable Auth auth) {
    var request = new Request();
    request.auth = auth;
    return request;
  }

  static Auth alice(Map<String, Object> claims) {
    return new Auth("jwt", "alice", "https://idp", List.of("orders:read"), claims, null);
  }

  @Override
  public String method() {
    return noted("method", "GET");
  }

  @Override
  public String path() {
    return noted("path", "/orders?page=2");
  }

  @Override
  public String urlPath() {
    return noted("urlPath", "/orders");
  }

  @Override
  public String host() {
    return noted("host", "shop.example.com");
  }

  @Override
  public String scheme() {
    return noted("scheme", "https");
  }

  @Override
  public String id() {
    return noted("id", "4711");
  }

  @Override
  public @Nullable String header(String name) {
    asked.add("header " + name);
    return headers.get(name);
  }

  @Override
  public Map<String, String> headers() {
    return noted("headers", headers);
  }

  @Override
  public Map<String, String> query() {
    return noted("query", query);
  }

  @Override
  public String sourceAddress() {
    return noted("sourceAddress", "192.0.2.1");
  }

  @Override
  public @Nullable Auth auth() {
    asked.add("auth");
    return auth;
  }

  @Override
  public @Nullable RouteKey route() {
    asked.add("route");
    return route;
  }

  @Override
  public int responseCode() {
    return responseCode;
  }

  @Override
  public Map<String, String> responseHeaders() {
    return responseHeaders;
  }

  @Override
  public @Nullable Object requestBody() {
    return noted("requestBody", requestBody);
  }

  @Override
  public @Nullable Object responseBody() {
    return noted("responseBody", responseBody);
  }

  @Override
  public @Nullable Map<String, Object> metadata(String namespace) {
    return noted("metadata " + namespace, metadata.get(namespace));
  }

  private <T extends @Nullable Object> T noted(String what, T value) {
    asked.add(what);
    return value;
  }
}
