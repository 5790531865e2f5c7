package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.HttpRoute.BackendRef;
import dev.gatehouse.policy.resource.HttpRoute.Filter;
import dev.gatehouse.policy.resource.HttpRoute.Header;
import dev.gatehouse.policy.resource.HttpRoute.HeaderModifier;
import dev.gatehouse.policy.resource.HttpRoute.Match;
import dev.gatehouse.policy.resource.HttpRoute.NamedMatch;
import dev.gatehouse.policy.resource.HttpRoute.ParentRef;
import dev.gatehouse.policy.resource.HttpRoute.PathRewrite;
import dev.gatehouse.policy.resource.HttpRoute.Redirect;
import dev.gatehouse.policy.resource.HttpRoute.Rule;
import dev.gatehouse.policy.resource.HttpRoute.UrlRewrite;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads an HTTPRoute. A rule whose filters or backends cannot be honoured keeps its matches and loses its backends, so that it
 * answers 500 (Gateway API, HTTPRouteFilter: "must return an error") and no broader rule takes its requests.
 */
final class HttpRouteReader {
  static final Map<String, StringMatch.Type> PATH_TYPES = Map.of(
      "PathPrefix",
      StringMatch.Type.PATH_PREFIX,
      "Exact",
      StringMatch.Type.EXACT,
      "RegularExpression",
      StringMatch.Type.REGULAR_EXPRESSION);
  private static final Map<String, StringMatch.Type> VALUE_TYPES = Map.of(
      "Exact", StringMatch.Type.EXACT, "RegularExpression", StringMatch.Type.REGULAR_EXPRESSION);
  private static final StringMatch ANY_PATH = new StringMatch(StringMatch.Type.PATH_PREFIX, "/");
  private static final List<Match> ANY = List.of(new Match(ANY_PATH, null, List.of(), List.of()));
  private static final Map<Long, Integer> REDIRECTS =
      Map.of(301L, 301, 302L, 302, 303L, 303, 307L, 307, 308L, 308);

  private final Meta meta;
  private final Problems problems;
  private int tolerated;

  private HttpRouteReader(Meta meta, Problems problems) {
    this.meta = meta;
    this.problems = problems;
  }

  /** @param tolerated the number of errors within rules, which leave hosts, parents and matches standing */
  record Result(HttpRoute route, int tolerated) {}

  static Result read(Meta meta, Fields spec, Problems problems) {
    var reader = new HttpRouteReader(meta, problems);
    var route = reader.route(spec);
    return new Result(route, reader.tolerated);
  }

  private HttpRoute route(Fields spec) {
    List<ParentRef> parents =
        spec.list("parentRefs", 32, item -> item.<@Nullable ParentRef>object(this::parentRef));
    var hostnames = spec.list("hostnames", 16, Formats::host);
    spec.unsupported("useDefaultGateways");
    var rules = spec.optional(
        "rules", v -> v.list(16, item -> item.object(this::rule)), List.of(wholeRoute(spec)));
    var names = new HashSet<String>();
    for (var rule : rules) {
      if (rule.name() != null && !names.add(rule.name())) {
        problems.error(
            rule.origin(),
            spec.path() + ".rules",
            "two rules are named \"" + Shown.of(rule.name()) + "\"");
      }
    }
    return new HttpRoute(meta, parents, hostnames, rules);
  }

  /** A route without rules has one that matches everything and has no backend. */
  private static Rule wholeRoute(Fields spec) {
    return new Rule(null, ANY, List.of(), List.of(), null, spec.origin());
  }

  private @Nullable ParentRef parentRef(Fields fields) {
    var group = fields.optional("group", v -> v.anyText(253), TargetsReader.GATEWAY_API);
    var kind = fields.optional("kind", v -> v.text(63), "Gateway");
    var ref = new ParentRef(
        fields.optional("namespace", Formats::namespace, meta.namespace()),
        fields.required("name", Formats::name),
        fields.<@Nullable String>optional("sectionName", Formats::name),
        fields.<@Nullable Integer>optional("port", Formats::port),
        fields.origin());
    if (group.equals(TargetsReader.GATEWAY_API) && kind.equals("Gateway")) {
      return ref;
    }
    problems.notice(
        fields.origin(), fields.path(), "a parent that is no Gateway is not Gatehouse's; skipped");
    return null;
  }

