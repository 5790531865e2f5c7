package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.BackendTrafficPolicy.ClientSelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.HeaderSelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.MetadataSelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.MethodSelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.PathSelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.QuerySelector;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.SourceCidr;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads {@code clientSelectors}: which requests a limit is for. */
final class SelectorReader {
  private static final Map<String, StringMatch.Type> VALUE_TYPES = Map.of(
      "Exact",
      StringMatch.Type.EXACT,
      "RegularExpression",
      StringMatch.Type.REGULAR_EXPRESSION,
      "Distinct",
      StringMatch.Type.DISTINCT);

  /** Envoy sends the text of the metadata as it is, and cannot compare it. */
  private static final Map<String, StringMatch.Type> METADATA_TYPES =
      Map.of("Exact", StringMatch.Type.EXACT, "Distinct", StringMatch.Type.DISTINCT);

  private final boolean ours;

  /** @param ours of a RateLimitPolicy */
  SelectorReader(boolean ours) {
    this.ours = ours;
  }

  ClientSelector selector(Fields fields) {
    int parts = fields.count("headers", "methods", "path", "sourceCIDR", "queryParams");
    if (ours ? parts + fields.count("metadata") == 0 : parts == 0) {
      fields.error("selects nothing (expected: at least one of headers, methods, path, "
          + (ours ? "sourceCIDR, queryParams and metadata)" : "sourceCIDR and queryParams)"));
    }
    return new ClientSelector(
        fields.list("headers", 128, item -> item.object(SelectorReader::header)),
        fields.list("methods", 16, item -> item.object(SelectorReader::method)),
        fields.<@Nullable PathSelector>optional("path", v -> v.object(SelectorReader::path)),
        fields.<@Nullable SourceCidr>optional("sourceCIDR", v -> v.object(SelectorReader::source)),
        fields.list("queryParams", 16, item -> item.object(SelectorReader::query)),
        ours
            ? fields.list("metadata", 16, item -> item.object(SelectorReader::metadata))
            : List.of());
  }

  private static HeaderSelector header(Fields fields) {
    var name = fields.required("name", Formats::header);
    var match = match(fields, VALUE_TYPES);
    return new HeaderSelector(name, match, invert(fields, match));
  }

  private static QuerySelector query(Fields fields) {
    var name = fields.required("name", v -> v.text(256));
    var match = match(fields, VALUE_TYPES);
    return new QuerySelector(name, match, invert(fields, match));
  }

  private static boolean invert(Fields fields, StringMatch match) {
    if (match.type() == StringMatch.Type.DISTINCT) {
      fields.given("invert", invert -> invert.refuseTrue("type Distinct cannot be inverted"));
    }
    return fields.flag("invert");
  }

  private static MetadataSelector metadata(Fields fields) {
    return new MetadataSelector(MetadataKeys.ours(fields), match(fields, METADATA_TYPES));
  }

  /** {@code Distinct} means any value and takes none; the others need one. */
  private static StringMatch match(Fields fields, Map<String, StringMatch.Type> types) {
    var type = fields.optional("type", v -> v.oneOf(types), StringMatch.Type.EXACT);
    if (type != StringMatch.Type.DISTINCT) {
      return new StringMatch(
          type,
          fields.required(
              "value",
              v -> type == StringMatch.Type.REGULAR_EXPRESSION ? Formats.regex(v) : v.text(1024)));
    }
    fields.given(
        "value",
        value ->
            value.error("type Distinct counts every value by itself and takes none; remove it"));
    return new StringMatch(type, "");
  }

  private static MethodSelector method(Fields fields) {
    return new MethodSelector(fields.required("value", Formats::method), fields.flag("invert"));
  }

  private static PathSelector path(Fields fields) {
    var type = fields.optional(
        "type", v -> v.oneOf(HttpRouteReader.PATH_TYPES), StringMatch.Type.PATH_PREFIX);
    var value = fields.optional(
        "value",
        v -> type == StringMatch.Type.REGULAR_EXPRESSION ? Formats.regex(v) : Formats.path(v),
        "/");
    return new PathSelector(new StringMatch(type, value), fields.flag("invert"));
  }

  /** Envoy Gateway takes an inverted range that is Distinct: every address outside of it counts by itself. */
  private static SourceCidr source(Fields fields) {
    return new SourceCidr(
        fields.required("value", Formats::cidr),
        fields.optional("type", v -> v.oneOf(Map.of("Exact", false, "Distinct", true)), false),
        fields.flag("invert"));
  }
}
