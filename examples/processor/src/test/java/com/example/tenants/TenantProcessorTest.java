package com.example.tenants;

import static io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode.BUFFERED;
import static io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode.FULL_DUPLEX_STREAMED;
import static io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode.NONE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testkit.EnvoyExchange;
import dev.gatehouse.testkit.EnvoyStream;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Envoy played by the testkit: each rule of Envoy's that an answer breaks fails a test. */
class TenantProcessorTest {
  private static final String ORDER = "{\"items\":[{\"tenant\":\"inner\"}],\"tenant\":\"acme\"}";

  @Test
  void the_tenant_of_the_body_goes_to_the_upstream_and_to_the_filters_behind() {
    for (var mode : List.of(BUFFERED, FULL_DUPLEX_STREAMED)) {
      order(ORDER, mode)
          .header("x-tenant", "forged")
          .respond(200, "ok")
          .through(Main.service())
          .expectUpstreamHeader("x-tenant", "acme")
          .expectUpstreamBody(ORDER)
          .expectMetadata(TenantProcessor.NAMESPACE, "tenant", "acme")
          .expectStatus(200)
          .expectBody("ok");
    }
  }

  @Test
  void a_body_without_one_tenant_is_refused() {
    for (var body : List.of(
        "{}",
        "[]",
        "no json",
        "{\"tenant\":7}",
        "{\"tenant\":\"\"}",
        "{\"tenant\":\"a\\r\\nx-admin: yes\"}",
        "{\"tenant\":\"a\",\"tenant\":\"b\"}",
        "{\"tenant\":\"a\"} {}")) {
      order(body, BUFFERED)
          .through(Main.service())
          .expectNoUpstream()
          .expectStatus(422)
          .expectBody("{\"title\":\"The body names no tenant\",\"status\":422}");
    }
  }

  @Test
  void a_body_that_is_no_json_is_refused_before_it_is_read() {
    EnvoyStream.request("POST /orders", "tenant=acme")
        .header("content-type", "application/x-www-form-urlencoded")
        .grpcMetadata("x-tenant-member", "tenant")
        .mode(BUFFERED)
        .through(Main.service())
        .expectNoUpstream()
        .expectStatus(415);
  }

  @Test
  void a_request_without_a_body_has_no_tenant_whatever_the_client_says() {
    EnvoyStream.request("GET /orders")
        .header("x-tenant", "forged")
        .grpcMetadata("x-tenant-member", "tenant")
        .mode(BUFFERED)
        .respond(200)
        .through(Main.service())
        .expectUpstreamHeader("x-tenant")
        .expectStatus(200);
  }

  @Test
  void a_response_says_how_long_it_took_beside_what_the_upstream_says_of_it() {
    var client = order(ORDER, BUFFERED)
        .respond(200, "ok")
        .header("server-timing", "db;dur=53")
        .through(Main.service())
        .client();
    assertThat(client.values("server-timing")).hasSize(2).first().isEqualTo("db;dur=53");
    assertThat(client.values("server-timing").getLast()).matches("upstream;dur=\\d+\\.\\d");
  }

  @Test
  void a_route_that_names_no_member_is_left_alone() {
    EnvoyStream.request("POST /other", "{}")
        .header("x-tenant", "mine")
        .mode(BUFFERED)
        .respond(200)
        .through(Main.service())
        .expectUpstreamHeader("x-tenant", "mine")
        .expectHeader("server-timing");
  }

  @Test
  void a_mode_that_does_not_send_the_body_lets_nothing_pass() {
    order(ORDER, NONE).through(Main.service()).expectNoUpstream().expectStatus(500);
  }

  private static EnvoyExchange order(String body, BodySendMode mode) {
    return EnvoyStream.request("POST /orders", body)
        .header("content-type", "application/json")
        .grpcMetadata("x-tenant-member", "tenant")
        .receivingMetadata(TenantProcessor.NAMESPACE)
        .mode(mode);
  }
}