  private Rule rule(Fields fields) {
    var name = fields.<@Nullable String>optional("name", Formats::name);
    var matches = fields.list("matches", 64, item -> item.object(HttpRouteReader::match));
    int before = problems.errors();
    List<Filter> filters =
        fields.list("filters", 16, item -> item.<@Nullable Filter>object(f -> filter(f, matches)));
    var backends = fields.list("backendRefs", 16, item -> item.object(this::backendRef));
    @Nullable
    Duration timeout = fields.optional("timeouts", v -> v.object(HttpRouteReader::requestTimeout));
    fields.unsupported("retry", "sessionPersistence");
    checkFilters(fields, filters, backends);
    int errors = problems.errors() - before;
    tolerated += errors;
    var effective = matches.isEmpty() ? ANY : matches;
    return errors == 0
        ? new Rule(name, effective, filters, backends, timeout, fields.origin())
        : new Rule(name, effective, List.of(), List.of(), null, fields.origin());
  }

  private static Match match(Fields fields) {
    return new Match(
        fields.optional("path", v -> v.object(HttpRouteReader::path), ANY_PATH),
        fields.<@Nullable String>optional("method", Formats::method),
        fields.list("headers", 16, item -> item.object(f -> named(f, Formats::header))),
        fields.list("queryParams", 16, item -> item.object(f -> named(f, v -> v.text(256)))));
  }

  private static StringMatch path(Fields fields) {
    var type = fields.optional("type", v -> v.oneOf(PATH_TYPES), StringMatch.Type.PATH_PREFIX);
    return new StringMatch(
        type,
        fields.optional(
            "value",
            v -> type == StringMatch.Type.REGULAR_EXPRESSION ? Formats.regex(v) : Formats.path(v),
            "/"));
  }

  private static NamedMatch named(Fields fields, java.util.function.Function<Value, String> name) {
    var type = fields.optional("type", v -> v.oneOf(VALUE_TYPES), StringMatch.Type.EXACT);
    return new NamedMatch(
        fields.required("name", name),
        new StringMatch(
            type,
            fields.required(
                "value",
                v -> type == StringMatch.Type.REGULAR_EXPRESSION ? Formats.regex(v) : v.text())));
  }

  private static @Nullable Duration requestTimeout(Fields fields) {
    fields.unsupported("backendRequest");
    return fields.optional("request", Value::duration);
  }

  private BackendRef backendRef(Fields fields) {
    var group = fields.optional("group", v -> v.anyText(253), "");
    var kind = fields.optional("kind", v -> v.text(63), "Service");
    var ref = new ObjectRef(
        group,
        kind,
        fields.optional("namespace", Formats::namespace, meta.namespace()),
        fields.required("name", Formats::name),
        fields.origin());
    var port = fields.<@Nullable Integer>optional("port", Formats::port);
    if (port == null && group.isEmpty() && kind.equals("Service")) {
      fields.error("\"port\" is missing: a Service needs one");
    }
    fields.unsupported("filters");
    return new BackendRef(ref, port, fields.optional("weight", v -> v.integer(0, 1_000_000), 1));
  }

  private @Nullable Filter filter(Fields fields, List<Match> matches) {
    var type = fields.required("type", v -> v.text(63));
    fields.unsupported("requestMirror", "cors", "externalAuth", "extensionRef");
    var request = fields.<@Nullable Filter>optional(
        "requestHeaderModifier", v -> v.object(f -> headerModifier(false, f)));
    var response = fields.<@Nullable Filter>optional(
        "responseHeaderModifier", v -> v.object(f -> headerModifier(true, f)));
    var redirect = fields.<@Nullable Filter>optional(
        "requestRedirect", v -> v.object(f -> redirect(f, matches)));
    var rewrite =
        fields.<@Nullable Filter>optional("urlRewrite", v -> v.object(f -> rewrite(f, matches)));
    int given = fields.count(
        "requestHeaderModifier", "responseHeaderModifier", "requestRedirect", "urlRewrite");
    var field = switch (type) {
      case "RequestHeaderModifier" -> "requestHeaderModifier";
      case "ResponseHeaderModifier" -> "responseHeaderModifier";
      case "RequestRedirect" -> "requestRedirect";
      case "URLRewrite" -> "urlRewrite";
      default -> "";
    };
    if (field.isEmpty() && !type.isEmpty()) {
      fields.error(
          "filter type \"" + Shown.of(type)
              + "\" is not supported (expected: RequestHeaderModifier, ResponseHeaderModifier, RequestRedirect or URLRewrite)");
    } else if (!field.isEmpty() && !fields.has(field)) {
      fields.error("\"" + field + "\" is missing: type " + type + " needs it");
    } else if (given > 1) {
      fields.error("holds more than what its type names (expected: only " + field + ")");
    }
    return request != null
        ? request
        : response != null ? response : redirect != null ? redirect : rewrite;
  }

