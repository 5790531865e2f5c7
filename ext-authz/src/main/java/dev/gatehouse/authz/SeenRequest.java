package dev.gatehouse.authz;

import dev.gatehouse.policy.attach.RouteKey;
import dev.gatehouse.policy.expr.Auth;
import dev.gatehouse.policy.expr.RequestFacts;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A request of which it is known who sent it and which route it takes. */
record SeenRequest(RequestFacts request, @Nullable Auth auth, RouteKey route)
    implements RequestFacts {
  @Override
  public String method() {
    return request.method();
  }

  @Override
  public String path() {
    return request.path();
  }

  @Override
  public String urlPath() {
    return request.urlPath();
  }

  @Override
  public String host() {
    return request.host();
  }

  @Override
  public String scheme() {
    return request.scheme();
  }

  @Override
  public String id() {
    return request.id();
  }

  @Override
  public @Nullable String header(String name) {
    return request.header(name);
  }

  @Override
  public Map<String, String> headers() {
    return request.headers();
  }

  @Override
  public Map<String, String> query() {
    return request.query();
  }

  @Override
  public String sourceAddress() {
    return request.sourceAddress();
  }

  @Override
  public String decision() {
    return request.decision();
  }
}
