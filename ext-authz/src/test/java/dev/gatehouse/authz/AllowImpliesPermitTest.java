package dev.gatehouse.authz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.authz.jwt.Issuer;
import dev.gatehouse.server.Decision;
import dev.gatehouse.server.Decision.Outcome;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * For random policies and requests, from the policy's YAML to Envoy's answer: who passes was identified by a method of the policy, or
 * the policy asks nobody (it has no method, it opts out, {@code anonymous} holds, the token is {@code optional}, it is in {@code
 * Shadow}), and where it has rules one of them or the default action said Allow. The decision names which it was. The oracle is
 * written here from what docs/policies.md says, and knows nothing of the service.
 */
class AllowImpliesPermitTest {
  private static final long SEED = 20261125;
  private static final int POLICIES = 100;
  private static final int REQUESTS = 35;

  private static final X509Bundle AUTHORITY = authority("CN=Corp CA");
  private static final X509Bundle STRANGER = authority("CN=Other CA");

  /** What a caller has for a method; bad in one way of several, or twice. */
  private enum Shows {
    NOTHING,
    GOOD,
    BAD,
    TWICE
  }

  private enum Found {
    ABSENT,
    GOOD,
    BAD
  }

  private enum Answer {
    YES,
    NO,
    UNSURE
  }

  /** @param scope whether it may read, if it is good */
  private record Token(String text, boolean good, boolean scope) {}

  private static final List<Token> TOKENS = List.of(
      new Token(Issuer.token(), true, false),
      new Token(Issuer.token("scope", "read write"), true, true),
      new Token(Issuer.token("scope", "read", "exp", 1), false, true),
      new Token(Issuer.token("scope", "read", "exp", null), false, true),
      new Token(Issuer.token("scope", "read", "nbf", 1_999_999_999), false, true),
      new Token(Issuer.token("scope", "read", "iss", "https://evil.example"), false, true),
      new Token(Issuer.token("scope", "read", "aud", "other"), false, true),
      new Token(Issuer.token("scope", "read") + "A", false, true),
      new Token(forged(), false, true),
      new Token("x", false, false));

  private static final String OBJECTS =
      """
      apiVersion: v1
      kind: Secret
      metadata: {name: clients, namespace: shop}
      stringData: {mobile: key-of-mobile}
      ---
      apiVersion: v1
      kind: Secret
      metadata: {name: users, namespace: shop}
      stringData: {.htpasswd: "ada:{SHA}NWoZK3kTsExUV00Ywo1G5jlUKKs="}
      ---
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: ca, namespace: shop}
      data:
        ca.crt: |
      %s
      ---
      """.formatted(AUTHORITY.getCertificatePEM().indent(4));

  /** The parts of a rule that are there must all hold. */
  private record Rule(
      boolean allow,
      boolean get,
      boolean near,
      boolean role,
      boolean open,
      boolean read,
      boolean ada) {}

  private record Policy(
      boolean access,
      boolean jwt,
      boolean optional,
      boolean apiKey,
      boolean basic,
      boolean certificate,
      boolean anonymous,
      boolean onlyOptions,
      boolean shadow,
      @Nullable Boolean allowByDefault,
      List<Rule> rules) {
    int methods() {
      return (jwt ? 1 : 0) + (apiKey ? 1 : 0) + (basic ? 1 : 0) + (certificate ? 1 : 0);
    }

    boolean empty() {
      return methods() == 0 && !anonymous && allowByDefault == null;
    }
  }

  private record Request(
      String method,
      String path,
      boolean near,
      @Nullable String role,
      Shows token,
      Token which,
      boolean inQuery,
      Shows basic,
      Shows apiKey,
      Shows certificate,
      boolean raw) {}

  /** @param reason as the decision's, or its beginning */
  private record Expected(boolean passes, String reason) {}

  private final Random random = new Random(SEED);

  @Test
  void an_allow_means_that_a_method_identified_or_that_none_had_to_and_that_the_rules_allowed() {
    var reasons = new TreeMap<String, Integer>();
    for (int p = 0; p < POLICIES; p++) {
      var policy = policy();
      var yaml = yaml(policy);
      try (var gate = Gate.of(OBJECTS + yaml)) {
        for (int r = 0; r < REQUESTS; r++) {
          var request = request();
          var expected = expected(policy, request);
          var status = Gate.status(gate.check(call(request)));
          var heard = heard(gate, r + 1);
          assertThat(status == 200)
              .as("seed %d, policy %d, request %d: %s, %s, %s", SEED, p, r, policy, request, heard)
              .isEqualTo(expected.passes);
          assertThat(heard.outcome() == Outcome.ALLOWED).isEqualTo(expected.passes);
          assertThat(heard.reason())
              .as("seed %d, policy %d, request %d: %s, %s", SEED, p, r, policy, request)
              .isEqualTo(expected.reason);
          reasons.merge(expected.reason, 1, Integer::sum);
        }
      }
    }
    // Nothing of it was left out, and nothing takes it all.
    assertThat(reasons.keySet())
        .contains(
            "allowed",
            "anonymous",
            "optional",
            "no-method",
            "open",
            "no-credential",
            "bad-credential",
            "forbidden",
            "insufficient-scope",
            "shadow-no-credential",
            "shadow-bad-credential",
            "shadow-forbidden");
    assertThat(reasons.values())
        .allSatisfy(count -> assertThat(count).isLessThan(POLICIES * REQUESTS / 2));
  }