  private static HeaderModifier headerModifier(boolean response, Fields fields) {
    var set = fields.list("set", 16, item -> item.object(HttpRouteReader::header));
    var add = fields.list("add", 16, item -> item.object(HttpRouteReader::header));
    return new HeaderModifier(
        response, set, add, fields.list("remove", 16, Formats::header), fields.origin());
  }

  private static Header header(Fields fields) {
    return new Header(
        fields.required("name", Formats::header), fields.required("value", Formats::headerValue));
  }

  private static Redirect redirect(Fields fields, List<Match> matches) {
    return new Redirect(
        fields.<@Nullable String>optional(
            "scheme", v -> v.oneOf(Map.of("http", "http", "https", "https"))),
        fields.<@Nullable String>optional("hostname", Formats::preciseHost),
        fields.<@Nullable PathRewrite>optional("path", v -> v.object(f -> pathRewrite(f, matches))),
        fields.<@Nullable Integer>optional("port", Formats::port),
        fields.optional("statusCode", HttpRouteReader::redirectCode, 302),
        fields.origin());
  }

  private static int redirectCode(Value value) {
    var code = REDIRECTS.get(value.integer(0L, 999L));
    if (code == null) {
      value.error("is not one of 301, 302, 303, 307, 308");
      return 302;
    }
    return code;
  }

  private static UrlRewrite rewrite(Fields fields, List<Match> matches) {
    return new UrlRewrite(
        fields.<@Nullable String>optional("hostname", Formats::preciseHost),
        fields.<@Nullable PathRewrite>optional("path", v -> v.object(f -> pathRewrite(f, matches))),
        fields.origin());
  }

  private static PathRewrite pathRewrite(Fields fields, List<Match> matches) {
    boolean full = fields.required(
        "type", v -> v.oneOf(Map.of("ReplaceFullPath", true, "ReplacePrefixMatch", false)));
    var field = full ? "replaceFullPath" : "replacePrefixMatch";
    var other = full ? "replacePrefixMatch" : "replaceFullPath";
    fields.given(
        other, value -> value.error("does not go with this type (expected: " + field + ")"));
    if (!full
        && (matches.isEmpty() ? ANY : matches)
            .stream().anyMatch(m -> m.path().type() != StringMatch.Type.PATH_PREFIX)) {
      fields.error("ReplacePrefixMatch needs PathPrefix matches in its rule");
    }
    return new PathRewrite(full, fields.required(field, v -> v.anyText(1024)));
  }

  private static void checkFilters(Fields rule, List<Filter> filters, List<BackendRef> backends) {
    var seen = new HashSet<String>();
    boolean redirects = false;
    boolean rewrites = false;
    for (var filter : filters) {
      var kind = filter instanceof HeaderModifier m && m.response()
          ? "ResponseHeaderModifier"
          : filter.getClass().getSimpleName();
      if (!seen.add(kind)) {
        rule.error("a filter of one type stands twice; merge them");
      }
      redirects |= filter instanceof Redirect;
      rewrites |= filter instanceof UrlRewrite;
    }
    if (redirects && rewrites) {
      rule.error("RequestRedirect and URLRewrite exclude each other");
    }
    if (redirects && !backends.isEmpty()) {
      rule.error("a rule that redirects has no backendRefs");
    }
  }
}
