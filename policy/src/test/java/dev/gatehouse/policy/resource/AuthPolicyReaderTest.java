package dev.gatehouse.policy.resource;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.SecurityPolicy.RemoteJwks;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AuthPolicyReaderTest {
  private static Read read(String spec) {
    return Read.spec("AuthPolicy", spec);
  }

  private static String named(ObjectRef ref) {
    return ref.kind() + " " + ref.namespace() + "/" + ref.name();
  }

  @Test
  void every_field_is_read() {
    var policy = read("""
        jwt:
          providers:
          - name: corp
            issuer: https://idp.example.com
            audiences: [orders]
            remoteJWKS:
              uri: https://idp.example.com/jwks
              tls:
                caCertificateRefs: [{group: "", kind: Secret, name: corp-ca}]
                clientCertificateRef: {name: us, namespace: certs}
            algorithms: [RS256, EdDSA]
            types: [at+jwt, application/JWT]
            clockSkew: 30s
            maxLifetime: 24h
            requiredClaims: [sub, client_id]
          - name: found
            issuer: http://localhost:8080/realms/shop
            remoteJWKS: {}
        apiKeyAuth:
          credentialRefs: [{name: keys}]
          extractFrom: [{headers: [x-api-key]}]
          clients: {name: clients}
        basicAuth: {users: {name: users}}
        clientCertificate:
          from: Forwarded
          caSecret: {kind: ConfigMap, name: corp-ca}
          subjects: ["spiffe://corp/orders/*", "spiffe://corp/orders", "*.corp.example", "CN=orders,O=Corp"]
          trusted: [10.0.0.0/8]
        anonymous: {when: "request.method == 'OPTIONS'"}
        authorization: {defaultAction: Allow}
        response:
          headers: {X-User: "${auth.sub}"}
          metadata: {plan: "${auth.claims.plan}"}
          deniedHeaders: {x-help: "https://shop.example/help?path=${request.url_path}"}
        enforcement: Shadow
        """).only(SecurityPolicy.class);

    assertThat(policy.meta().kind()).isEqualTo("AuthPolicy");
    assertThat(policy.anyMethod()).isTrue();
    assertThat(policy.attachmentOnly()).isFalse();
    assertThat(policy.shadow()).isTrue();
    var corp = requireNonNull(policy.jwt()).providers().getFirst();
    assertThat(corp.tokens().algorithms()).containsExactly("RS256", "EdDSA");
    assertThat(corp.tokens().types()).containsExactly("at+jwt", "application/JWT");
    assertThat(corp.tokens().clockSkew()).isEqualTo(Duration.ofSeconds(30));
    assertThat(corp.tokens().maxLifetime()).isEqualTo(Duration.ofDays(1));
    assertThat(corp.tokens().requiredClaims()).containsExactly("sub", "client_id");
    var tls = requireNonNull(((RemoteJwks) corp.jwks()).tls());
    assertThat(named(requireNonNull(tls.ca()))).isEqualTo("Secret default/corp-ca");
    assertThat(named(requireNonNull(tls.clientCertificate()))).isEqualTo("Secret certs/us");
    var found = (RemoteJwks) requireNonNull(policy.jwt()).providers().get(1).jwks();
    assertThat(found.uri()).isNull();
    assertThat(found.tls()).isNull();
    assertThat(found.cacheDuration()).isEqualTo(Duration.ofMinutes(5));
    assertThat(named(requireNonNull(requireNonNull(policy.apiKeyAuth()).clients())))
        .isEqualTo("ConfigMap default/clients");
    var certificate = requireNonNull(policy.clientCertificate());
    assertThat(certificate.forwarded()).isTrue();
    assertThat(named(certificate.ca())).isEqualTo("ConfigMap default/corp-ca");
    assertThat(certificate.subjects()).hasSize(4);
    assertThat(certificate.trusted()).containsExactly("10.0.0.0/8");
    assertThat(requireNonNull(policy.anonymous()).when()).isEqualTo("request.method == 'OPTIONS'");
    assertThat(policy.response().headers())
        .containsExactly(
            new SecurityPolicy.Field("x-user", "${auth.sub}", new Origin("p.yaml", 37, 15)));
    assertThat(policy.response().metadata())
        .extracting(SecurityPolicy.Field::name)
        .containsExactly("plan");
    assertThat(policy.response().deniedHeaders())
        .extracting(SecurityPolicy.Field::name)
        .containsExactly("x-help");
    assertThat(policy.ownedHeaders()).containsExactly("x-user");
  }

  @Test
  void what_is_left_out_has_its_default() {
    var policy =
        read("anonymous: {}\nclientCertificate: {caSecret: {name: ca}}\njwt: {providers: [{name: a, localJWKS: {inline: '{}'}}]}\n")
            .only(SecurityPolicy.class);

    assertThat(requireNonNull(policy.anonymous()).when()).isNull();
    assertThat(requireNonNull(policy.clientCertificate()).forwarded()).isFalse();
    assertThat(requireNonNull(policy.clientCertificate()).subjects()).isEmpty();
    assertThat(named(requireNonNull(policy.clientCertificate()).ca()))
        .isEqualTo("Secret default/ca");
    assertThat(requireNonNull(policy.jwt()).providers().getFirst().tokens())
        .isEqualTo(SecurityPolicy.TokenRules.NONE);
    assertThat(policy.response()).isEqualTo(SecurityPolicy.Response.NONE);
    assertThat(policy.shadow()).isFalse();
  }

  @Test
  void one_without_any_method_opts_out_as_a_security_policy_does() {
    assertThat(read("").only(SecurityPolicy.class).guards()).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "algorithms: [HS256] | \"HS256\" is never taken: with a shared key whoever checks tokens can make them",
        "algorithms: [hs512] | \"hs512\" is never taken",
        "algorithms: [none] | \"none\" is never taken: anyone can make a token without a signature",
        "algorithms: [None] | is never taken",
        "algorithms: [RS265] | \"RS265\" is not one of ES256, ES384, ES512, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512 (did you mean \"RS256\"?)",
        "algorithms: [ES256K] | \"ES256K\" is not one of",
        "algorithms: [] | algorithms: is empty",
        "types: [dpop+jwt] | is a proof of possession (RFC 9449 §4.2) and never an access token",
        "types: [application/Logout+JWT] | is a logout token",
        "types: [secevent+jwt] | is a security event",
        "types: ['a t'] | is not a media type such as at+jwt",
        "clockSkew: 6m | is more than 5m: set the clocks instead",
        "clockSkew: 30 | is not a duration",
        "maxLifetime: 0s | maxLifetime: is less than a second",
        "requiredClaims: [''] | requiredClaims[0]: is empty",
        "senderConstraint: {dpop: Optional} | senderConstraint: not supported yet",
        "introspection: {uri: x} | introspection: not supported yet",
      })
  void what_cannot_be_asked_of_tokens_is_an_error(String field, String message) {
    refuses("jwt: {providers: [{name: a, localJWKS: {inline: '{}'}, " + field + "}]}", message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "jwt: {providers: [{name: a, remoteJWKS: {}}]} | so \"issuer\" is needed",
        "jwt: {providers: [{name: a, issuer: corp, remoteJWKS: {}}]} | issuer: \"corp\" is not an http or https URI",
        "jwt: {providers: [{name: a, issuer: 'https://idp/?a=b', remoteJWKS: {}}]} | has a query or a fragment",
        "jwt: {providers: [{name: a, remoteJWKS: {uri: 'https://a/', tls: {}}}]} | expected at least one of caCertificateRefs and clientCertificateRef",
        "jwt: {providers: [{name: a, remoteJWKS: {uri: 'http://a/', tls: {clientCertificateRef: {name: a}}}}]} | has tls and an http URI",
        "jwt: {providers: [{name: a, remoteJWKS: {uri: 'https://a/', tls: {caCertificateRefs: [{name: a}, {name: b}]}}}]} | has 2 items (expected: at most 1)",
        "jwt: {providers: [{name: a, remoteJWKS: {uri: 'https://a/', tls: {insecureSkipVerify: true}}}]} | insecureSkipVerify: unknown field",
        "clientCertificate: {} | \"caSecret\" is missing",
        "clientCertificate: {caSecret: {name: a}, from: Header} | \"Header\" is not one of Forwarded, Peer",
        "clientCertificate: {caSecret: {name: a}, from: Forwarded} | \"trusted\" is missing: anybody can write x-forwarded-client-cert",
        "clientCertificate: {caSecret: {name: a}, from: Forwarded, trusted: [0.0.0.0/0]} | is every address",
        "clientCertificate: {caSecret: {name: a}, from: Forwarded, trusted: [proxy]} | is not an address range",
        "clientCertificate: {caSecret: {name: a}, trusted: [10.0.0.0/8]} | trusted: only means something with from: Forwarded",
        "clientCertificate: {caSecret: {name: a}, subjects: []} | subjects: is empty",
        "clientCertificate: {caSecret: {name: a}, subjects: ['*']} | is neither a URI",
        "clientCertificate: {caSecret: {name: a}, subjects: ['spiffe://*']} | is no URI such as spiffe://corp/orders",
        "clientCertificate: {caSecret: {name: a}, subjects: ['spiffe://corp/*/orders']} | is no URI such as spiffe://corp/orders",
        "clientCertificate: {caSecret: {name: a}, subjects: ['spiffe://corp*']} | is no URI such as spiffe://corp/orders",
        "clientCertificate: {caSecret: {name: a}, subjects: ['a.*.example']} | is neither a URI",
        "clientCertificate: {caSecret: {name: a}, subjects: ['CN=a,=b']} | is no subject such as CN=orders",
        "anonymous: | has no value",
        "anonymous: true | is not a mapping",
        "response: {headers: {Host: a}} | \"host\" is Envoy's own",
        "response: {headers: {':path': a}} | is not a header name",
        "response: {headers: {x-envoy-a: a}} | is Envoy's own",
        "response: {headers: {authorization: a}} | \"authorization\" cannot be set by a policy",
        "response: {headers: {x-a: a, X-A: b}} | \"x-a\" stands twice",
        "response: {headers: {x-a: 1}} | expected a text, got a number",
        "response: {metadata: {sub: a}} | \"sub\" is the caller's identity",
        "response: {metadata: {a.b: a}} | is not a name of at most 64 letters",
        "response: {deniedHeaders: {www-authenticate: a}} | is the challenge",
        "response: {deniedHeaders: {content-length: a}} | is Envoy's own",
        "enforcement: shadow | \"shadow\" is not one of Enforce, Shadow (did you mean \"Shadow\"?)",
        "revocation: {onUnavailable: Deny} | revocation: not supported yet",
        "extAuth: {} | extAuth: unknown field",
        "oidc: {} | oidc: unknown field",
        "apiKeyAuth: {credentialRefs: [{name: a}], extractFrom: [{headers: [a]}], clients: {kind: Secret, name: c}} | \"Secret\" is not one of ConfigMap",
      })
  void what_does_not_make_sense_is_an_error(String spec, String message) {
    refuses(spec, message);
  }

  @Test
  void a_template_with_a_line_break_is_refused() {
    refuses("response: {headers: {x-a: \"a\\nb\"}}", "holds a control character");
  }

  private static void refuses(String spec, String message) {
    var read = read(spec + "\n");

    assertThat(read.problems()).anySatisfy(problem -> assertThat(problem).contains(message));
    assertThat(read.resources()).singleElement().isInstanceOf(RejectedPolicy.class);
  }
}
