package dev.gatehouse.authz.rules;

import dev.gatehouse.policy.attach.RouteKey;
import dev.gatehouse.policy.expr.Auth;
import dev.gatehouse.policy.expr.RequestFacts;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A GET of {@code /} with some headers. */
record StubRequest(Map<String, String> headers) implements RequestFacts {
  @Override
  public String method() {
    return "GET";
  }

  @Override
  public String path() {
    return "/";
  }

  @Override
  public String urlPath() {
    return "/";
  }

  @Override
  public String host() {
    return "shop.example";
  }

  @Override
  public String scheme() {
    return "https";
  }

  @Override
  public String id() {
    return "";
  }

  @Override
  public @Nullable String header(String name) {
    return headers.get(name);
  }

  @Override
  public Map<String, String> query() {
    return Map.of();
  }

  @Override
  public String sourceAddress() {
    return "192.0.2.7";
  }

  @Override
  public @Nullable Auth auth() {
    return null;
  }

  @Override
  public @Nullable RouteKey route() {
    return null;
  }
}
