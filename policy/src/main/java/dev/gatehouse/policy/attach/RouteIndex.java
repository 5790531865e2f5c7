package dev.gatehouse.policy.attach;

import com.google.re2j.Pattern;
import java.util.List;
import java.util.function.Function;

/**
 * Finds a request's route as Envoy does with what {@code wire} writes (and so with what any gateway writes that follows the Gateway API).
 * Here what the client sends chooses the policies: whatever is not certain is unresolved, which denies.
 *
 * <p>Nobody tells the service by which listener a request came in. So it is matched on every port of every Gateway: where no route
 * matches, the gateway answers 404 by itself; where routes with different plans match, the request is unresolved.
 */
final class RouteIndex<P> {
  static final String UNCLEAN =
      "the path is not normalised, so it may be read in more ways than one";
  static final String ODD_HOST =
      "the host is not written as hosts are, so it may be read in more ways than one";
  static final String UNSURE =
      "a route's regular expression or header cannot be compared as Envoy does";

  private static final Pattern PARAMETERS = Pattern.compile("(?:;|%3[bB])[^/]*");

  private final List<PortTable<P>> tables;
  private final Lookup<P> unclean = new Lookup.Unresolved<>(UNCLEAN);
  private final Lookup<P> oddHost = new Lookup.Unresolved<>(ODD_HOST);
  private final Lookup<P> unsure = new Lookup.Unresolved<>(UNSURE);
  private final Lookup<P> unmatched = new Lookup.Unresolved<>("no route matches");
  private final Lookup<P> ambiguous =
      new Lookup.Unresolved<>("the routes of several listeners match, and their plans differ");

  RouteIndex(PolicySet set, Function<AttachedRule, Lookup<P>> plan) {
    this.tables = PortTable.of(set, plan, unsure);
  }

  Lookup<P> find(RoutedRequest request) {
    var target = request.path();
    int pathEnd = pathEnd(target);
    if (!clean(target, pathEnd)) {
      return unclean;
    }
    var host = host(request.host());
    if (!cleanHost(host)) {
      return oddHost;
    }
    var found = find(request, host, target, pathEnd);
    if (!parameters(target, pathEnd)) {
      return found;
    }
    // A servlet container takes /admin;x for /admin (CVE-2026-73511).
    var without = PARAMETERS.matcher(target.substring(0, pathEnd)).replaceAll("");
    var other = find(request, host, without + target.substring(pathEnd), without.length());
    return found.equals(other) || other.equals(unmatched) ? found : unclean;
  }

  private static boolean parameters(String target, int pathEnd) {
    int semicolon = target.indexOf(';');
    int percent = target.indexOf('%');
    return (semicolon >= 0 && semicolon < pathEnd) || (percent >= 0 && percent < pathEnd);
  }

  private Lookup<P> find(RoutedRequest request, String host, String target, int pathEnd) {
    Lookup<P> found = null;
    for (int i = 0; i < tables.size(); i++) {
      var virtualHost = tables.get(i).host(host);
      var here = virtualHost == null ? null : virtualHost.find(request, target, pathEnd);
      if (here == null) {
        continue;
      }
      if (unsure.equals(here)) {
        return unsure;
      }
      if (found != null && !found.equals(here)) {
        return ambiguous;
      }
      found = here;
    }
    return found == null ? unmatched : found;
  }

  /** Where the query begins, or the length. */
  static int pathEnd(String target) {
    int question = target.indexOf('?');
    return question < 0 ? target.length() : question;
  }

  static boolean clean(String target, int pathEnd) {
    return CleanPath.is(target, pathEnd) && target.indexOf('#', pathEnd) < 0;
  }

  /** Several hosts (Envoy joins them by a comma), a user before it or a dot behind it: to Envoy that is another host, or any. */
  static boolean cleanHost(String host) {
    for (int i = 0; i < host.length(); i++) {
      char c = host.charAt(i);
      boolean usual = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || ".-_:[]".indexOf(c) >= 0;
      if (!usual) {
        return false;
      }
    }
    return !host.endsWith(".");
  }

  /** Without the port and in lower case, as Envoy's {@code ignore_port_in_host_matching} has it. */
  static String host(String host) {
    int colon = host.lastIndexOf(':');
    int end = colon < 0 || host.lastIndexOf(']') > colon ? host.length() : colon;
    for (int i = 0; i < end; i++) {
      if (isUpper(host.charAt(i))) {
        return lower(host, end);
      }
    }
    return end == host.length() ? host : host.substring(0, end);
  }

  /** ASCII only: to Envoy a Kelvin sign is no k. */
  private static String lower(String host, int end) {
    var lower = new StringBuilder(end);
    for (int i = 0; i < end; i++) {
      char c = host.charAt(i);
      lower.append(isUpper(c) ? (char) (c + ('a' - 'A')) : c);
    }
    return lower.toString();
  }

  private static boolean isUpper(char c) {
    return c >= 'A' && c <= 'Z';
  }
}