  private static Expected expected(Policy policy, Request request) {
    if (policy.empty()) {
      return new Expected(true, "open");
    }
    var enforced = enforced(policy, request);
    return policy.shadow && !enforced.passes
        ? new Expected(true, "shadow-" + enforced.reason)
        : enforced;
  }

  private static Expected enforced(Policy policy, Request request) {
    var found = new ArrayList<Found>();
    var required = new ArrayList<Found>();
    var token = policy.jwt ? token(request) : Found.ABSENT;
    var key = policy.apiKey ? alone(request.apiKey) : Found.ABSENT;
    var basic = policy.basic ? basic(request) : Found.ABSENT;
    var certificate = policy.certificate ? alone(request.certificate) : Found.ABSENT;
    found.addAll(List.of(token, key, basic, certificate));
    if (policy.jwt && !policy.optional) {
      required.add(token);
    }
    if (policy.apiKey) {
      required.add(key);
    }
    if (policy.basic) {
      required.add(basic);
    }
    if (policy.certificate) {
      required.add(certificate);
    }
    if (found.contains(Found.BAD)) {
      return new Expected(false, "bad-credential");
    }
    String because;
    if (found.contains(Found.GOOD)) {
      if (!policy.access && required.contains(Found.ABSENT)) {
        return new Expected(false, "no-credential");
      }
      because = "allowed";
    } else if (policy.anonymous && (!policy.onlyOptions || request.method.equals("OPTIONS"))) {
      because = "anonymous";
    } else if (policy.methods() == 0 && !policy.anonymous) {
      because = "no-method";
    } else if (policy.optional && required.isEmpty()) {
      because = "optional";
    } else {
      return new Expected(false, "no-credential");
    }
    if (policy.allowByDefault == null) {
      return new Expected(true, because);
    }
    boolean ada = token != Found.GOOD && key != Found.GOOD && basic == Found.GOOD;
    return ruled(policy, request, because, token == Found.GOOD, ada);
  }

  /** @param ada whether it is ada who calls; what is not asked of anybody cannot be said of nobody */
  private static Expected ruled(
      Policy policy, Request request, String because, boolean token, boolean ada) {
    boolean scopeMissing = false;
    for (var rule : policy.rules) {
      boolean read = token && request.which.scope;
      var but = Answer.YES;
      but = and(but, !rule.get || request.method.equals("GET") ? Answer.YES : Answer.NO);
      but = and(but, !rule.near || request.near ? Answer.YES : Answer.NO);
      but = and(but, !rule.role ? Answer.YES : role(request.role));
      but = and(but, !rule.open ? Answer.YES : path(request.path));
      but = and(
          but,
          !rule.ada || ada ? Answer.YES : because.equals("allowed") ? Answer.NO : Answer.UNSURE);
      var answer = and(but, !rule.read || read ? Answer.YES : Answer.NO);
      if (answer == Answer.YES || (answer == Answer.UNSURE && !rule.allow)) {
        return new Expected(rule.allow, rule.allow ? because : "forbidden");
      }
      scopeMissing |= rule.allow && rule.read && token && !read && but == Answer.YES;
    }
    boolean allow = Boolean.TRUE.equals(policy.allowByDefault);
    return new Expected(allow, allow ? because : scopeMissing ? "insufficient-scope" : "forbidden");
  }

  private static Answer and(Answer one, Answer other) {
    if (one == Answer.NO || other == Answer.NO) {
      return Answer.NO;
    }
    return one == Answer.UNSURE ? one : other;
  }

  private static Answer role(@Nullable String role) {
    if (role == null) {
      return Answer.NO;
    }
    return role.equals("admin") ? Answer.YES : role.contains("admin") ? Answer.UNSURE : Answer.NO;
  }

  private static Answer path(String path) {
    if (path.contains("..") || path.contains(";") || path.contains("%")) {
      return Answer.UNSURE;
    }
    return path.startsWith("/orders/open") ? Answer.YES : Answer.NO;
  }

