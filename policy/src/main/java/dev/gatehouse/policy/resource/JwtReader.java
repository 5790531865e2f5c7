package dev.gatehouse.policy.resource;

import com.google.re2j.Pattern;
import dev.gatehouse.policy.resource.SecurityPolicy.ClaimToHeader;
import dev.gatehouse.policy.resource.SecurityPolicy.ExtractFrom;
import dev.gatehouse.policy.resource.SecurityPolicy.FromHeader;
import dev.gatehouse.policy.resource.SecurityPolicy.InlineJwks;
import dev.gatehouse.policy.resource.SecurityPolicy.Jwks;
import dev.gatehouse.policy.resource.SecurityPolicy.Jwt;
import dev.gatehouse.policy.resource.SecurityPolicy.ProviderTls;
import dev.gatehouse.policy.resource.SecurityPolicy.RefJwks;
import dev.gatehouse.policy.resource.SecurityPolicy.RemoteJwks;
import dev.gatehouse.policy.resource.SecurityPolicy.TokenRules;
import java.net.URI;
import java.time.Duration;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads {@code jwt}: Envoy Gateway's, and what an AuthPolicy may ask of a provider beyond it. */
final class JwtReader {
  /** Envoy Gateway's default, as Envoy's jwt_authn has it. */
  private static final Duration CACHE_DURATION = Duration.ofMinutes(5);

  /** A clock that is further off is broken, and tokens would outlive their time by as much. */
  private static final Duration MAX_SKEW = Duration.ofMinutes(5);

  /** The signature algorithms of RFC 7518 §3.1 and RFC 8037 §3.1 whose keys can be published. */
  private static final Set<String> ALGORITHMS = Set.of(
      "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA");

  private static final Set<String> SYMMETRIC = Set.of("HS256", "HS384", "HS512");
  private static final Pattern MEDIA_TYPE =
      Pattern.compile("([A-Za-z0-9!#$&^_.+-]+/)?[A-Za-z0-9!#$&^_.+-]+");

  /** What is signed by the same keys and is no access token (RFC 8725 §3.11). */
  private static final Map<String, String> OTHER_TOKENS = Map.of(
      "dpop+jwt", "a proof of possession (RFC 9449 §4.2)",
      "logout+jwt", "a logout token (OpenID Connect Back-Channel Logout §2.4)",
      "secevent+jwt", "a security event (RFC 8417 §2.3)");

  private final boolean ours;
  private final RefReader refs;

  /** @param ours an AuthPolicy */
  JwtReader(boolean ours, RefReader refs) {
    this.ours = ours;
    this.refs = refs;
  }

  Jwt jwt(Fields fields) {
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
    var name = fields.required("name", Formats::qualifiedName);
    var issuer = fields.<@Nullable String>optional("issuer", Formats::issuer);
    var audiences = fields.list("audiences", 8, v -> v.text(253));
    var claims = fields.list("claimToHeaders", 64, item -> item.object(JwtReader::claimToHeader));
    var extract = fields.<@Nullable ExtractFrom>optional(
        "extractFrom", v -> v.object(JwtReader::extractFrom));
    SecurityPolicyReader.refuseRecomputeRoute(fields);
    var jwks = jwks(fields);
    if (jwks instanceof RemoteJwks remote && remote.uri() == null && ours) {
      requireDiscoverable(fields);
    }
    var tokens = TokenRules.NONE;
    if (ours) {
      tokens = tokens(fields);
      fields.unsupported("senderConstraint", "introspection");
    } else {
      fields.onlyInAuthPolicy("algorithms", "types", "clockSkew", "maxLifetime", "requiredClaims");
    }
    return new SecurityPolicy.Provider(
        name, issuer, audiences, jwks, claims, extract, tokens, fields.origin());
  }

  /** OpenID Connect Discovery §4: the document is found at the issuer, an https (here also http) URL without query and fragment. */
  private static void requireDiscoverable(Fields fields) {
    var issuer = fields.optional("issuer");
    if (issuer == null) {
      fields.error(
          "remoteJWKS without uri: the keys are found at the issuer (OpenID Connect Discovery), so \"issuer\" is needed");
      return;
    }
    var uri = Formats.httpUri(issuer);
    if (uri.getRawQuery() != null || uri.getRawFragment() != null) {
      issuer.error(
          "has a query or a fragment, so nothing can be found at it (OpenID Connect Discovery §3)");
    }
  }

  private Jwks jwks(Fields fields) {
    @Nullable Jwks remote = fields.optional("remoteJWKS", v -> v.object(this::remote));
    @Nullable Jwks local = fields.optional("localJWKS", v -> v.object(this::local));
    if (fields.count("remoteJWKS", "localJWKS") != 1) {
      fields.error("expected exactly one of remoteJWKS and localJWKS");
    }
    return remote != null ? remote : local != null ? local : new InlineJwks("");
  }

