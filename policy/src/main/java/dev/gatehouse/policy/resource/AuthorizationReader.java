package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.SecurityPolicy.Action;
import dev.gatehouse.policy.resource.SecurityPolicy.Authorization;
import dev.gatehouse.policy.resource.SecurityPolicy.ClaimValues;
import dev.gatehouse.policy.resource.SecurityPolicy.HeaderValues;
import dev.gatehouse.policy.resource.SecurityPolicy.JwtPrincipal;
import dev.gatehouse.policy.resource.SecurityPolicy.Operation;
import dev.gatehouse.policy.resource.SecurityPolicy.Principal;
import dev.gatehouse.policy.resource.SecurityPolicy.Rule;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads {@code authorization}. */
final class AuthorizationReader {
  private static final Map<String, Action> ACTIONS =
      Map.of("Allow", Action.ALLOW, "Deny", Action.DENY);

  private final Set<String> providers;

  /** @param providers the names of the policy's JWT providers */
  AuthorizationReader(Set<String> providers) {
    this.providers = providers;
  }

  Authorization authorization(Fields fields) {
    var action = fields.optional("defaultAction", v -> v.oneOf(ACTIONS), Action.DENY);
    return new Authorization(action, fields.list("rules", 256, item -> item.object(this::rule)));
  }

  private Rule rule(Fields fields) {
    var name = fields.<@Nullable String>optional("name", v -> v.text(253));
    var action = fields.required("action", v -> v.oneOf(ACTIONS));
    var operation = fields.<@Nullable Operation>optional(
        "operation", v -> v.object(AuthorizationReader::operation));
    var principal =
        fields.<@Nullable Principal>optional("principal", v -> v.object(this::principal));
    var cel = fields.<@Nullable String>optional("cel", v -> v.text(4096));
    if (fields.count("principal", "cel") == 0) {
      fields.error("expected at least one of principal and cel");
    }
    return new Rule(name, action, operation, principal, cel, fields.origin());
  }

  private static Operation operation(Fields fields) {
    if (fields.count("methods", "path") == 0) {
      fields.error("expected at least one of methods and path");
    }
    var methods = fields.nonEmptyList("methods", 16, Formats::method);
    var path = fields.optional("path");
    return path == null
        ? new Operation(methods, null, false)
        : path.object(f -> new Operation(methods, path(f), f.flag("invert")));
  }

  private static StringMatch path(Fields fields) {
    var type = fields.optional(
        "type", v -> v.oneOf(HttpRouteReader.PATH_TYPES), StringMatch.Type.PATH_PREFIX);
    return new StringMatch(
        type,
        fields.optional(
            "value",
            v -> type == StringMatch.Type.REGULAR_EXPRESSION ? Formats.regex(v) : Formats.path(v),
            "/"));
  }

  private Principal principal(Fields fields) {
    fields.unsupported("clientIPGeoLocations");
    if (fields.count("clientCIDRs", "jwt", "headers", "clientIPGeoLocations") == 0) {
      fields.error("expected at least one of clientCIDRs, jwt and headers");
    }
    return new Principal(
        fields.nonEmptyList("clientCIDRs", 1024, Formats::cidr),
        fields.<@Nullable JwtPrincipal>optional("jwt", v -> v.object(this::jwtPrincipal)),
        fields.nonEmptyList(
            "headers", 256, item -> item.object(AuthorizationReader::headerValues)));
  }

  private JwtPrincipal jwtPrincipal(Fields fields) {
    if (fields.count("claims", "scopes") == 0) {
      fields.error("expected at least one of claims and scopes");
    }
    return new JwtPrincipal(
        fields.required("provider", this::provider),
        fields.nonEmptyList("claims", 16, item -> item.object(AuthorizationReader::claimValues)),
        fields.nonEmptyList("scopes", 16, v -> v.text(253)));
  }

  private String provider(Value value) {
    var name = value.text(253);
    if (!name.isEmpty() && !providers.contains(name)) {
      value.error("an authorization rule needs the jwt provider " + value.show(name)
          + ", which spec.jwt does not have" + Shown.didYouMean(name, providers));
    }
    return name;
  }

  private static ClaimValues claimValues(Fields fields) {
    return new ClaimValues(
        fields.required("name", v -> v.text(253)),
        fields.optional(
            "valueType", v -> v.oneOf(Map.of("String", false, "StringArray", true)), false),
        requiredValues(fields, 128));
  }

  private static HeaderValues headerValues(Fields fields) {
    return new HeaderValues(fields.required("name", Formats::header), requiredValues(fields, 256));
  }

  private static List<String> requiredValues(Fields fields, int max) {
    fields.required("values");
    return fields.nonEmptyList("values", max, v -> v.text());
  }
}
