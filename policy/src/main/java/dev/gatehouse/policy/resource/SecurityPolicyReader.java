package dev.gatehouse.policy.resource;

import com.google.re2j.Pattern;
import dev.gatehouse.policy.resource.SecurityPolicy.Action;
import dev.gatehouse.policy.resource.SecurityPolicy.Authorization;
import dev.gatehouse.policy.resource.SecurityPolicy.ClaimToHeader;
import dev.gatehouse.policy.resource.SecurityPolicy.ClaimValues;
import dev.gatehouse.policy.resource.SecurityPolicy.Cors;
import dev.gatehouse.policy.resource.SecurityPolicy.ExtractFrom;
import dev.gatehouse.policy.resource.SecurityPolicy.FromHeader;
import dev.gatehouse.policy.resource.SecurityPolicy.HeaderValues;
import dev.gatehouse.policy.resource.SecurityPolicy.InlineJwks;
import dev.gatehouse.policy.resource.SecurityPolicy.Jwks;
import dev.gatehouse.policy.resource.SecurityPolicy.Jwt;
import dev.gatehouse.policy.resource.SecurityPolicy.JwtPrincipal;
import dev.gatehouse.policy.resource.SecurityPolicy.Operation;
import dev.gatehouse.policy.resource.SecurityPolicy.Principal;
import dev.gatehouse.policy.resource.SecurityPolicy.RefJwks;
import dev.gatehouse.policy.resource.SecurityPolicy.RemoteJwks;
import dev.gatehouse.policy.resource.SecurityPolicy.Rule;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads a SecurityPolicy, with the validations of Envoy Gateway's API. */
final class SecurityPolicyReader {
  private static final Map<String, Action> ACTIONS =
      Map.of("Allow", Action.ALLOW, "Deny", Action.DENY);
  private static final Pattern ORIGIN = Pattern.compile(
      "\\*|[A-Za-z][A-Za-z0-9+.-]*://(\\*|(\\*\\.)?[\\w-]+(\\.[\\w-]+)*)(:(\\*|[0-9]{1,5}))?");

  /** Envoy Gateway's default, as Envoy's jwt_authn has it. */
  private static final Duration CACHE_DURATION = Duration.ofMinutes(5);

  private final Meta meta;

  private SecurityPolicyReader(Meta meta) {
    this.meta = meta;
  }

  static SecurityPolicy read(Meta meta, Targets targets, Fields spec) {
    var reader = new SecurityPolicyReader(meta);
    spec.unsupported("apiKeyAuth", "basicAuth", "oidc", "csrf", "mergeType");
    var cors = spec.<@Nullable Cors>optional("cors", v -> v.object(SecurityPolicyReader::cors));
    var jwt = spec.<@Nullable Jwt>optional("jwt", v -> v.object(reader::jwt));
    var authorization = spec.<@Nullable Authorization>optional(
        "authorization", v -> v.object(SecurityPolicyReader::authorization));
    checkProviders(spec, jwt, authorization);
    boolean attachmentOnly = spec.has("extAuth")
        && spec.count(
                "apiKeyAuth",
                "basicAuth",
                "oidc",
                "csrf",
                "mergeType",
                "cors",
                "jwt",
                "authorization")
            == 0;
    spec.given("extAuth", extAuth -> {
      extAuth.inspect(SecurityPolicyReader::refuseRecomputeRoute);
      if (!attachmentOnly) {
        extAuth.notice(
            "ignored: which service is asked is not Gatehouse's to say; the rest of the policy holds");
      }
    });
    return new SecurityPolicy(
        meta,
        targets,
        attachmentOnly,
        cors,
        jwt,
        null,
        null,
        null,
        null,
        authorization,
        SecurityPolicy.Response.NONE,
        false);
  }

  /** A header set by ext-authz must never lead to a route whose policies were not asked. */
  private static void refuseRecomputeRoute(Fields fields) {
    fields.given(
        "recomputeRoute",
        value -> value.refuseTrue(
            "never honoured: clearing the route cache after the decision can lead the request to a route whose policies were not asked; remove it and route by what the client sends"));
  }

  private static Cors cors(Fields fields) {
    var origins = fields.list("allowOrigins", 64, SecurityPolicyReader::origin);
    var methods = fields.list("allowMethods", 64, v -> token(v));
    var headers = fields.list("allowHeaders", 64, v -> token(v));
    var expose = fields.list("exposeHeaders", 64, v -> token(v));
    @Nullable Duration maxAge = fields.optional("maxAge", Value::duration);
    boolean credentials = fields.flag("allowCredentials");
    if (credentials && origins.contains("*")) {
      fields.given(
          "allowCredentials",
          value -> value.warning(
              "with allowOrigins \"*\" every site's scripts act with the user's cookies; name the origins"));
    }
    return new Cors(origins, methods, headers, expose, maxAge, credentials, fields.origin());
  }

