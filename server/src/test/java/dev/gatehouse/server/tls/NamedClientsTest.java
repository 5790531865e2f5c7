package dev.gatehouse.server.tls;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Which names of a certificate are a client's (RFC 6125 section 6.4.3). */
final class NamedClientsTest {
  @Test
  void a_star_stands_for_one_whole_label() {
    assertThat(NamedClients.isFor("*.example.com", "envoy.example.com")).isTrue();
    assertThat(NamedClients.isFor("*.EXAMPLE.com", "envoy.example.com")).isTrue();
    assertThat(NamedClients.isFor("*.example.com", "a.envoy.example.com")).isFalse();
    assertThat(NamedClients.isFor("*.example.com", "example.com")).isFalse();
    assertThat(NamedClients.isFor("*.com", "envoy.example.com")).isFalse();
    assertThat(NamedClients.isFor("*", "localhost")).isFalse();
    assertThat(NamedClients.isFor("e*.example.com", "envoy.example.com")).isFalse();
  }
}
