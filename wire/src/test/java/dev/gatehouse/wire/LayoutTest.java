package dev.gatehouse.wire;

import static dev.gatehouse.wire.Wired.BACKEND;
import static dev.gatehouse.wire.Wired.TO_UP;
import static dev.gatehouse.wire.Wired.json;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.wire.WireSettings.Address;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LayoutTest {
  @Test
  void listeners_of_one_port_share_a_listener_and_keep_their_hosts_apart() {
    var wired = Wired.of(Wired.SETTINGS, gateway("""
            - {name: any, port: 8080, protocol: HTTP}
            - {name: wild, port: 8080, protocol: HTTP, hostname: "*.shop.example"}
            - {name: one, port: 8080, protocol: HTTP, hostname: www.shop.example}
            - {name: other, port: 9090, protocol: HTTP}
            """), BACKEND, Wired.rule(TO_UP));
    assertThat(wired.listeners().map(l -> l.get("name").asString()))
        .containsExactly("http-8080", "http-9090");
    assertThat(wired.listeners().findFirst().orElseThrow().get("address"))
        .isEqualTo(json("{socket_address: {address: 0.0.0.0, port_value: 8080}}"));
    assertThat(domains(wired)).containsExactly("*", "*.shop.example", "www.shop.example", "*");
    assertThat(wired.errors()).isEmpty();
  }

  @Test
  void a_hosts_requests_belong_to_the_listener_with_the_most_specific_hostname() {
    var wired = Wired.of(
        Wired.SETTINGS,
        gateway("""
            - {name: wild, port: 8080, protocol: HTTP, hostname: "*.shop.example"}
            - {name: one, port: 8080, protocol: HTTP, hostname: www.shop.example}
            """),
        BACKEND,
        Wired.route("hostnames: [www.shop.example]\nrules: [{" + TO_UP + "}]"));
    assertThat(domains(wired)).containsExactly("*", "*.shop.example", "www.shop.example");
    assertThat(wired.routes("*.shop.example")).isEmpty();
    var route = wired.routes("www.shop.example");
    assertThat(route).hasSize(1);
    assertThat(wired
            .hosts()
            .filter(h -> h.at("/domains/0").asString().equals("www.shop.example"))
            .map(h -> h.get("name").asString()))
        .containsExactly("shop/web/one/www_shop_example");
    assertThat(wired.problems()).isEmpty();
  }

  @Test
  void a_route_that_another_listener_hides_is_a_warning() {
    var wired = Wired.of(
        Wired.SETTINGS,
        gateway("""
            - {name: wild, port: 8080, protocol: HTTP, hostname: "*.shop.example"}
            - {name: one, port: 8080, protocol: HTTP, hostname: www.shop.example}
            """),
        BACKEND,
        Wired.route("hostnames: [www.shop.example]\nrules: [{" + TO_UP + "}]")
            .replace("{name: web}", "{name: web, sectionName: wild}"));
    assertThat(wired.routes("www.shop.example")).isEmpty();
    assertThat(wired.warnings())
        .singleElement()
        .asString()
        .contains("www.shop.example", "shop/web/one", "shop/web/wild");
  }

  @Test
  void two_listeners_cannot_have_one_port_and_hostname_or_two_protocols() {
    var wired = Wired.of(Wired.SETTINGS, gateway("""
            - {name: a, port: 8080, protocol: HTTP}
            - {name: b, port: 8080, protocol: HTTP}
            - {name: c, port: 8080, protocol: HTTPS, hostname: x.example, tls: {certificateRefs: [{name: cert}]}}
            """), Certificate.SECRET, BACKEND);
    assertThat(wired.errors()).hasSize(2);
    assertThat(wired.errors().getFirst())
        .contains("spec.listeners[1]", "port 8080 is taken by listener shop/web/a");
    assertThat(wired.errors().getLast()).contains("spec.listeners[2]", "HTTPS", "HTTP");
    assertThat(wired.listeners()).hasSize(1);
  }

  @Test
  void listeners_can_stand_on_other_ports_than_the_gateway_says() {
    var moved = new WireSettings(
        new Address("127.0.0.1", 1),
        new Address("127.0.0.1", 2),
        new Address("127.0.0.1", 3),
        new Address("127.0.0.1", 4),
        "127.0.0.1",
        Map.of("shop/web/http", 18080),
        Map.of("shop/up", Address.parse("127.0.0.1:13000")),
        null);
    var wired = Wired.of(moved, Wired.GATEWAY, BACKEND, Wired.rule(TO_UP));
    assertThat(wired
            .listeners()
            .map(l -> l.at("/address/socket_address/port_value").asInt()))
        .containsExactly(18080);
    assertThat(wired
            .cluster("backend/shop/up")
            .at("/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address"))
        .isEqualTo(json("{socket_address: {address: 127.0.0.1, port_value: 13000}}"));
  }

  @Test
  void each_tls_listener_has_a_chain_of_its_own_and_sends_away_who_asks_it_for_anothers_host() {
    var wired =
        Wired.of(Wired.SETTINGS, gateway("""
            - {name: any, port: 8443, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}}
            - {name: one, port: 8443, protocol: HTTPS, hostname: www.shop.example, tls: {certificateRefs: [{name: cert}]}}
            """), Certificate.SECRET, BACKEND, Wired.rule(TO_UP));
    assertThat(wired.errors()).isEmpty();
    var listener = wired.listeners().findFirst().orElseThrow();
    assertThat(listener.at("/listener_filters/0/name").asString())
        .isEqualTo("envoy.filters.listener.tls_inspector");
    assertThat(listener.at("/filter_chains/0/filter_chain_match").isMissingNode())
        .isTrue();
    assertThat(listener.at("/filter_chains/1/filter_chain_match"))
        .isEqualTo(json("{server_names: [www.shop.example]}"));
    var tls = listener.at("/filter_chains/0/transport_socket/typed_config/common_tls_context");
    assertThat(tls.get("alpn_protocols")).isEqualTo(json("[h2, http/1.1]"));
    assertThat(tls.at("/tls_certificates/0/certificate_chain/inline_string").asString())
        .contains("BEGIN CERTIFICATE");
    assertThat(tls.at("/tls_certificates/0/private_key/inline_string").asString())
        .contains("PRIVATE KEY");
    var any = wired.managers().findFirst().orElseThrow().at("/route_config/virtual_hosts");
    assertThat(Wired.each(any)
            .filter(h -> h.at("/domains/0").asString().equals("www.shop.example"))
            .map(h -> h.at("/routes/0/direct_response/status").asInt()))
        .containsExactly(421);
  }

  @Test
  void a_certificate_that_is_none_costs_its_listener_alone() {
    var wired = Wired.of(Wired.SETTINGS, gateway("""
            - {name: http, port: 8080, protocol: HTTP}
            - {name: bad, port: 8443, protocol: HTTPS, hostname: a.example, tls: {certificateRefs: [{name: broken}]}}
            - {name: gone, port: 8443, protocol: HTTPS, hostname: b.example, tls: {certificateRefs: [{name: gone}]}}
            - {name: good, port: 8443, protocol: HTTPS, hostname: c.example, tls: {certificateRefs: [{name: cert}]}}
            """), Certificate.SECRET, """
        apiVersion: v1
        kind: Secret
        metadata: {name: broken, namespace: shop}
        type: kubernetes.io/tls
        stringData: {tls.crt: nothing, tls.key: "-----BEGIN PRIVATE KEY-----"}
        """, BACKEND);
    assertThat(String.join("\n", wired.errors()))
        .contains("shop/broken", "no certificate in PEM", "shop/gone");
    assertThat(wired
            .listeners()
            .skip(1)
            .flatMap(l -> Wired.each(l.get("filter_chains")))
            .map(c -> c.at("/filter_chain_match/server_names/0").asString()))
        .containsExactly("c.example");
  }

  @Test
  void a_host_that_no_listener_has_is_not_found() {
    var wired = Wired.of(
        Wired.SETTINGS,
        gateway("- {name: one, port: 8080, protocol: HTTP, hostname: www.shop.example}\n"),
        BACKEND);
    var any = wired
        .hosts()
        .filter(h -> h.at("/domains/0").asString().equals("*"))
        .findFirst()
        .orElseThrow();
    assertThat(any.at("/routes/0/direct_response/status").asInt()).isEqualTo(404);
  }

  private static List<String> domains(Wired wired) {
    return wired.hosts().map(h -> h.at("/domains/0").asString()).toList();
  }

  private static String gateway(String listeners) {
    return """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: web, namespace: shop}
        spec:
          gatewayClassName: gatehouse
          listeners:
        """ + listeners.indent(2);
  }
}
