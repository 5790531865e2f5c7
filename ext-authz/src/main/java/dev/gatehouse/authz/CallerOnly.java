package dev.gatehouse.authz;

import dev.gatehouse.policy.attach.RouteKey;
import dev.gatehouse.policy.expr.Auth;
import dev.gatehouse.policy.expr.RequestFacts;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What is the same in all requests of one caller: for templates that look at nothing else. */
record CallerOnly(@Nullable Auth auth) implements RequestFacts {
  @Override
  public String method() {
    return "";
  }

  @Override
  public String path() {
    return "";
  }

  @Override
  public String urlPath() {
    return "";
  }

  @Override
  public String host() {
    return "";
  }

  @Override
  public String scheme() {
    return "";
  }

  @Override
  public String id() {
    return "";
  }

  @Override
  public @Nullable String header(String name) {
    return null;
  }

  @Override
  public Map<String, String> headers() {
    return Map.of();
  }

  @Override
  public Map<String, String> query() {
    return Map.of();
  }

  @Override
  public String sourceAddress() {
    return "";
  }

  @Override
  public @Nullable RouteKey route() {
    return null;
  }
}
