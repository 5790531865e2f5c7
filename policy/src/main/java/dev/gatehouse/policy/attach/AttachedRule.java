package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.resource.BackendTrafficPolicy;
import dev.gatehouse.policy.resource.Gateway;
import dev.gatehouse.policy.resource.HttpRoute;
import dev.gatehouse.policy.resource.SecurityPolicy;
import dev.gatehouse.policy.resource.TransformPolicy;
import java.util.List;

/**
 * One rule of a route under one listener, with the policies that hold on it.
 *
 * @param index the rule's place in its route, from 0
 * @param hostnames what the route and the listener agree on; {@code *} for any
 */
public record AttachedRule(
    ListenerKey listener,
    RouteKey route,
    Gateway gateway,
    Gateway.Listener gatewayListener,
    HttpRoute httpRoute,
    HttpRoute.Rule rule,
    int index,
    List<String> hostnames,
    Attachment<SecurityPolicy> security,
    Attachment<BackendTrafficPolicy> traffic,
    Attachment<TransformPolicy> transform) {
  /** Whether ext-authz is asked: its policy asks for something, or cannot be honoured. A policy with nothing but CORS asks nothing of it. */
  public boolean guarded() {
    return switch (security) {
      case Attachment.None<SecurityPolicy> none -> false;
      case Attachment.Rejected<SecurityPolicy> rejected -> true;
      case Attachment.Of<SecurityPolicy>(var policy) -> policy.guards();
    };
  }
}
