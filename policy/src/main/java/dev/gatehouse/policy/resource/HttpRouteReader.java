package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.HttpRoute.BackendRef;
import dev.gatehouse.policy.resource.HttpRoute.Filter;
import dev.gatehouse.policy.resource.HttpRoute.Match;
import dev.gatehouse.policy.resource.HttpRoute.PathRewrite;
import dev.gatehouse.policy.resource.HttpRoute.Redirect;
import dev.gatehouse.policy.resource.HttpRoute.Rule;
import dev.gatehouse.policy.resource.HttpRoute.UrlRewrite;
import java.time.Duration;
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
  private static final List<String> FILTERS =
      List.of("RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "URLRewrite");
  private static final StringMatch ANY_PATH = new StringMatch(StringMatch.Type.PATH_PREFIX, "/");
  private static final List<Match> ANY = List.of(new Match(ANY_PATH, null, List.of(), List.of()));
  private static final Map<Long, Integer> REDIRECTS =
      Map.of(301L, 301, 302L, 302, 303L, 303, 307L, 307, 308L, 308);

  private final Problems problems;
  private final RouteParts parts;
  private int tolerated;

  private HttpRouteReader(Meta meta, Problems problems) {
    this.problems = problems;
    this.parts = new RouteParts(meta, problems);
  }

  static RouteParts.Result read(Meta meta, Fields spec, Problems problems) {
    var reader = new HttpRouteReader(meta, problems);
    var route = reader.parts.route(spec, ANY, reader::rule);
    return new RouteParts.Result(route, reader.tolerated);
  }

  private Rule rule(Fields fields) {
    var name = fields.<@Nullable String>optional("name", Formats::name);
    var matches = fields.list("matches", 64, item -> item.object(HttpRouteReader::match));
    int before = problems.errors();
    List<Filter> filters =
        fields.list("filters", 16, item -> item.<@Nullable Filter>object(f -> filter(f, matches)));
    var backends = parts.backends(fields);
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
        fields.list("headers", 16, item -> item.object(f -> RouteParts.named(f, Formats::header))),
        fields.list(
            "queryParams", 16, item -> item.object(f -> RouteParts.named(f, v -> v.text(256)))));
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

  private static @Nullable Duration requestTimeout(Fields fields) {
    fields.unsupported("backendRequest");
    return fields.optional("request", Value::duration);
  }

  private @Nullable Filter filter(Fields fields, List<Match> matches) {
    var type = fields.required("type", v -> v.text(63));
    fields.unsupported("requestMirror", "cors", "externalAuth", "extensionRef");
    var modifier = RouteParts.headerModifier(fields);
    var redirect = fields.<@Nullable Filter>optional(
        "requestRedirect", v -> v.object(f -> redirect(f, matches)));
    var rewrite =
        fields.<@Nullable Filter>optional("urlRewrite", v -> v.object(f -> rewrite(f, matches)));
    RouteParts.checkType(fields, type, FILTERS);
    return modifier != null ? modifier : redirect != null ? redirect : rewrite;
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
    RouteParts.checkOnce(rule, filters);
    boolean redirects = filters.stream().anyMatch(Redirect.class::isInstance);
    boolean rewrites = filters.stream().anyMatch(UrlRewrite.class::isInstance);
    if (redirects && rewrites) {
      rule.error("RequestRedirect and URLRewrite exclude each other");
    }
    if (redirects && !backends.isEmpty()) {
      rule.error("a rule that redirects has no backendRefs");
    }
  }
}
