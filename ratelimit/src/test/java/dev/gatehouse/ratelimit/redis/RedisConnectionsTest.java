package dev.gatehouse.ratelimit.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.redis.RedisSettings.HostPort;
import dev.gatehouse.ratelimit.redis.RedisSettings.Login;
import dev.gatehouse.ratelimit.redis.RedisSettings.Tls;
import dev.gatehouse.ratelimit.redis.RedisSettings.Topology;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.server.tls.TlsException;
import dev.gatehouse.testkit.LoopGuard;
import dev.gatehouse.testkit.RedisProcess;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The ways to one Redis: in TLS, with a client certificate, as a user, through a socket. */
final class RedisConnectionsTest {
  /** That a connection is refused shows in that it is never there; the good ones are within some milliseconds. */
  private static final Duration IN_VAIN = Duration.ofMillis(250);

  @TempDir
  static Path files;

  private static X509Bundle ca;
  private static X509Bundle otherCa;
  private static RedisProcess redis;

  private final EventLoops loops = EventLoops.start(1);
  private final List<CounterStore> stores = new ArrayList<>();

  @BeforeAll
  static void startRedis() throws Exception {
    ca = authority("ca");
    otherCa = authority("other");
    var server = issue(ca, "server");
    write("server", server);
    redis = RedisProcess.start(
        "--tls-port",
        "TLS_PORT",
        "--tls-cert-file",
        file("server.crt").toString(),
        "--tls-key-file",
        file("server.key").toString(),
        "--tls-ca-cert-file",
        file("ca.crt").toString(),
        "--tls-auth-clients",
        "optional",
        "--unixsocket",
        "FOLDER/redis.sock");
    redis.tell("ACL", "SETUSER", "limiter", "on", ">s3cret", "~*", "+@all");
  }

  @AfterAll
  static void stopRedis() {
    redis.close();
  }

  @AfterEach
  void stop() {
    redis.tell("CONFIG", "SET", "tls-auth-clients", "optional");
    stores.forEach(CounterStore::close);
    loops.close();
  }

  @Test
  void a_certificate_that_the_ca_signed_is_believed() {
    assertThat(counts(tls(new Tls(file("ca.crt"), null, null, true)))).isTrue();
  }

  @Test
  void one_that_another_ca_signed_is_not() {
    assertNever(tls(new Tls(file("other.crt"), null, null, true)));
    assertNever(tls(new Tls(file("other.crt"), null, null, false)));
    assertNever(tls(Tls.SYSTEM));
  }

  @Test
  void the_certificate_must_be_for_the_host_unless_that_is_not_looked_at() {
    var byName = new HostPort("localhost", redis.tlsPort());
    assertNever(settings(byName).withTls(new Tls(file("ca.crt"), null, null, true)));
    assertThat(counts(settings(byName).withTls(new Tls(file("ca.crt"), null, null, false))))
        .isTrue();
  }

  @Test
  void tls_is_not_spoken_to_a_port_that_is_in_the_clear_nor_the_other_way_round() {
    assertNever(settings(new HostPort("127.0.0.1", redis.port()))
        .withTls(new Tls(file("ca.crt"), null, null, true)));
    assertNever(settings(new HostPort("127.0.0.1", redis.tlsPort())));
  }

  @Test
  void a_client_certificate_is_shown_where_one_is_wanted() throws Exception {
    redis.tell("CONFIG", "SET", "tls-auth-clients", "yes");
    write("client", issue(ca, "client"));
    assertNever(tls(new Tls(file("ca.crt"), null, null, true)));
    assertThat(counts(tls(new Tls(file("ca.crt"), file("client.crt"), file("client.key"), true))))
        .isTrue();
  }

  @Test
  void a_renewed_client_certificate_is_used_for_the_next_connection() throws Exception {
    redis.tell("CONFIG", "SET", "tls-auth-clients", "yes");
    write("renewed", issue(otherCa, "client"));
    var store = store(tls(new Tls(file("ca.crt"), file("renewed.crt"), file("renewed.key"), true)));
    assertThat(ask(store)).isEqualTo("NOT_CONNECTED");

    Files.writeString(file("renewed.crt"), "half of a new");
    assertThat(ask(store)).isEqualTo("NOT_CONNECTED");
    write("renewed", issue(ca, "client"));

    await().atMost(Duration.ofSeconds(5)).until(() -> ask(store).matches("[0-9]+"));
  }