  private Jwks remote(Fields fields) {
    fields.unsupported("backendRef", "backendRefs", "backendSettings");
    fields.notEnforced("failedRefetchDuration");
    @Nullable
    URI uri =
        ours ? fields.optional("uri", Formats::httpUri) : fields.required("uri", Formats::httpUri);
    var cache = fields.optional("cacheDuration", JwtReader::aSecondOrLonger, CACHE_DURATION);
    if (!ours) {
      fields.onlyInAuthPolicy("tls");
      return new RemoteJwks(uri, cache, null);
    }
    var tls = fields.<@Nullable ProviderTls>optional("tls", v -> v.object(this::tls));
    if (tls != null && uri != null && "http".equalsIgnoreCase(uri.getScheme())) {
      fields.error("has tls and an http URI (expected: https)");
    }
    return new RemoteJwks(uri, cache, tls);
  }

  /** The names of Envoy Gateway's Backend, {@code spec.tls}. */
  private ProviderTls tls(Fields fields) {
    var ca = fields.nonEmptyList(
        "caCertificateRefs", 1, item -> item.object(f -> refs.either(f, "ConfigMap")));
    var certificate =
        fields.<@Nullable ObjectRef>optional("clientCertificateRef", v -> v.object(refs::secret));
    if (fields.count("caCertificateRefs", "clientCertificateRef") == 0) {
      fields.error("expected at least one of caCertificateRefs and clientCertificateRef");
    }
    return new ProviderTls(ca.isEmpty() ? null : ca.getFirst(), certificate);
  }

  private static Duration aSecondOrLonger(Value value) {
    var duration = value.duration();
    if (duration.compareTo(Duration.ofSeconds(1)) < 0) {
      value.error("is less than a second");
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
    Jwks ref = fields.optional("valueRef", v -> new RefJwks(v.object(refs::localConfigMap)));
    return inline != null ? inline : ref != null ? ref : new InlineJwks("");
  }

  private static ClaimToHeader claimToHeader(Fields fields) {
    return new ClaimToHeader(
        fields.required("claim", v -> v.text(253)),
        fields.required("header", v -> Formats.ownedHeader(v)));
  }

  private static ExtractFrom extractFrom(Fields fields) {
    var headers = fields.list("headers", 16, item -> item.object(JwtReader::fromHeader));
    var cookies = fields.list("cookies", 16, v -> v.text(256));
    return new ExtractFrom(headers, cookies, fields.list("params", 16, v -> v.text(256)));
  }

  private static FromHeader fromHeader(Fields fields) {
    return new FromHeader(
        fields.required("name", Formats::header),
        fields.<@Nullable String>optional("valuePrefix", v -> v.anyText(256)));
  }

  private static TokenRules tokens(Fields fields) {
    return new TokenRules(
        fields.nonEmptyList("algorithms", 16, JwtReader::algorithm),
        fields.nonEmptyList("types", 16, JwtReader::type),
        fields.<@Nullable Duration>optional("clockSkew", JwtReader::skew),
        fields.<@Nullable Duration>optional("maxLifetime", JwtReader::aSecondOrLonger),
        fields.nonEmptyList("requiredClaims", 64, v -> v.text(253)));
  }

  private static String algorithm(Value value) {
    var name = value.text(64);
    if (name.equalsIgnoreCase("none")) {
      value.error(
          "\"none\" is never taken: anyone can make a token without a signature (RFC 8725 §3.2)");
    } else if (SYMMETRIC.contains(name.toUpperCase(Locale.ROOT))) {
      value.error(
          value.show(name)
              + " is never taken: with a shared key whoever checks tokens can make them, and a public key would do for one (RFC 8725 §2.1)");
    } else if (!ALGORITHMS.contains(name) && !name.isEmpty()) {
      value.error(value.show(name) + " is not one of "
          + String.join(", ", ALGORITHMS.stream().sorted().toList())
          + Shown.didYouMean(name, ALGORITHMS));
    }
    return name;
  }

  private static String type(Value value) {
    var type = value.text(128);
    var lower = type.toLowerCase(Locale.ROOT);
    var other = OTHER_TOKENS.get(
        lower.startsWith("application/") ? lower.substring("application/".length()) : lower);
    if (other != null) {
      value.error(value.show(type) + " is " + other + " and never an access token");
    } else if (!type.isEmpty() && !MEDIA_TYPE.matches(type)) {
      value.error(value.show(type) + " is not a media type such as at+jwt");
    }
    return type;
  }

  private static Duration skew(Value value) {
    var skew = value.duration();
    if (skew.compareTo(MAX_SKEW) > 0) {
      value.error("is more than " + MAX_SKEW.toMinutes() + "m: set the clocks instead");
    }
    return skew;
  }
}
