package dev.gatehouse.wire;

import static dev.gatehouse.wire.Tree.map;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.attach.OrderedMatches;
import dev.gatehouse.policy.resource.HttpRoute;
import dev.gatehouse.policy.resource.HttpRoute.Header;
import dev.gatehouse.policy.resource.HttpRoute.HeaderModifier;
import dev.gatehouse.policy.resource.HttpRoute.Match;
import dev.gatehouse.policy.resource.HttpRoute.PathRewrite;
import dev.gatehouse.policy.resource.HttpRoute.Redirect;
import dev.gatehouse.policy.resource.HttpRoute.UrlRewrite;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.TransformPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The filters of an HTTPRoute rule in Envoy's words, for one of its matches on one hostname. */
final class Filters {
  /** What Envoy refuses to change (host), and what frames a message or belongs to one connection (RFC 9110, section 7.6.1). */
  private static final Set<String> NOT_OURS = Set.of(
      "host",
      "connection",
      "content-length",
      "keep-alive",
      "te",
      "trailer",
      "transfer-encoding",
      "upgrade");

  private final AttachedRule rule;
  private final Match match;
  private final Problems problems;

  Filters(OrderedMatches.Entry entry, Problems problems) {
    this.rule = entry.rule();
    this.match = entry.condition();
    this.problems = problems;
  }

  /** Says what of the filters cannot be honoured; the route must then not be served. */
  boolean sound() {
    var before = problems.errors();
    for (var filter : rule.rule().filters()) {
      switch (filter) {
        case HeaderModifier modifier -> checkHeaders(modifier);
        case Redirect redirect -> checkPath(redirect.path(), redirect.origin());
        case UrlRewrite rewrite -> checkRewrite(rewrite);
      }
    }
    return problems.errors() == before;
  }

  /** Fields of the {@code Route}: what to change in headers. Envoy removes first, then sets and adds. */
  Map<String, Object> headers() {
    return map(
        "request_headers_to_add", changes(false),
        "request_headers_to_remove", removals(false),
        "response_headers_to_add", changes(true),
        "response_headers_to_remove", removals(true));
  }

  @Nullable
  Redirect redirect() {
    var all = all(Redirect.class);
    return all.isEmpty() ? null : all.getFirst();
  }

  /**
   * {@code RedirectAction}. Which port the Location names is the Gateway API's rule (HTTPRequestRedirectFilter.port): the given one, else the
   * scheme's own, else the listener's; and none where it is the scheme's own. Envoy would keep the port that the client wrote, so the
   * hostname is set where it is known, which drops that port.
   *
   * @param hostname of the virtual host
   */
  Map<String, Object> redirect(Redirect redirect, String hostname, boolean tls, int listenerPort) {
    var scheme = redirect.scheme() != null ? redirect.scheme() : tls ? "https" : "http";
    var schemePort = scheme.equals("https") ? 443 : 80;
    var port = redirect.port() != null
        ? redirect.port()
        : redirect.scheme() != null ? Integer.valueOf(schemePort) : Integer.valueOf(listenerPort);
    var host = redirect.hostname() != null
        ? redirect.hostname()
        : hostname.startsWith("*") ? null : hostname;
    var portSaid = port != schemePort || (host == null && port != listenerPort);
    var action = map(
        "scheme_redirect",
        redirect.scheme(),
        "host_redirect",
        host,
        "port_redirect",
        portSaid ? port : null,
        "response_code",
        responseCode(redirect.statusCode()));
    if (redirect.path() != null) {
      action.putAll(
          redirect.path().full()
              ? map("path_redirect", redirect.path().value())
              : prefix(redirect.path()));
    }
    return action;
  }

  /** Fields of the {@code RouteAction}: a URLRewrite. */
  Map<String, Object> rewrite() {
    var all = all(UrlRewrite.class);
    if (all.isEmpty()) {
      return map();
    }
    var action = map("host_rewrite_literal", all.getFirst().hostname());
    var path = all.getFirst().path();
    if (path != null) {
      action.putAll(path.full() ? substitution("^/.*$", path.value()) : prefix(path));
    }
    return action;
  }

