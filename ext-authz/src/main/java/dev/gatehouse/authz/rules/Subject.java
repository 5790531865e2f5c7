package dev.gatehouse.authz.rules;

import dev.gatehouse.policy.attach.RouteKey;
import dev.gatehouse.policy.expr.RequestFacts;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Whom the rules judge. */
public interface Subject {
  /** Who vouches for the claims and scopes; null for a caller who showed no token. */
  @Nullable
  String provider();

  List<String> scopes();

  /** All claims of the token; empty for a caller who showed none. */
  Map<String, @Nullable Object> claims();

  /** The request as conditions see it, with {@code auth} and {@code route}. */
  RequestFacts seen(RequestFacts request, RouteKey route);
}