  private static Found token(Request request) {
    int tokens = count(request.token);
    if (lines(request) > 1 || tokens > 1) {
      return Found.BAD;
    }
    return tokens == 0 ? Found.ABSENT : request.which.good ? Found.GOOD : Found.BAD;
  }

  private static Found basic(Request request) {
    if (lines(request) > 1) {
      return Found.BAD;
    }
    return alone(request.basic);
  }

  private static Found alone(Shows shows) {
    return switch (shows) {
      case NOTHING -> Found.ABSENT;
      case GOOD -> Found.GOOD;
      case BAD, TWICE -> Found.BAD;
    };
  }

  /** How many Authorization lines there are. */
  private static int lines(Request request) {
    return count(request.basic) + (request.inQuery ? 0 : count(request.token));
  }

  private static int count(Shows shows) {
    return switch (shows) {
      case NOTHING -> 0;
      case GOOD, BAD -> 1;
      case TWICE -> 2;
    };
  }

  private Policy policy() {
    boolean access = random.nextInt(3) != 0;
    boolean jwt = random.nextBoolean();
    boolean rules = random.nextInt(3) != 0;
    boolean anonymous = access && random.nextInt(3) == 0;
    var policy = new Policy(
        access,
        jwt,
        jwt && random.nextBoolean(),
        random.nextInt(3) == 0,
        random.nextInt(3) == 0,
        access && random.nextInt(4) == 0,
        anonymous,
        anonymous && random.nextBoolean(),
        access && random.nextInt(5) == 0,
        rules ? random.nextInt(4) == 0 : null,
        rules ? rules(jwt) : List.of());
    // An AuthPolicy that says nothing but that it is in shadow is not asked for here.
    return access && policy.empty() ? policy() : policy;
  }

  private List<Rule> rules(boolean jwt) {
    var rules = new ArrayList<Rule>();
    for (int i = random.nextInt(4); i > 0; i--) {
      var rule = new Rule(
          random.nextInt(3) != 0,
          random.nextInt(3) == 0,
          random.nextInt(3) == 0,
          random.nextInt(4) == 0,
          random.nextInt(3) == 0,
          jwt && random.nextInt(2) == 0,
          random.nextInt(5) == 0);
      if (rule.near || rule.role || rule.read || rule.ada) {
        rules.add(rule); // a rule asks something of who calls
      }
    }
    return List.copyOf(rules);
  }

  private Request request() {
    return new Request(
        pick("GET", "GET", "POST", "OPTIONS"),
        pick("/orders/open", "/orders/open/a", "/orders/x", "/orders/open/../x", "/orders/open;x"),
        random.nextBoolean(),
        pick(null, null, "admin", "guest", "guest, admin"),
        shows(),
        TOKENS.get(random.nextInt(random.nextInt(2) == 0 ? 2 : TOKENS.size())),
        random.nextBoolean(),
        shows(),
        shows(),
        random.nextInt(3) == 0 ? pick(Shows.GOOD, Shows.BAD) : Shows.NOTHING,
        random.nextBoolean());
  }

  private Shows shows() {
    return pick(
        Shows.NOTHING,
        Shows.NOTHING,
        Shows.NOTHING,
        Shows.NOTHING,
        Shows.GOOD,
        Shows.GOOD,
        Shows.GOOD,
        Shows.BAD,
        Shows.TWICE);
  }

  @SafeVarargs
  private <T> T pick(T... all) {
    return all[random.nextInt(all.length)];
  }