  /**
   * ReplacePrefixMatch. Slashes at the ends count for nothing (HTTPPathModifier), so an empty replacement needs an expression: Envoy's
   * {@code prefix_rewrite} would make {@code //b} of {@code /a/b}.
   */
  private Map<String, Object> prefix(PathRewrite path) {
    var from = OrderedMatches.prefix(match.path());
    var to = path.value().replaceFirst("/+$", "");
    if (to.isEmpty()) {
      return from.isEmpty() ? map() : substitution("^" + quote(from) + "/?", "/");
    }
    return map("prefix_rewrite", from.isEmpty() ? to + "/" : to);
  }

  /** Envoy leaves the query out of the expression's sight and keeps it. */
  private static Map<String, Object> substitution(String regex, String replacement) {
    return map(
        "regex_rewrite",
        map("pattern", map("regex", regex), "substitution", replacement.replace("\\", "\\\\")));
  }

  static String quote(String literal) {
    return literal.replaceAll("[\\\\.+*?()|\\[\\]{}^$]", "\\\\$0");
  }

  private @Nullable List<Map<String, Object>> changes(boolean response) {
    var changes = new ArrayList<Map<String, Object>>();
    for (var modifier : modifiers(response)) {
      modifier.set().forEach(h -> changes.add(change(h, "OVERWRITE_IF_EXISTS_OR_ADD")));
      modifier.add().forEach(h -> changes.add(change(h, "APPEND_IF_EXISTS_OR_ADD")));
    }
    return changes.isEmpty() ? null : changes;
  }

  /** A percent sign would begin one of Envoy's commands. */
  private static Map<String, Object> change(Header header, String action) {
    return map(
        "header",
        map("key", header.name(), "value", header.value().replace("%", "%%")),
        "append_action",
        action,
        "keep_empty_value",
        header.value().isEmpty() ? true : null);
  }

  private @Nullable List<String> removals(boolean response) {
    var removals =
        modifiers(response).stream().flatMap(m -> m.remove().stream()).toList();
    return removals.isEmpty() ? null : removals;
  }

  private List<HeaderModifier> modifiers(boolean response) {
    return all(HeaderModifier.class).stream()
        .filter(m -> m.response() == response)
        .toList();
  }

  private <F extends HttpRoute.Filter> List<F> all(Class<F> kind) {
    return rule.rule().filters().stream()
        .filter(kind::isInstance)
        .map(kind::cast)
        .toList();
  }

  private void checkHeaders(HeaderModifier modifier) {
    var names = new ArrayList<>(modifier.remove());
    modifier.set().forEach(header -> names.add(header.name()));
    modifier.add().forEach(header -> names.add(header.name()));
    for (var name : names) {
      if (NOT_OURS.contains(name)) {
        error(
            modifier.origin(),
            "the header \"%s\" is not for a modifier%s"
                .formatted(
                    name,
                    name.equals("host") ? ": use the filter URLRewrite with a hostname" : ""));
      }
    }
  }

  private void checkRewrite(UrlRewrite rewrite) {
    checkPath(rewrite.path(), rewrite.origin());
    if (rewrite.path() != null && transformsPath()) {
      error(
          rewrite.origin(),
          "URLRewrite.path and the path step of the TransformPolicy on this rule exclude each other: Envoy skips the rewrite once ext_proc has changed the path; rewrite it in one place");
    }
  }

  private boolean transformsPath() {
    return rule.transform() instanceof Attachment.Of<TransformPolicy>(var policy)
        && policy.request().stream().anyMatch(step -> step.path() != null);
  }

  private void checkPath(@Nullable PathRewrite path, Origin origin) {
    if (path == null) {
      return;
    }
    if ((!path.value().isEmpty() && !path.value().startsWith("/"))
        || path.value().chars().anyMatch(c -> c <= ' ' || c == '?' || c == '#')) {
      error(
          origin,
          "\"%s\" is no path: expected \"/…\" without spaces, query and fragment"
              .formatted(path.value()));
    }
  }

  private void error(Origin origin, String message) {
    problems.error(
        origin, "spec.rules[" + rule.index() + "].filters", message + "; the rule answers 500");
  }

  private static String responseCode(int status) {
    return switch (status) {
      case 301 -> "MOVED_PERMANENTLY";
      case 303 -> "SEE_OTHER";
      case 307 -> "TEMPORARY_REDIRECT";
      case 308 -> "PERMANENT_REDIRECT";
      default -> "FOUND";
    };
  }
}