  private static String token(Value value) {
    var text = value.text(256);
    if (!text.equals("*") && !text.isEmpty()) {
      Formats.header(value);
    }
    return text;
  }

  private static String origin(Value value) {
    var text = value.text(253);
    if (text.isEmpty()) {
      return text;
    }
    if (!ORIGIN.matches(text)) {
      value.error(value.show(text)
          + " is not an origin such as https://shop.example.com, https://*.example.com or *");
    } else if (text.indexOf('*') != text.lastIndexOf('*')) {
      value.error(value.show(text) + " holds two wildcards (expected: at most one)");
    }
    return text;
  }

  private Jwt jwt(Fields fields) {
    boolean optional = fields.flag("optional");
    fields.unsupported("failOpen");
    var providers =
        fields.required("providers", v -> v.list(16, item -> item.object(this::provider)));
    if (providers.isEmpty() && fields.has("providers")) {
      fields.error("has no providers");
    }
    var names = new HashSet<String>();
    for (var provider : providers) {
      if (!names.add(provider.name())) {
        fields.error("two providers are named \"" + Shown.of(provider.name()) + "\"");
      }
    }
    return new Jwt(optional, providers);
  }

  private SecurityPolicy.Provider provider(Fields fields) {
    var name = fields.required("name", v -> v.text(253));
    var issuer = fields.<@Nullable String>optional("issuer", v -> v.text(253));
    var audiences = fields.list("audiences", 8, v -> v.text(253));
    var claims =
        fields.list("claimToHeaders", 64, item -> item.object(SecurityPolicyReader::claimToHeader));
    var extract = fields.<@Nullable ExtractFrom>optional(
        "extractFrom", v -> v.object(SecurityPolicyReader::extractFrom));
    refuseRecomputeRoute(fields);
    return new SecurityPolicy.Provider(
        name,
        issuer,
        audiences,
        jwks(fields),
        claims,
        extract,
        SecurityPolicy.TokenRules.NONE,
        fields.origin());
  }

  private Jwks jwks(Fields fields) {
    @Nullable
    Jwks remote = fields.optional("remoteJWKS", v -> v.object(SecurityPolicyReader::remote));
    @Nullable Jwks local = fields.optional("localJWKS", v -> v.object(this::local));
    if (fields.count("remoteJWKS", "localJWKS") != 1) {
      fields.error("expected exactly one of remoteJWKS and localJWKS");
    }
    return remote != null ? remote : local != null ? local : new InlineJwks("");
  }

  private static Jwks remote(Fields fields) {
    fields.unsupported("backendRef", "backendRefs", "backendSettings");
    fields.notEnforced("failedRefetchDuration");
    var uri = fields.required("uri", Formats::httpUri);
    var cache =
        fields.optional("cacheDuration", SecurityPolicyReader::cacheDuration, CACHE_DURATION);
    return new RemoteJwks(uri, cache, null);
  }

  private static Duration cacheDuration(Value value) {
    var duration = value.duration();
    if (duration.compareTo(Duration.ofSeconds(1)) < 0) {
      value.error("a key set is kept for a second or longer");
    }
    return duration;
  }

  private Jwks local(Fields fields) {
    boolean byRef =
        fields.optional("type", v -> v.oneOf(Map.of("Inline", false, "ValueRef", true)), false);
    var needed = byRef ? "valueRef" : "inline";
    if (fields.count("inline", "valueRef") != 1 || !fields.has(needed)) {
      fields.error(
          "expected exactly one of inline and valueRef, as type says (Inline is the default)");
    }
    @Nullable Jwks inline = fields.optional("inline", v -> new InlineJwks(v.text(1024 * 1024)));
    @Nullable
    Jwks ref = fields.optional("valueRef", v -> new RefJwks(v.object(this::configMapRef)));
    return inline != null ? inline : ref != null ? ref : new InlineJwks("");
  }

  private ObjectRef configMapRef(Fields fields) {
    fields.optional("group", v -> v.oneOf(Map.of("", "")));
    fields.optional("kind", v -> v.oneOf(Map.of("ConfigMap", "ConfigMap")));
    return new ObjectRef(
        "", "ConfigMap", meta.namespace(), fields.required("name", Formats::name), fields.origin());
  }