  private CheckRequest call(Request request) {
    var query = new StringBuilder("?a=b");
    var call =
        Call.get("/").method(request.method).from(request.near ? "192.0.2.7" : "203.0.113.9");
    for (int i = 0; i < count(request.token); i++) {
      if (request.inQuery) {
        query.append("&access_token=").append(request.which.text);
      } else {
        call = call.bearer(request.which.text);
      }
    }
    for (int i = 0; i < count(request.basic); i++) {
      var pair = request.basic == Shows.BAD ? pick("ada:2", "ada:", "eve:1", ":") : "ada:1";
      call = call.with(
          "authorization",
          "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8)));
    }
    for (int i = 0; i < count(request.apiKey); i++) {
      call =
          call.with("x-api-key", request.apiKey == Shows.BAD ? "key-of-nobody" : "key-of-mobile");
    }
    if (request.role != null) {
      call = call.with("x-role", request.role);
    }
    call = call.with("x-user", "root");
    var placed = new Call(
        call.method(),
        request.path + query,
        call.headers(),
        request.raw,
        call.address(),
        call.listener(),
        call.route(),
        null);
    var check = placed.request().toBuilder();
    if (request.certificate != Shows.NOTHING) {
      var shown =
          request.certificate == Shows.GOOD ? GOOD_CALLER : pick(STRANGERS_CALLER, "no PEM");
      check.getAttributesBuilder().getSourceBuilder().setCertificate(shown);
    }
    return check.build();
  }

  private static String yaml(Policy policy) {
    var spec = new StringBuilder();
    if (policy.jwt) {
      spec.append(Gate.jwt("    audiences: [orders]\n"))
          .append("  optional: ")
          .append(policy.optional)
          .append('\n');
    }
    if (policy.apiKey) {
      spec.append("""
          apiKeyAuth:
            credentialRefs: [{name: clients}]
            extractFrom: [{headers: [x-api-key]}]
          """);
    }
    if (policy.basic) {
      spec.append("basicAuth: {users: {name: users}}\n");
    }
    if (policy.certificate) {
      spec.append("clientCertificate: {from: Peer, caSecret: {kind: ConfigMap, name: ca}}\n");
    }
    if (policy.anonymous) {
      spec.append(
          policy.onlyOptions
              ? "anonymous: {when: \"request.method == 'OPTIONS'\"}\n"
              : "anonymous: {}\n");
    }
    if (policy.shadow) {
      spec.append("enforcement: Shadow\n");
    }
    if (policy.allowByDefault != null) {
      spec.append("authorization:\n  defaultAction: ")
          .append(policy.allowByDefault ? "Allow" : "Deny")
          .append('\n');
      spec.append(policy.rules.isEmpty() ? "" : "  rules:\n");
      policy.rules.forEach(rule -> spec.append("  - {").append(yaml(rule)).append("}\n"));
    }
    var text = Gate.policy(spec.toString());
    return policy.access
        ? text.replace("gateway.envoyproxy.io/v1alpha1", "gatehouse.dev/v1alpha1")
            .replace("SecurityPolicy", "AuthPolicy")
        : text;
  }

  private static String yaml(Rule rule) {
    var parts = new ArrayList<String>(List.of("action: " + (rule.allow ? "Allow" : "Deny")));
    var operation = new ArrayList<String>();
    if (rule.get) {
      operation.add("methods: [GET]");
    }
    if (rule.open) {
      operation.add("path: {type: PathPrefix, value: /orders/open}");
    }
    if (!operation.isEmpty()) {
      parts.add("operation: {" + String.join(", ", operation) + "}");
    }
    var principal = new ArrayList<String>();
    if (rule.near) {
      principal.add("clientCIDRs: [192.0.2.0/24]");
    }
    if (rule.role) {
      principal.add("headers: [{name: x-role, values: [admin]}]");
    }
    if (rule.read) {
      principal.add("jwt: {provider: corp, scopes: [read]}");
    }
    if (!principal.isEmpty()) {
      parts.add("principal: {" + String.join(", ", principal) + "}");
    }
    if (rule.ada) {
      parts.add("cel: \"auth.sub == 'ada'\"");
    }
    return String.join(", ", parts);
  }

  /** It is told after the caller is. */
  private static Decision heard(Gate gate, int decisions) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
    while (gate.heard.size() < decisions) {
      assertThat(System.nanoTime()).as("a decision is heard of").isLessThan(deadline);
      Thread.onSpinWait();
    }
    return gate.heard.get(decisions - 1);
  }

  private static final String GOOD_CALLER = caller(AUTHORITY);
  private static final String STRANGERS_CALLER = caller(STRANGER);

  private static X509Bundle authority(String subject) {
    try {
      return certificate(subject)
          .setIsCertificateAuthority(true)
          .setKeyUsage(true, CertificateBuilder.KeyUsage.keyCertSign)
          .buildSelfSigned();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  /** As Envoy has it in {@code source.certificate}. */
  private static String caller(X509Bundle issuer) {
    try {
      var pem = certificate("CN=orders,O=Corp")
          .addExtendedKeyUsageClientAuth()
          .buildIssuedBy(issuer)
          .getCertificatePEM();
      var encoded = pem;
      for (var escape : Map.of(
              "\r", "", "\n", "%0A", " ", "%20", "+", "%2B", "/", "%2F", "=", "%3D")
          .entrySet()) {
        encoded = encoded.replace(escape.getKey(), escape.getValue());
      }
      return encoded;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static CertificateBuilder certificate(String subject) {
    return new CertificateBuilder()
        .ecp256()
        .subject(subject)
        .notBefore(Issuer.NOW.minus(Duration.ofDays(1)))
        .notAfter(Issuer.NOW.plus(Duration.ofDays(1)));
  }

  private static String forged() {
    return Issuer.signed(
        "SHA256withRSA",
        Issuer.rsa("two").getPrivate(),
        Issuer.header(),
        "{\"iss\":\"" + Issuer.NAME
            + "\",\"aud\":\"orders\",\"scope\":\"read\",\"exp\":1767229200}");
  }
}
