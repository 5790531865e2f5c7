package dev.gatehouse.ratelimit.config.xds;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.envoy.ratelimit.config.v3.RateLimitConfig;
import dev.gatehouse.ratelimit.config.xds.XdsSettings.Retry;
import dev.gatehouse.ratelimit.config.xds.XdsSettings.Tls;
import dev.gatehouse.testkit.AdsServer;
import io.grpc.Metadata;
import io.grpc.Status;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdsClientTest {
  private static final Duration TICK = Duration.ofMillis(20);
  private static final Retry QUICK = new Retry(TICK, TICK.multipliedBy(4), 0, false);

  @TempDir
  Path folder;

  private final List<String> arrived = Collections.synchronizedList(new ArrayList<>());
  private volatile List<String> wrong = List.of();
  private AdsServer server = AdsServer.plaintext();
  private AdsClient client;

  private static RateLimitConfig domain(String name) {
    return RateLimitConfig.newBuilder().setName(name).setDomain(name).build();
  }

  private XdsSettings settings(Tls tls, Map<String, String> headers, int maxMessageBytes) {
    return new XdsSettings(
        server.address(), "test", Map.of(), headers, TICK, QUICK, maxMessageBytes, tls);
  }

  private void connect() {
    connect(settings(null, Map.of(), XdsSettings.DEFAULT_MAX_MESSAGE_BYTES));
  }

  private void connect(XdsSettings settings) {
    client = new AdsClient(
        settings,
        (version, resources) -> {
          arrived.add(version);
          return wrong;
        },
        new Random(1));
    client.start();
  }

  private void replaceServer(AdsServer other) {
    server.close();
    server = other;
  }

  @AfterEach
  void close() {
    if (client != null) {
      client.close();
    }
    server.close();
  }

  @Test
  void what_comes_is_acknowledged_and_so_is_every_later_version() {
    server.serve("1", List.of(domain("a")));
    connect();
    server.awaitAck("1");

    server.serve("2", List.of(domain("a"), domain("b")));
    server.awaitAck("2");

    assertThat(arrived).containsExactly("1", "2");
    assertThat(server.requests()).hasSize(3);
  }

  @Test
  void a_control_plane_that_has_nothing_yet_is_waited_for() {
    connect();
    server.awaitOpened(1);

    server.serve("1", List.of(domain("a")));

    server.awaitAck("1");
    assertThat(server.opened()).isEqualTo(1);
  }

  @Test
  void what_is_wrong_is_refused_on_the_same_stream_and_the_next_good_version_taken() {
    server.serve("1", List.of(domain("a")));
    connect();
    server.awaitAck("1");

    wrong = List.of("no such unit");
    server.serve("2", List.of(domain("b")));
    var nack = server.awaitNack("no such unit");
    assertThat(nack.getVersionInfo()).isEqualTo("1");

    wrong = List.of();
    server.serve("3", List.of(domain("c")));
    server.awaitAck("3");
    assertThat(server.opened()).isEqualTo(1);
  }

  @Test
  void headers_go_with_the_stream() {
    connect(settings(null, Map.of("x-token", "secret"), XdsSettings.DEFAULT_MAX_MESSAGE_BYTES));
    server.awaitOpened(1);

    assertThat(server.headers().get(Metadata.Key.of("x-token", Metadata.ASCII_STRING_MARSHALLER)))
        .isEqualTo("secret");
  }

  @Test
  void a_server_that_comes_back_is_found_and_asked_for_everything() {
    server.serve("1", List.of(domain("a")));
    connect();
    server.awaitAck("1");

    server.stop();
    server.serve("1", List.of(domain("b")));
    server.start();

    await().until(() -> arrived.size() == 2);
    assertThat(server.requests().get(2).getVersionInfo())
        .as("a restarted server counts its versions anew, so none is named to it")
        .isEmpty();
  }

  @Test
  void what_is_in_force_already_is_not_put_in_force_again_by_another_stream() {
    server.serve("1", List.of(domain("a")));
    connect();
    server.awaitAck("1");

    server.closeStreams(Status.UNAVAILABLE);
    server.awaitOpened(2);
    server.serve("2", List.of(domain("a")));

    server.awaitAck("2");
    assertThat(arrived).containsExactly("1");
  }

  @Test
  void a_stream_that_the_server_ends_in_peace_is_opened_again() {
    server.serve("1", List.of(domain("a")));
    connect();
    server.awaitAck("1");

    server.closeStreams(Status.OK);

    server.awaitOpened(2);
  }

  @Test
  void nobody_there_at_first_is_no_reason_to_give_up() {
    server.stop();
    connect();

    server.serve("1", List.of(domain("a")));
    server.start();

    server.awaitAck("1");
  }

  @Test
  void a_server_that_ends_every_stream_at_once_is_asked_at_the_pace_of_the_waits() {
    server.closeAtOnce(true);
    long began = System.nanoTime();
    connect();

    server.awaitOpened(5);
    long took = System.nanoTime() - began;
    int most = 4 + (int) (took / TICK.toNanos());

    assertThat(server.opened()).isBetween(5, most);
    // 20, 40, 80 and 80 ms.
    assertThat(took).isGreaterThanOrEqualTo(TICK.multipliedBy(11).toNanos() - 5_000_000);
  }

  @Test
  void a_server_that_answers_every_acknowledgement_anew_makes_no_loop() {
    server.serve("1", List.of(domain("a")));
    server.answerEverything();

    answersAtThePace(7);

    assertThat(arrived).containsExactly("1");
  }

  @Test
  void a_server_that_sends_what_was_refused_again_and_again_makes_no_loop() {
    wrong = List.of("no such unit");
    server.serve("1", List.of(domain("a")));
    server.answerEverything();

    answersAtThePace(7);

    assertThat(arrived).containsExactly("1");
  }

  /** Five are answered at once, so that six are sent, and each further one takes a second. */
  private void answersAtThePace(int responses) {
    long began = System.nanoTime();
    connect();
    await().until(() -> server.sent() >= responses);
    double seconds = (System.nanoTime() - began) / 1e9;

    assertThat(server.sent()).isBetween(responses, 6 + (int) seconds);
    assertThat(seconds).isGreaterThan(responses - 6 - 0.1);
  }

  @Test
  void a_response_that_is_too_large_ends_the_stream_and_leaves_what_is_in_force() {
    connect(settings(null, Map.of(), 1000));
    server.awaitOpened(1);
    server.serve("1", List.of(domain("a".repeat(2000))));
    server.awaitOpened(2);

    server.serve("2", List.of(domain("b")));

    server.awaitAck("2");
    assertThat(arrived).containsExactly("2");
  }

  @Test
  void after_the_end_nobody_connects_again() {
    connect();
    server.awaitOpened(1);

    client.close();

    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(thread -> thread.getName().equals("gatehouse-xds") && thread.isAlive());
  }

  @Test
  void both_sides_show_certificates() throws Exception {
    var ca = ca("corp");
    replaceServer(tls(ca, issue(ca, "127.0.0.1"), ca));
    server.serve("1", List.of(domain("a")));
    var ours = write("client", issue(ca, "ratelimit"));

    connect(settings(
        new Tls(ours.ca(ca), ours.certificate, ours.key, null),
        Map.of(),
        XdsSettings.DEFAULT_MAX_MESSAGE_BYTES));

    server.awaitAck("1");
  }

  @Test
  void a_server_by_another_authority_is_not_believed_until_the_file_says_otherwise()
      throws Exception {
    var ca = ca("corp");
    replaceServer(tls(ca, issue(ca, "127.0.0.1"), ca));
    server.serve("1", List.of(domain("a")));
    var ours = write("client", issue(ca, "ratelimit"));
    var believed = ours.ca(ca("another"));

    connect(settings(
        new Tls(believed, ours.certificate, ours.key, null),
        Map.of(),
        XdsSettings.DEFAULT_MAX_MESSAGE_BYTES));
    staysOut();

    Files.writeString(believed, ca.getCertificatePEM());
    server.awaitAck("1");
  }

  @Test
  void
      without_a_client_certificate_the_server_takes_nobody_and_a_new_one_is_used_at_the_next_attempt()
          throws Exception {
    var ca = ca("corp");
    replaceServer(tls(ca, issue(ca, "127.0.0.1"), ca));
    server.serve("1", List.of(domain("a")));
    var ours = write("client", issue(ca("another"), "ratelimit"));

    connect(settings(
        new Tls(ours.ca(ca), ours.certificate, ours.key, null),
        Map.of(),
        XdsSettings.DEFAULT_MAX_MESSAGE_BYTES));
    staysOut();

    write("client", issue(ca, "ratelimit"));
    server.awaitAck("1");
  }

  @Test
  void the_name_in_the_certificate_must_be_the_one_that_is_asked_for() throws Exception {
    var ca = ca("corp");
    replaceServer(tls(ca, issue(ca, "envoy-gateway"), null));
    server.serve("1", List.of(domain("a")));
    var trust = write("client", issue(ca, "ratelimit")).ca(ca);

    connect(settings(
        new Tls(trust, null, null, "other-gateway"),
        Map.of(),
        XdsSettings.DEFAULT_MAX_MESSAGE_BYTES));
    staysOut();
    client.close();

    connect(settings(
        new Tls(trust, null, null, "envoy-gateway"),
        Map.of(),
        XdsSettings.DEFAULT_MAX_MESSAGE_BYTES));
    server.awaitAck("1");
  }

  /** For several attempts. */
  private void staysOut() {
    await().during(TICK.multipliedBy(5)).until(() -> server.opened() == 0);
  }

  private static X509Bundle ca(String name) throws Exception {
    return new CertificateBuilder()
        .subject("CN=" + name)
        .setIsCertificateAuthority(true)
        .ecp256()
        .buildSelfSigned();
  }

  private static X509Bundle issue(X509Bundle ca, String name) throws Exception {
    var builder = new CertificateBuilder().subject("CN=" + name).ecp256();
    return (name.equals("127.0.0.1") ? builder.addSanIpAddress(name) : builder.addSanDnsName(name))
        .buildIssuedBy(ca);
  }

  private AdsServer tls(X509Bundle ca, X509Bundle identity, X509Bundle clients) throws IOException {
    var files = write("server", identity);
    return AdsServer.tls(files.certificate, files.key, clients == null ? null : files.ca(ca));
  }

  private Identity write(String name, X509Bundle identity) throws IOException {
    var own = Files.createDirectories(folder.resolve(name));
    return new Identity(
        own,
        Files.writeString(own.resolve("tls.crt"), identity.getCertificatePathPEM()),
        Files.writeString(own.resolve("tls.key"), identity.getPrivateKeyPEM()));
  }

  private record Identity(Path own, Path certificate, Path key) {
    Path ca(X509Bundle ca) throws IOException {
      return Files.writeString(own.resolve("ca.crt"), ca.getCertificatePEM());
    }
  }
}
