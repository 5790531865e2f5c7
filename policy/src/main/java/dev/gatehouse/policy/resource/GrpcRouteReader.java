package dev.gatehouse.policy.resource;

import com.google.re2j.Pattern;
import dev.gatehouse.policy.resource.HttpRoute.Filter;
import dev.gatehouse.policy.resource.HttpRoute.GrpcMethod;
import dev.gatehouse.policy.resource.HttpRoute.Match;
import dev.gatehouse.policy.resource.HttpRoute.Rule;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads a GRPCRoute as the HTTPRoute that takes the same calls: gRPC's path is {@code /service/method} (gRPC over HTTP/2, Requests).
 * Like Envoy Gateway it does not ask for POST or gRPC's content type, so that whatever else comes to such a path finds the same policies.
 * A rule that cannot be honoured keeps its matches and loses its backends, as in {@link HttpRouteReader}.
 */
final class GrpcRouteReader {
  private static final Map<String, StringMatch.Type> TYPES = Map.of(
      "Exact", StringMatch.Type.EXACT, "RegularExpression", StringMatch.Type.REGULAR_EXPRESSION);
  private static final List<String> FILTERS =
      List.of("RequestHeaderModifier", "ResponseHeaderModifier");

  /** GRPCMethodMatch's rules for names that are to be equal. */
  private static final Pattern SERVICE =
      Pattern.compile("(?i)\\.?[a-z_][a-z_0-9]*(\\.[a-z_][a-z_0-9]*)*");

  private static final Pattern METHOD = Pattern.compile("[A-Za-z_][A-Za-z_0-9]*");
  private static final String ANY_NAME = "[^/]+";
  private static final Match ANY_CALL = new Match(
      new StringMatch(StringMatch.Type.PATH_PREFIX, "/"),
      null,
      List.of(),
      List.of(),
      new GrpcMethod("", ""));
  private static final List<Match> ANY = List.of(ANY_CALL);

  private final Problems problems;
  private final RouteParts parts;
  private int tolerated;

  private GrpcRouteReader(Meta meta, Problems problems) {
    this.problems = problems;
    this.parts = new RouteParts(meta, problems);
  }

  static RouteParts.Result read(Meta meta, Fields spec, Problems problems) {
    var reader = new GrpcRouteReader(meta, problems);
    var route = reader.parts.route(spec, ANY, reader::rule);
    return new RouteParts.Result(route, reader.tolerated);
  }

  private Rule rule(Fields fields) {
    var name = fields.<@Nullable String>optional("name", Formats::name);
    var matches = fields.list("matches", 64, item -> item.object(GrpcRouteReader::match));
    int before = problems.errors();
    List<Filter> filters =
        fields.list("filters", 16, item -> item.<@Nullable Filter>object(GrpcRouteReader::filter));
    var backends = parts.backends(fields);
    fields.unsupported("sessionPersistence");
    RouteParts.checkOnce(fields, filters);
    int errors = problems.errors() - before;
    tolerated += errors;
    var effective = matches.isEmpty() ? ANY : matches;
    return errors == 0
        ? new Rule(name, effective, filters, backends, null, fields.origin())
        : new Rule(name, effective, List.of(), List.of(), null, fields.origin());
  }

  private static Match match(Fields fields) {
    var call = fields.optional("method", v -> v.object(GrpcRouteReader::call), ANY_CALL);
    var headers =
        fields.list("headers", 16, item -> item.object(f -> RouteParts.named(f, Formats::header)));
    return new Match(call.path(), null, headers, List.of(), call.grpc());
  }

  private static Match call(Fields fields) {
    var type = fields.optional("type", v -> v.oneOf(TYPES), StringMatch.Type.EXACT);
    boolean exact = type == StringMatch.Type.EXACT;
    var service = fields.optional("service", v -> exact ? name(v, SERVICE) : regex(v), "");
    var method = fields.optional("method", v -> exact ? name(v, METHOD) : regex(v), "");
    if (service.isEmpty() && method.isEmpty()) {
      fields.error("names neither a service nor a method (leave it out to match every call)");
    }
    var path = exact ? exact(service, method) : regex(grouped(service), grouped(method));
    if (!exact && RegexSize.of(path.value()) > RegexSize.MAX) {
      fields.error("is a larger regular expression than Gatehouse takes: its repetitions multiply");
    }
    return new Match(path, null, List.of(), List.of(), new GrpcMethod(service, method));
  }

  private static StringMatch exact(String service, String method) {
    if (service.isEmpty()) {
      return regex(ANY_NAME, method);
    }
    return method.isEmpty()
        ? new StringMatch(StringMatch.Type.PATH_PREFIX, "/" + service)
        : new StringMatch(StringMatch.Type.EXACT, "/" + service + "/" + method);
  }

  private static StringMatch regex(String service, String method) {
    return new StringMatch(StringMatch.Type.REGULAR_EXPRESSION, "/" + service + "/" + method);
  }

  /** In brackets, so that an alternative within does not end the path. */
  private static String grouped(String regex) {
    return regex.isEmpty() ? ANY_NAME : "(?:" + regex + ")";
  }

  /** Empty stands for any, as if the field were not there. */
  private static String regex(Value value) {
    return value.anyText(1024).isEmpty() ? "" : Formats.regex(value);
  }

  private static String name(Value value, Pattern names) {
    var text = value.anyText(1024);
    if (!text.isEmpty() && !names.matches(text)) {
      value.error(
          value.show(text)
              + " is no name of gRPC's (letters, digits and '_', a service's parts with '.' between); with type RegularExpression it may be an expression");
    }
    return text;
  }

  private static @Nullable Filter filter(Fields fields) {
    var type = fields.required("type", v -> v.text(63));
    fields.unsupported("requestMirror", "extensionRef");
    var modifier = RouteParts.headerModifier(fields);
    RouteParts.checkType(fields, type, FILTERS);
    return modifier;
  }
}