  @Test
  void certificates_that_cannot_be_used_end_the_start_and_are_named() throws Exception {
    write("client", issue(ca, "client"));
    write("another", issue(ca, "client"));
    assertThatThrownBy(
            () -> store(tls(new Tls(file("ca.crt"), file("client.crt"), file("gone.key"), true))))
        .isInstanceOf(TlsException.class)
        .hasMessageContaining("gone.key: no such file");
    assertThatThrownBy(() ->
            store(tls(new Tls(file("ca.crt"), file("client.crt"), file("another.key"), true))))
        .isInstanceOf(TlsException.class)
        .hasMessageContaining("another.key: not the key of the certificate");
  }

  @Test
  void a_user_of_redis_has_a_name_and_a_password() {
    var plain = settings(new HostPort("127.0.0.1", redis.port()));
    assertThat(counts(plain.withLogin(new Login("limiter", "s3cret")))).isTrue();
    assertNever(plain.withLogin(new Login("limiter", "wrong")));
    assertThat(plain.withLogin(new Login("limiter", "s3cret")).toString()).doesNotContain("s3cret");
  }

  /** The handshake is work, and the files are read elsewhere. */
  @Test
  void no_loop_is_blocked_by_a_connection_that_is_made() throws Exception {
    write("client", issue(ca, "client"));
    var tls = new Tls(file("ca.crt"), file("client.crt"), file("client.key"), true);
    assertThat(counts(tls(tls))).isTrue();
    try (var guard = LoopGuard.watch(loops.all())) {
      assertThat(counts(tls(tls))).isTrue();
      assertThat(counts(settings(new HostPort("localhost", redis.port())))).isTrue();
      assertThat(guard.violations()).isEmpty();
    }
  }

  @Test
  void a_unix_socket_is_as_good_as_a_port() {
    var url = "redis-socket://limiter:s3cret@" + redis.folder().resolve("redis.sock");
    assertThat(counts(RedisUrl.parse(url).with(Duration.ofSeconds(2), "t:"))).isTrue();
  }

  private RedisSettings tls(Tls tls) {
    return settings(new HostPort("127.0.0.1", redis.tlsPort())).withTls(tls);
  }

  private static RedisSettings settings(HostPort at) {
    return RedisSettings.at(new Topology.Single(at)).with(Duration.ofSeconds(2), "t:");
  }

  private boolean counts(RedisSettings settings) {
    var store = store(settings);
    await().atMost(Duration.ofSeconds(5)).until(() -> ask(store).matches("[0-9]+"));
    return true;
  }

  private void assertNever(RedisSettings settings) {
    var store = store(settings);
    await()
        .during(IN_VAIN)
        .atMost(IN_VAIN.multipliedBy(3))
        .until(() -> ask(store).equals("NOT_CONNECTED"));
  }

  private CounterStore store(RedisSettings settings) {
    var store = RedisCounterStore.start(settings, loops.all(), InstantSource.system());
    stores.add(store);
    return store;
  }

  private String ask(CounterStore store) {
    return Ask.one(store, loops.all().getFirst()).join();
  }

  private static X509Bundle authority(String name) throws Exception {
    var authority = new CertificateBuilder()
        .subject("CN=" + name)
        .setIsCertificateAuthority(true)
        .ecp256()
        .buildSelfSigned();
    Files.writeString(file(name + ".crt"), authority.getCertificatePEM());
    return authority;
  }

  private static X509Bundle issue(X509Bundle authority, String name) throws Exception {
    return new CertificateBuilder()
        .subject("CN=" + name)
        .addSanIpAddress("127.0.0.1")
        .ecp256()
        .buildIssuedBy(authority);
  }

  private static void write(String name, X509Bundle identity) throws IOException {
    Files.writeString(file(name + ".key"), identity.getPrivateKeyPEM());
    Files.writeString(file(name + ".crt"), identity.getCertificatePathPEM());
  }

  private static Path file(String name) {
    return files.resolve(name);
  }
}
