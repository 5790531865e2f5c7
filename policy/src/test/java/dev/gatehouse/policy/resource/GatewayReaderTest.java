package dev.gatehouse.policy.resource;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.Gateway.AllowedRoutes;
import dev.gatehouse.policy.resource.Gateway.From;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GatewayReaderTest {
  private static Read read(String spec) {
    return Read.of(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: infra}\nspec:\n"
            + spec.indent(2));
  }

  @Test
  void listeners_are_read() {
    var gateway = read("""
        gatewayClassName: eg
        listeners:
        - {name: http, port: 80, protocol: HTTP}
        - name: https
          port: 443
          protocol: HTTPS
          hostname: "*.example.com"
          tls: {mode: Terminate, certificateRefs: [{name: cert}]}
          allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {team: a}}}, kinds: [{kind: HTTPRoute}]}
        """).only(Gateway.class);

    assertThat(gateway.listeners().getFirst().allowedRoutes())
        .isEqualTo(new AllowedRoutes(From.SAME, Map.of()));
    var https = gateway.listeners().get(1);
    assertThat(https.hostname()).isEqualTo("*.example.com");
    assertThat(https.certificateRefs())
        .containsExactly(
            new ObjectRef("", "Secret", "infra", "cert", new Origin("p.yaml", 12, 46)));
    assertThat(https.allowedRoutes())
        .isEqualTo(new AllowedRoutes(From.SELECTOR, Map.of("team", "a"), Set.of("HTTPRoute")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{name: a, port: 80, protocol: TCP} | \"TCP\" is not one of HTTP, HTTPS",
        "{name: a, port: 443, protocol: HTTPS} | an HTTPS listener needs tls.certificateRefs",
        "{name: a, port: 80, protocol: HTTP, tls: {certificateRefs: [{name: c}]}} | an HTTP listener has no tls",
        "{name: a, port: 443, protocol: HTTPS, tls: {mode: Passthrough, certificateRefs: [{name: c}]}} | \"Passthrough\" is not one of Terminate",
        "{name: a, port: 443, protocol: HTTPS, tls: {options: {a: b}, certificateRefs: [{name: c}]}} | options: not supported yet",
        "{name: a, port: 80, protocol: HTTP, allowedRoutes: {kinds: [{kind: TLSRoute}, {group: other.example, kind: HTTPRoute}]}} | kinds without HTTPRoute and GRPCRoute are not supported",
        "{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector}}} | from: Selector needs a selector",
        "{name: a, port: 80, protocol: HTTP}, {name: a, port: 81, protocol: HTTP} | has two listeners \"a\"",
        "{name: a, prot: 80, protocol: HTTP} | prot: unknown field (did you mean \"port\"?)",
      })
  void a_gateway_that_cannot_be_honoured_is_not_in_force(String listeners, String message) {
    var read = read("listeners: [" + listeners + "]\n");

    assertThat(read.problems()).anySatisfy(problem -> assertThat(problem).contains(message));
    assertThat(read.resources()).isEmpty();
  }

  @Test
  void client_certificates_are_not_supported_yet_and_never_ignored() {
    assertThat(read("tls: {frontend: {}}\nlisteners: [{name: a, port: 80, protocol: HTTP}]\n")
            .problems())
        .containsExactly(
            "p.yaml:5:3: spec.tls: not supported yet; remove it, or the rest would not mean what you wrote");
  }
}
