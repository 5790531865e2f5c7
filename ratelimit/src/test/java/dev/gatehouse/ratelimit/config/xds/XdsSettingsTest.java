package dev.gatehouse.ratelimit.config.xds;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatehouse.ratelimit.config.xds.XdsSettings.Retry;
import dev.gatehouse.ratelimit.config.xds.XdsSettings.Tls;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class XdsSettingsTest {
  private static XdsSettings with(Map<String, String> headers, int maxMessageBytes) {
    return new XdsSettings(
        "localhost:18000",
        "default",
        Map.of(),
        headers,
        Duration.ofSeconds(3),
        Retry.DEFAULT,
        maxMessageBytes,
        null);
  }

  @Test
  void a_headers_value_is_in_no_text() {
    assertThat(with(Map.of("authorization", "hunter2"), 1).toString())
        .contains("authorization")
        .doesNotContain("hunter2");
  }

  @Test
  void a_header_that_cannot_be_sent_is_named_without_its_value() {
    assertThatThrownBy(() -> with(Map.of("not a name", "hunter2"), 1))
        .hasMessageStartingWith(
            "CONFIG_GRPC_XDS_CLIENT_ADDITIONAL_HEADERS: \"not a name\" is no name of a header")
        .hasMessageNotContaining("hunter2");
    assertThatThrownBy(() -> with(Map.of("authorization", "hunter2\r\nx: y"), 1))
        .hasMessageStartingWith(
            "CONFIG_GRPC_XDS_CLIENT_ADDITIONAL_HEADERS: the value of \"authorization\" has characters")
        .hasMessageNotContaining("hunter2");
  }

  @Test
  void a_certificate_and_its_key_go_together() {
    assertThatThrownBy(() -> new Tls(null, Path.of("tls.crt"), null, null))
        .hasMessage(
            "CONFIG_GRPC_XDS_CLIENT_TLS_CERT and CONFIG_GRPC_XDS_CLIENT_TLS_KEY go together; only the first is set");
    assertThatThrownBy(() -> new Tls(null, null, Path.of("tls.key"), null))
        .hasMessageEndingWith("only the second is set");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "envoy-gateway:18001",
        "10.0.0.1:18000",
        "[::1]:18000",
        "dns:///xds.corp:443",
        "xds"
      })
  void a_server_is_a_host_and_mostly_a_port(String server) {
    assertThat(XdsSettings.plaintext(server, "node").server()).isEqualTo(server);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "http://xds:18000", "xds:port", "::1:18000", "unix:/tmp/xds.sock"})
  void another_server_is_refused(String server) {
    assertThatThrownBy(() -> XdsSettings.plaintext(server, "node"))
        .hasMessage("CONFIG_GRPC_XDS_SERVER_URL: \"" + server
            + "\" (expected: HOST:PORT, such as envoy-gateway:18001)");
  }

  @Test
  void a_message_has_some_bytes() {
    assertThatThrownBy(() -> with(Map.of(), 0))
        .hasMessage("XDS_CLIENT_MAX_MSG_SIZE_IN_BYTES: 0 (expected: at least 1)");
  }
}