  private static ClaimToHeader claimToHeader(Fields fields) {
    return new ClaimToHeader(
        fields.required("claim", v -> v.text(253)),
        fields.required("header", Formats::changeableHeader));
  }

  private static ExtractFrom extractFrom(Fields fields) {
    var headers = fields.list("headers", 16, item -> item.object(SecurityPolicyReader::fromHeader));
    var cookies = fields.list("cookies", 16, v -> v.text(256));
    return new ExtractFrom(headers, cookies, fields.list("params", 16, v -> v.text(256)));
  }

  private static FromHeader fromHeader(Fields fields) {
    return new FromHeader(
        fields.required("name", Formats::header),
        fields.<@Nullable String>optional("valuePrefix", v -> v.anyText(256)));
  }

  private static Authorization authorization(Fields fields) {
    var action = fields.optional("defaultAction", v -> v.oneOf(ACTIONS), Action.DENY);
    return new Authorization(
        action, fields.list("rules", 256, item -> item.object(SecurityPolicyReader::rule)));
  }

  private static Rule rule(Fields fields) {
    var name = fields.<@Nullable String>optional("name", v -> v.text(253));
    var action = fields.required("action", v -> v.oneOf(ACTIONS));
    var operation = fields.<@Nullable Operation>optional(
        "operation", v -> v.object(SecurityPolicyReader::operation));
    var principal = fields.<@Nullable Principal>optional(
        "principal", v -> v.object(SecurityPolicyReader::principal));
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
    return new Operation(
        nonEmpty(fields, "methods", 16, Formats::method),
        fields.<@Nullable StringMatch>optional("path", v -> v.object(SecurityPolicyReader::path)));
  }

  private static StringMatch path(Fields fields) {
    var type = fields.optional(
        "type", v -> v.oneOf(HttpRouteReader.PATH_TYPES), StringMatch.Type.PATH_PREFIX);
    fields.given(
        "invert",
        invert ->
            invert.refuseTrue("not supported yet; write the paths that are meant, or use cel"));
    return new StringMatch(
        type,
        fields.optional(
            "value",
            v -> type == StringMatch.Type.REGULAR_EXPRESSION ? Formats.regex(v) : Formats.path(v),
            "/"));
  }

  private static Principal principal(Fields fields) {
    fields.unsupported("clientIPGeoLocations");
    if (fields.count("clientCIDRs", "jwt", "headers", "clientIPGeoLocations") == 0) {
      fields.error("expected at least one of clientCIDRs, jwt and headers");
    }
    return new Principal(
        nonEmpty(fields, "clientCIDRs", 1024, Formats::cidr),
        fields.<@Nullable JwtPrincipal>optional(
            "jwt", v -> v.object(SecurityPolicyReader::jwtPrincipal)),
        nonEmpty(fields, "headers", 256, item -> item.object(SecurityPolicyReader::headerValues)));
  }

  private static JwtPrincipal jwtPrincipal(Fields fields) {
    if (fields.count("claims", "scopes") == 0) {
      fields.error("expected at least one of claims and scopes");
    }
    return new JwtPrincipal(
        fields.required("provider", v -> v.text(253)),
        nonEmpty(fields, "claims", 16, item -> item.object(SecurityPolicyReader::claimValues)),
        nonEmpty(fields, "scopes", 16, v -> v.text(253)));
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
    return nonEmpty(fields, "values", max, v -> v.text());
  }

  /** An empty list would mean "any", which is not what somebody who writes a list has in mind. */
  private static <T> List<T> nonEmpty(
      Fields fields, String name, int max, java.util.function.Function<Value, T> item) {
    var value = fields.optional(name);
    if (value == null) {
      return List.of();
    }
    if (value.node() instanceof YamlNode.Sequence list && list.items().isEmpty()) {
      value.error("is empty; remove it, or name what is meant");
    }
    return value.list(max, item);
  }

  private static void checkProviders(
      Fields spec, @Nullable Jwt jwt, @Nullable Authorization authorization) {
    if (authorization == null) {
      return;
    }
    var names = new HashSet<String>();
    if (jwt != null) {
      jwt.providers().forEach(p -> names.add(p.name()));
    }
    for (var rule : authorization.rules()) {
      var principal = rule.principal();
      if (principal != null
          && principal.jwt() != null
          && !names.contains(principal.jwt().provider())) {
        spec.error("an authorization rule needs the jwt provider \""
            + Shown.of(principal.jwt().provider()) + "\", which spec.jwt does not have"
            + Shown.didYouMean(principal.jwt().provider(), Set.copyOf(names)));
      }
    }
  }
}
