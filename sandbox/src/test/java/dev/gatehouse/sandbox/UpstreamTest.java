package dev.gatehouse.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

final class UpstreamTest {
  private static final InetSocketAddress ANY_PORT =
      new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

  private final Upstream echo = Upstream.start(ANY_PORT, new Echo());
  private final Upstream shop = Upstream.start(ANY_PORT, new Shop());

  @AfterEach
  void close() {
    echo.close();
    shop.close();
  }

  @Test
  void it_echoes_odd_paths_and_duplicate_headers_as_they_came() throws IOException {
    var answer = send(
        echo,
        "PUT",
        "/a//b/../%2f;x=1#f?q=1",
        "hi",
        new Field("X-Twice", "1"),
        new Field("x-twice", "2"));

    var json = JsonMapper.shared().readTree(answer.text());
    assertThat(json.at("/method").asString()).isEqualTo("PUT");
    assertThat(json.at("/path").asString()).isEqualTo("/a//b/../%2f;x=1#f?q=1");
    assertThat(json.at("/headers/x-twice").toString()).isEqualTo("[\"1\",\"2\"]");
    assertThat(json.at("/body").asString()).isEqualTo("hi");
    assertThat(echo.take()).singleElement().satisfies(seen -> {
      assertThat(seen.header("x-twice")).containsExactly("1", "2");
      assertThat(seen.text()).isEqualTo("hi");
    });
    assertThat(echo.take()).isEmpty();
  }

  @Test
  void it_answers_as_told_until_told_otherwise() throws IOException {
    echo.tell(new Upstream.Reply(
        503, List.of(new Field("x-why", "told")), ByteString.copyFromUtf8("broken")));
    var told = send(echo, "GET", "/", "");
    assertThat(told.status()).isEqualTo(503);
    assertThat(told.header("x-why")).containsExactly("told");
    assertThat(told.text()).isEqualTo("broken");

    echo.tell(null);
    assertThat(send(echo, "GET", "/", "").status()).isEqualTo(200);
  }

  @Test
  void the_shop_lets_out_what_a_gate_must_not() throws IOException {
    var answer = send(shop, "GET", "/orders", "", new Field("x-user", "ada"));

    assertThat(answer.text()).contains("4111111111111111").contains("\"user\":\"ada\"");
    assertThat(answer.header("server")).containsExactly("shop/1.0");
    assertThat(answer.header("x-powered-by")).containsExactly("Beans 7");
    assertThat(send(shop, "POST", "/orders", "{\"a\":1}").status()).isEqualTo(201);
    assertThat(send(shop, "GET", "/nowhere", "").status()).isEqualTo(404);
  }

  @Test
  void the_shop_compresses_and_cuts_when_asked() throws IOException {
    var plain = send(shop, "GET", "/orders", "").text();

    var zipped = send(shop, "GET", "/orders", "", new Field("accept-encoding", "br, gzip"));
    assertThat(zipped.header("content-encoding")).containsExactly("gzip");
    try (var in = new GZIPInputStream(new ByteArrayInputStream(zipped.body().toByteArray()))) {
      assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo(plain);
    }

    var range = send(shop, "GET", "/orders", "", new Field("range", "bytes=10-19"));
    assertThat(range.status()).isEqualTo(206);
    assertThat(range.text()).isEqualTo(plain.substring(10, 20));
    assertThat(
            send(shop, "GET", "/orders", "", new Field("range", "bytes=99999-")).status())
        .isEqualTo(416);
  }

  private static RawHttp.Answer send(
      Upstream to, String method, String target, String body, Field... fields) throws IOException {
    var all = new java.util.ArrayList<>(List.of(new Field("host", "shop")));
    all.addAll(List.of(fields));
    if (!body.isEmpty()) {
      all.add(new Field("content-length", Integer.toString(body.length())));
    }
    var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), to.port());
    return new RawHttp(address, false, Duration.ofSeconds(5))
        .send(new RawHttp.Request(method, target, all, ByteString.copyFromUtf8(body), null));
  }
}
