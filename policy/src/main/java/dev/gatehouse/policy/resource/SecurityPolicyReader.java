package dev.gatehouse.policy.resource;

import com.google.re2j.Pattern;
import dev.gatehouse.policy.resource.SecurityPolicy.Anonymous;
import dev.gatehouse.policy.resource.SecurityPolicy.ApiKeyAuth;
import dev.gatehouse.policy.resource.SecurityPolicy.Authorization;
import dev.gatehouse.policy.resource.SecurityPolicy.BasicAuth;
import dev.gatehouse.policy.resource.SecurityPolicy.ClientCertificate;
import dev.gatehouse.policy.resource.SecurityPolicy.Cors;
import dev.gatehouse.policy.resource.SecurityPolicy.Jwt;
import dev.gatehouse.policy.resource.SecurityPolicy.Response;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Reads a SecurityPolicy, with the validations of Envoy Gateway's API, and an AuthPolicy, which says more in the same words. */
final class SecurityPolicyReader {
  private static final String[] SECURITY_FIELDS = {
    "apiKeyAuth", "basicAuth", "oidc", "csrf", "mergeType", "cors", "jwt", "authorization"
  };
  private static final Map<String, String> MERGE_TYPES =
      Map.of("StrategicMerge", "StrategicMerge", "JSONMerge", "JSONMerge");
  private static final Pattern ORIGIN = Pattern.compile(
      "\\*|[A-Za-z][A-Za-z0-9+.-]*://(\\*|(\\*\\.)?[\\w-]+(\\.[\\w-]+)*)(:(\\*|[0-9]{1,5}))?");

  private final Meta meta;
  private final boolean ours;
  private final RefReader refs;

  private SecurityPolicyReader(Meta meta, RefReader refs) {
    this.meta = meta;
    this.ours = meta.kind().equals("AuthPolicy");
    this.refs = refs;
  }

  static SecurityPolicy read(Meta meta, Targets targets, Fields spec, RefReader refs) {
    return new SecurityPolicyReader(meta, refs).read(targets, spec);
  }

  private SecurityPolicy read(Targets targets, Fields spec) {
    boolean merges = merges(targets, spec);
    var cors = spec.<@Nullable Cors>optional("cors", v -> v.object(SecurityPolicyReader::cors));
    var jwt = spec.<@Nullable Jwt>optional("jwt", v -> v.object(new JwtReader(ours, refs)::jwt));
    var methods = new MethodsReader(ours, refs);
    var apiKeyAuth =
        spec.<@Nullable ApiKeyAuth>optional("apiKeyAuth", v -> v.object(methods::apiKeyAuth));
    var basicAuth =
        spec.<@Nullable BasicAuth>optional("basicAuth", v -> v.object(methods::basicAuth));
    var rules = new AuthorizationReader(providers(jwt));
    var authorization = spec.<@Nullable Authorization>optional(
        "authorization", v -> v.object(rules::authorization));
    @Nullable ClientCertificate certificate = null;
    @Nullable Anonymous anonymous = null;
    var response = Response.NONE;
    boolean shadow = false;
    if (ours) {
      certificate = spec.optional("clientCertificate", v -> v.object(methods::clientCertificate));
      anonymous = spec.optional("anonymous", v -> v.object(MethodsReader::anonymous));
      response = spec.optional("response", v -> v.object(ResponseReader::response), Response.NONE);
      shadow = spec.optional(
          "enforcement", v -> v.oneOf(Map.of("Enforce", false, "Shadow", true)), false);
      spec.unsupported("revocation");
    } else {
      spec.onlyInAuthPolicy(
          "clientCertificate", "anonymous", "response", "enforcement", "revocation");
      spec.unsupported("oidc", "csrf");
    }
    var policy = new SecurityPolicy(
        meta,
        targets,
        attachmentOnly(spec),
        cors,
        jwt,
        apiKeyAuth,
        basicAuth,
        certificate,
        anonymous,
        authorization,
        response,
        shadow,
        merges,
        spec.raw());
    checkOwnedHeaders(policy, spec);
    return policy;
  }

  /** Of a SecurityPolicy, which alone has {@code extAuth}. */
  private boolean attachmentOnly(Fields spec) {
    if (ours) {
      return false;
    }
    boolean attachmentOnly = spec.has("extAuth") && spec.count(SECURITY_FIELDS) == 0;
    spec.given("extAuth", extAuth -> {
      extAuth.inspect(SecurityPolicyReader::refuseRecomputeRoute);
      if (!attachmentOnly) {
        extAuth.notice(
            "ignored: which service is asked is not Gatehouse's to say; the rest of the policy holds");
      }
    });
    return attachmentOnly;
  }

  private static boolean merges(Targets targets, Fields spec) {
    spec.given("mergeType", value -> {
      value.oneOf(MERGE_TYPES);
      boolean routes = Stream.concat(
              targets.refs().stream().map(Targets.Ref::kind),
              targets.selectors().stream().map(Targets.Selector::kind))
          .noneMatch(kind -> kind.equals("Gateway"));
      if (!routes) {
        value.error(
            "can only be used by the policy of a route, which merges into the one of its Gateway or listener; this one targets a Gateway");
      }
    });
    return spec.has("mergeType");
  }

  private static Set<String> providers(@Nullable Jwt jwt) {
    return jwt == null
        ? Set.of()
        : jwt.providers().stream()
            .map(SecurityPolicy.Provider::name)
            .collect(Collectors.toUnmodifiableSet());
  }

  /** A header set by ext-authz must never lead to a route whose policies were not asked. */
  static void refuseRecomputeRoute(Fields fields) {
    fields.given(
        "recomputeRoute",
        value -> value.refuseTrue(
            "never honoured: clearing the route cache after the decision can lead the request to a route whose policies were not asked; remove it and route by what the client sends"));
  }

  private static void checkOwnedHeaders(SecurityPolicy policy, Fields spec) {
    var credentials = policy.credentialHeaders();
    for (var name : policy.ownedHeaders()) {
      if (credentials.contains(name)) {
        spec.error(
            "\"" + Shown.of(name)
                + "\" cannot be both looked at for credentials and set: what a policy sets is taken from every request of the Gateway first");
      }
    }
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
}
