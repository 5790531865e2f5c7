package dev.gatehouse.wire;

import static dev.gatehouse.wire.Wired.TO_UP;
import static dev.gatehouse.wire.Wired.json;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class ClientCertificatesTest {
  private static final String LISTENERS = """
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: {name: web, namespace: shop}
      spec:
        gatewayClassName: gatehouse
        listeners:
        - {name: http, port: 8080, protocol: HTTP}
        - {name: a, port: 8443, protocol: HTTPS, hostname: a.example, tls: {certificateRefs: [{name: cert}]}}
        - {name: b, port: 8443, protocol: HTTPS, hostname: b.example, tls: {certificateRefs: [{name: cert}]}}
      """;

  private static final String AUTHORITIES = """
      apiVersion: v1
      kind: Secret
      metadata: {name: corp-ca, namespace: shop}
      stringData: {ca.crt: unread}
      """;

  private static final String PEER = policy("{caSecret: {name: corp-ca}}");
  private static final String FORWARDED =
      policy("{from: Forwarded, caSecret: {name: corp-ca}, trusted: [10.0.0.0/8]}");

  @Test
  void a_listener_whose_policies_want_the_peers_certificate_asks_for_it_and_refuses_none() {
    var wired = shop("a", PEER);
    assertThat(wired.errors()).isEmpty();
    assertThat(tls(wired, 0).at("/common_tls_context/validation_context"))
        .isEqualTo(json("{trust_chain_verification: ACCEPT_UNTRUSTED}"));
    assertThat(tls(wired, 0).get("require_client_certificate")).isEqualTo(json("false"));
    assertThat(wired
            .httpFilter("envoy.filters.http.ext_authz")
            .at("/typed_config/include_peer_certificate"))
        .isEqualTo(json("true"));
  }

  @Test
  void other_listeners_do_not_ask() {
    var wired = shop("a", PEER);
    assertThat(tls(wired, 1).at("/common_tls_context/validation_context").isMissingNode())
        .isTrue();
    assertThat(tls(wired, 1).path("require_client_certificate").isMissingNode()).isTrue();
    var forwarded = shop("a", FORWARDED);
    assertThat(tls(forwarded, 0).at("/common_tls_context/validation_context").isMissingNode())
        .isTrue();
  }

  @Test
  void who_wants_a_certificate_of_plain_http_is_told_that_nobody_has_one() {
    assertThat(shop("http", PEER).warnings())
        .singleElement()
        .asString()
        .contains("spec.clientCertificate", "listener shop/web/http is plain HTTP");
    assertThat(shop("a", PEER).warnings()).isEmpty();
    assertThat(shop("http", FORWARDED).warnings()).isEmpty();
  }

  @Test
  void a_forwarded_certificate_comes_through_on_the_listeners_that_take_one_and_nowhere_else() {
    var wired = shop("a", FORWARDED);
    assertThat(
            wired.managers().map(m -> m.path("forward_client_cert_details").asString("SANITIZE")))
        .containsExactlyInAnyOrder("SANITIZE", "ALWAYS_FORWARD_ONLY", "SANITIZE");
    assertThat(shop("a", PEER)
            .managers()
            .map(m -> m.path("forward_client_cert_details").asString("SANITIZE")))
        .containsOnly("SANITIZE");
  }

  @Test
  void routes_that_take_none_lose_the_header_before_anybody_sees_it() {
    var wired = shop("a", FORWARDED);
    for (var route : wired.routes("a.example")) {
      var removal = Wired.toFilter(route, "header_mutation").at("/mutations/request_mutations");
      if (route.get("name").asString().contains("/open/")) {
        assertThat(removal).isEqualTo(json("[{remove: x-forwarded-client-cert}]"));
      } else {
        assertThat(removal.isMissingNode()).isTrue();
      }
    }
    assertThat(wired.routes("a.example")).hasSize(2);
  }

  @Test
  void no_upstream_gets_the_header_ever() {
    for (var policy : new String[] {PEER, FORWARDED}) {
      assertThat(shop("a", policy)
              .managers()
              .map(m -> m.at("/route_config/request_headers_to_remove")))
          .hasSize(3)
          .containsOnly(json("[x-forwarded-client-cert]"));
    }
  }

  private static Wired shop(String listener, String policy) {
    return Wired.of(
        Wired.SETTINGS,
        LISTENERS,
        Certificate.SECRET,
        AUTHORITIES,
        Wired.BACKEND,
        Wired.rule(TO_UP).replace("{name: web}", "{name: web, sectionName: " + listener + "}"),
        Wired.route("rules: [{matches: [{path: {value: /open}}], " + TO_UP + "}]")
            .replace("name: r,", "name: open,"),
        policy);
  }

  private static String policy(String certificate) {
    return """
        apiVersion: gatehouse.dev/v1alpha1
        kind: AuthPolicy
        metadata: {name: p, namespace: shop}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}]
          clientCertificate: %s
        """.formatted(certificate);
  }

  private static JsonNode tls(Wired wired, int chain) {
    var listener = wired
        .listeners()
        .filter(l -> l.get("name").asString().startsWith("https"))
        .findFirst()
        .orElseThrow();
    return listener.at("/filter_chains/" + chain + "/transport_socket/typed_config");
  }
}
