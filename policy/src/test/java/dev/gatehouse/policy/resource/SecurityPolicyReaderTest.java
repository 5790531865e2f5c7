package dev.gatehouse.policy.resource;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.SecurityPolicy.Action;
import dev.gatehouse.policy.resource.SecurityPolicy.RefJwks;
import dev.gatehouse.policy.resource.SecurityPolicy.RemoteJwks;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SecurityPolicyReaderTest {
  private static Read read(String spec) {
    return Read.spec("SecurityPolicy", spec);
  }

  private static Read provider(String more) {
    return read("jwt: {providers: [{name: corp, " + more + "}]}\n");
  }

  @Test
  void every_field_that_is_honoured_is_read() {
    var policy = read("""
        cors:
          allowOrigins: ["https://*.example.com", "http://localhost:3000"]
          allowMethods: [GET, POST]
          allowHeaders: [authorization]
          exposeHeaders: ["*"]
          maxAge: 1h30m
          allowCredentials: true
        jwt:
          optional: true
          providers:
          - name: corp
            issuer: https://idp.example.com
            audiences: [orders]
            remoteJWKS: {uri: "https://idp.example.com/jwks", cacheDuration: 300s}
            claimToHeaders: [{claim: user.name, header: X-User}]
            extractFrom: {headers: [{name: X-Token, valuePrefix: "Token "}], cookies: [t], params: [token]}
          - name: lab
            localJWKS: {type: ValueRef, valueRef: {group: "", kind: ConfigMap, name: keys}}
        authorization:
          defaultAction: Deny
          rules:
          - name: read
            action: Allow
            operation: {methods: [GET], path: {type: RegularExpression, value: "/orders/[0-9]+"}}
            principal:
              clientCIDRs: [10.0.0.0/8, "2001:db8::/32"]
              jwt: {provider: corp, claims: [{name: roles, valueType: StringArray, values: [admin]}], scopes: ["orders:read"]}
              headers: [{name: X-Tenant, values: [a, b]}]
            cel: request.method == 'GET'
        """).only(SecurityPolicy.class);

    assertThat(policy.attachmentOnly()).isFalse();
    assertThat(requireNonNull(policy.cors()).maxAge()).isEqualTo(Duration.ofMinutes(90));
    assertThat(requireNonNull(policy.cors()).allowOrigins())
        .containsExactly("https://*.example.com", "http://localhost:3000");
    assertThat(requireNonNull(policy.jwt()).optional()).isTrue();
    var corp = requireNonNull(policy.jwt()).providers().getFirst();
    assertThat(((RemoteJwks) corp.jwks()).cacheDuration()).isEqualTo(Duration.ofMinutes(5));
    assertThat(corp.claimToHeaders())
        .containsExactly(new SecurityPolicy.ClaimToHeader("user.name", "x-user"));
    assertThat(requireNonNull(corp.extractFrom()).headers())
        .containsExactly(new SecurityPolicy.FromHeader("x-token", "Token "));
    assertThat(corp.origin()).isEqualTo(new Origin("p.yaml", 16, 7));
    assertThat(((RefJwks) requireNonNull(policy.jwt()).providers().get(1).jwks())
            .configMap()
            .name())
        .isEqualTo("keys");
    var rule = requireNonNull(policy.authorization()).rules().getFirst();
    assertThat(requireNonNull(rule.operation()).path())
        .isEqualTo(new StringMatch(StringMatch.Type.REGULAR_EXPRESSION, "/orders/[0-9]+"));
    var principal = requireNonNull(rule.principal());
    assertThat(principal.clientCidrs()).containsExactly("10.0.0.0/8", "2001:db8::/32");
    assertThat(requireNonNull(principal.jwt()).claims().getFirst().array()).isTrue();
    assertThat(principal.headers())
        .containsExactly(new SecurityPolicy.HeaderValues("x-tenant", java.util.List.of("a", "b")));
    assertThat(rule.cel()).isEqualTo("request.method == 'GET'");
  }

  @Test
  void defaults_are_envoy_gateways() {
    var policy =
        read("jwt: {providers: [{name: a, localJWKS: {inline: '{}'}}]}\nauthorization: {}\n")
            .only(SecurityPolicy.class);

    assertThat(requireNonNull(policy.jwt()).optional()).isFalse();
    assertThat(requireNonNull(policy.authorization()).defaultAction()).isEqualTo(Action.DENY);
    assertThat(policy.meta().namespace()).isEqualTo("default");
  }

  @ParameterizedTest
  @ValueSource(strings = {"oidc", "csrf"})
  void a_security_field_that_is_not_supported_rejects_the_policy_and_keeps_its_targets(
      String field) {
    var read =
        read("jwt: {providers: [{name: a, localJWKS: {inline: '{}'}}]}\n" + field + ": {x: y}\n");

    assertThat(read.problems())
        .containsExactly("p.yaml:7:3: spec." + field
            + ": not supported yet; remove it, or the rest would not mean what you wrote");
    assertThat(read.resources())
        .singleElement()
        .isInstanceOfSatisfying(
            RejectedPolicy.class,
            p -> assertThat(p.targets().refs()).extracting(Targets.Ref::name).containsExactly("r"));
  }

  @Test
  void api_keys_and_passwords_are_read() {
    var policy = read("""
        apiKeyAuth:
          credentialRefs: [{name: keys}, {group: "", kind: Secret, name: more, namespace: creds}]
          extractFrom: [{headers: [X-Api-Key, x-key]}, {params: [key]}, {cookies: [key]}]
          forwardClientIDHeader: X-Client
          sanitize: true
        basicAuth: {users: {name: users}, forwardUsernameHeader: X-User}
        """).only(SecurityPolicy.class);

    var keys = requireNonNull(policy.apiKeyAuth());
    assertThat(keys.credentialRefs())
        .extracting(ref -> ref.kind() + " " + ref.namespace() + "/" + ref.name())
        .containsExactly("Secret default/keys", "Secret creds/more");
    assertThat(keys.extractFrom())
        .extracting(from -> from.headers() + " " + from.params() + " " + from.cookies())
        .containsExactly(
            "[FromHeader[name=x-api-key, valuePrefix=null], FromHeader[name=x-key, valuePrefix=null]] [] []",
            "[] [key] []",
            "[] [] [key]");
    assertThat(keys.forwardClientIdHeader()).isEqualTo("x-client");
    assertThat(keys.sanitize()).isTrue();
    assertThat(keys.clients()).isNull();
    var basic = requireNonNull(policy.basicAuth());
    assertThat(basic.users().name()).isEqualTo("users");
    assertThat(basic.forwardUsernameHeader()).isEqualTo("x-user");
    assertThat(policy.anyMethod()).isFalse();
    assertThat(policy.guards()).isTrue();
    assertThat(policy.ownedHeaders()).containsExactly("x-client", "x-user");
    assertThat(policy.credentialHeaders())
        .containsExactlyInAnyOrder("x-api-key", "x-key", "cookie", "authorization");
  }

  @Test
  void a_path_may_be_inverted() {
    var operation = requireNonNull(requireNonNull(
            read("authorization: {rules: [{action: Allow, cel: 'true', operation: {path: {value: /a, invert: true}}}]}\n")
                .only(SecurityPolicy.class)
                .authorization())
        .rules()
        .getFirst()
        .operation());

    assertThat(operation.invertPath()).isTrue();
    assertThat(operation.path()).isEqualTo(new StringMatch(StringMatch.Type.PATH_PREFIX, "/a"));
  }

  @Test
  void a_header_that_could_be_read_stays_owned_though_the_policy_is_rejected() {
    var read = provider(
        "localJWKS: {inline: '{}'}, recomputeRoute: true, claimToHeaders: [{claim: sub, header: X-User}, {claim: a, header: host}, {claim: a, header: 'x y'}, {claim: a, header: cookie}, {claim: a, header: x-token}], extractFrom: {headers: [{name: x-token}]}");

    assertThat(read.resources())
        .singleElement()
        .isInstanceOfSatisfying(
            RejectedPolicy.class, p -> assertThat(p.ownedHeaders()).containsExactly("x-user"));
  }

  @Test
  void recompute_route_is_an_error_that_says_why() {
    assertThat(provider("localJWKS: {inline: '{}'}, recomputeRoute: true").problems())
        .containsExactly(
            "p.yaml:6:61: spec.jwt.providers[0].recomputeRoute: never honoured: clearing the route cache after the decision can lead the request to a route whose policies were not asked; remove it and route by what the client sends");
    assertThat(provider("localJWKS: {inline: '{}'}, recomputeRoute: false").problems())
        .isEmpty();
    assertThat(read("extAuth: {recomputeRoute: true, grpc: {}}\n").problems())
        .singleElement()
        .asString()
        .startsWith("p.yaml:6:13: spec.extAuth.recomputeRoute: never honoured");
  }

  @Test
  void ext_auth_alone_is_an_attachment_and_with_others_it_is_ignored() {
    assertThat(read("extAuth: {grpc: {backendRefs: [{name: gatehouse}]}}\n")
            .only(SecurityPolicy.class)
            .attachmentOnly())
        .isTrue();
    assertThat(read("").only(SecurityPolicy.class).attachmentOnly()).isFalse();

    var both = read("extAuth: {grpc: {}}\nauthorization: {defaultAction: Allow}\n");

    assertThat(both.problems())
        .containsExactly(
            "p.yaml:6:3: notice: spec.extAuth: ignored: which service is asked is not Gatehouse's to say; the rest of the policy holds");
    assertThat(((SecurityPolicy) both.resources().getFirst()).attachmentOnly()).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "jwt: {} | \"providers\" is missing",
        "jwt: {providers: []} | has no providers",
        "jwt: {failOpen: true, providers: [{name: a, localJWKS: {inline: x}}]} | spec.jwt.failOpen: not supported yet",
        "jwt: {providers: [{name: a}]} | expected exactly one of remoteJWKS and localJWKS",
        "jwt: {providers: [{name: a, remoteJWKS: {uri: 'https://a/'}, localJWKS: {inline: x}}]} | expected exactly one of remoteJWKS and localJWKS",
        "jwt: {providers: [{name: a, localJWKS: {inline: x, valueRef: {name: y}}}]} | expected exactly one of inline and valueRef",
        "jwt: {providers: [{name: a, localJWKS: {type: ValueRef, inline: x}}]} | expected exactly one of inline and valueRef",
        "jwt: {providers: [{name: a, localJWKS: {inline: x}}, {name: a, localJWKS: {inline: x}}]} | two providers are named \"a\"",
        "jwt: {providers: [{name: a, remoteJWKS: {uri: 'https://u:p@a/'}}]} | without user information",
        "jwt: {providers: [{name: a, remoteJWKS: {uri: 'https://a/', cacheDuration: 0s}}]} | cacheDuration: is less than a second",
        "jwt: {providers: [{name: a, remoteJWKS: {uri: 'https://a/', backendRefs: []}}]} | backendRefs: not supported yet",
        "jwt: {providers: [{name: a, localJWKS: {inline: x}, claimToHeaders: [{claim: sub, header: host}]}]} | \"host\" is Envoy's own and cannot be changed",
        "jwt: {providers: [{name: a, localJWKS: {inline: x}, claimToHeaders: [{claim: sub, header: 'x user'}]}]} | is not a header name",
        "authorization: {defaultAction: allow} | \"allow\" is not one of Allow, Deny (did you mean \"Allow\"?)",
        "authorization: {rules: [{principal: {clientCIDRs: [10.0.0.0/8]}}]} | \"action\" is missing",
        "authorization: {rules: [{action: Allow}]} | expected at least one of principal and cel",
        "authorization: {rules: [{action: Allow, principal: {}}]} | expected at least one of clientCIDRs, jwt and headers",
        "authorization: {rules: [{action: Allow, principal: {clientCIDRs: []}}]} | clientCIDRs: is empty; remove it, or name what is meant",
        "authorization: {rules: [{action: Allow, principal: {clientCIDRs: [10.0.0.0/33]}}]} | is not an address range",
        "authorization: {rules: [{action: Allow, principal: {clientCIDRs: [10.0.0.0]}}]} | is not an address range",
        "authorization: {rules: [{action: Allow, principal: {clientCIDRs: ['example.com/8']}}]} | is not an address range",
        "authorization: {rules: [{action: Allow, principal: {clientIPGeoLocations: [{country: DE}]}}]} | clientIPGeoLocations: not supported yet",
        "authorization: {rules: [{action: Allow, principal: {jwt: {provider: a, scopes: [x]}}}]} | needs the jwt provider \"a\", which spec.jwt does not have",
        "authorization: {rules: [{action: Allow, principal: {jwt: {provider: a}}}]} | expected at least one of claims and scopes",
        "authorization: {rules: [{action: Allow, cel: 'true', operation: {}}]} | expected at least one of methods and path",
        "authorization: {rules: [{action: Allow, cel: 'true', operation: {methods: [get]}}]} | \"get\" is not one of CONNECT, DELETE, GET",
        "authorization: {rules: [{action: Allow, cel: 'true', operation: {path: {type: RegularExpression, value: 'a('}}}]} | is not an RE2 regular expression: missing closing )",
        "authorization: {rules: [{action: Allow, cel: 'true', operation: {path: {type: RegularExpression, value: '(?=a)'}}}]} | is not an RE2 regular expression",
        "authorization: {rules: [{action: Allow, cel: 'true', operation: {path: {type: RegularExpression, value: '((a{1000}){1000}){1000}'}}}]} | its repetitions multiply to more than 10000 steps",
        "authorization: {rules: [{action: Allow, cel: 'true', operation: {path: {value: orders}}}]} | \"orders\" does not begin with '/'",
        "jwt: {providers: [{name: 'a b', localJWKS: {inline: x}}]} | is not a name of at most 63 letters",
        "jwt: {providers: [{name: a, issuer: 'https://a b', localJWKS: {inline: x}}]} | holds a colon and is no URI",
        "jwt: {providers: [{name: a, issuer: 'a@', localJWKS: {inline: x}}]} | holds an @ and is no email address",
        "jwt: {providers: [{name: a, remoteJWKS: {cacheDuration: 5m}}]} | \"uri\" is missing",
        "jwt: {providers: [{name: a, localJWKS: {inline: x}, algorithms: [RS256]}]} | algorithms: is a field of AuthPolicy (gatehouse.dev/v1alpha1), not of SecurityPolicy",
        "jwt: {providers: [{name: a, localJWKS: {type: ValueRef, valueRef: {name: a, namespace: b}}}]} | namespace: is not a field here",
        "jwt: {providers: [{name: a, localJWKS: {inline: x}, claimToHeaders: [{claim: a, header: Authorization}]}]} | claimToHeaders[0].header: \"authorization\" cannot be set by a policy",
        "anonymous: {} | anonymous: is a field of AuthPolicy",
        "apiKeyAuth: {extractFrom: [{headers: [a]}]} | \"credentialRefs\" is missing",
        "apiKeyAuth: {credentialRefs: [], extractFrom: [{headers: [a]}]} | credentialRefs: is empty",
        "apiKeyAuth: {credentialRefs: [{name: a}]} | \"extractFrom\" is missing",
        "apiKeyAuth: {credentialRefs: [{name: a}], extractFrom: []} | extractFrom: is empty",
        "apiKeyAuth: {credentialRefs: [{name: a}], extractFrom: [{}]} | expected exactly one of headers, params and cookies",
        "apiKeyAuth: {credentialRefs: [{name: a}], extractFrom: [{headers: [a], params: [b]}]} | expected exactly one of headers, params and cookies",
        "apiKeyAuth: {credentialRefs: [{name: a}], extractFrom: [{headers: []}]} | headers: is empty",
        "apiKeyAuth: {credentialRefs: [{name: a}], extractFrom: [{headers: ['']}]} | headers[0]: is empty",
        "apiKeyAuth: {credentialRefs: [{name: a, kind: ConfigMap}], extractFrom: [{headers: [a]}]} | \"ConfigMap\" is not one of Secret",
        "apiKeyAuth: {credentialRefs: [{name: a}], extractFrom: [{headers: [a]}], forwardClientIDHeader: host} | \"host\" is Envoy's own",
        "apiKeyAuth: {credentialRefs: [{name: a}], extractFrom: [{headers: [a]}], forwardClientIDHeader: A} | \"a\" cannot be both looked at for credentials and set",
        "apiKeyAuth: {credentialRefs: [{name: a}], extractFrom: [{headers: [a]}], clients: {name: c}} | clients: is a field of AuthPolicy",
        "basicAuth: {} | \"users\" is missing",
        "basicAuth: {users: {name: a}, forwardUsernameHeader: ':path'} | is not a header name",
        "mergeType: Replace | \"Replace\" is not one of JSONMerge, StrategicMerge",
        "cors: {allowOrigins: ['example.com']} | is not an origin",
        "cors: {allowOrigins: ['https://*.example.com:*']} | holds two wildcards",
      })
  void what_the_api_refuses_is_an_error(String spec, String message) {
    var read = read(spec + "\n");

    assertThat(read.problems()).anySatisfy(problem -> assertThat(problem).contains(message));
    assertThat(read.resources()).singleElement().isInstanceOf(RejectedPolicy.class);
  }

  @Test
  void credentials_for_every_origin_are_warned_of() {
    var read = read("cors: {allowOrigins: ['*'], allowCredentials: true}\n");

    assertThat(read.problems())
        .containsExactly(
            "p.yaml:6:31: warning: spec.cors.allowCredentials: with allowOrigins \"*\" every site's scripts act with the user's cookies; name the origins");
    assertThat(read.resources()).singleElement().isInstanceOf(SecurityPolicy.class);
  }
}
