package dev.gatehouse.authz.jwt;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import dev.gatehouse.server.tls.ClientTls;
import dev.gatehouse.testkit.FakeClock;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Keys from a real HTTPS server, with authorities and a client certificate of the policy's own. */
class KeysOverTlsTest {
  private static X509Bundle ca;
  private static X509Bundle server;
  private static X509Bundle client;

  private final FakeClock clock = new FakeClock(Issuer.NOW);
  private final KeySources sources =
      new KeySources(clock, Duration.ofSeconds(5), Duration.ofDays(1), () -> 0.5);

  @BeforeAll
  static void make() throws Exception {
    ca = authority("idp-ca");
    server = new CertificateBuilder()
        .subject("CN=idp")
        .addSanIpAddress("127.0.0.1")
        .ecp256()
        .buildIssuedBy(ca);
    client = new CertificateBuilder().subject("CN=gatehouse").ecp256().buildIssuedBy(ca);
  }

  private static X509Bundle authority(String name) throws Exception {
    return new CertificateBuilder()
        .subject("CN=" + name)
        .setIsCertificateAuthority(true)
        .ecp256()
        .buildSelfSigned();
  }

  @AfterEach
  void stop() {
    sources.close();
  }

  @Test
  void a_server_of_the_policys_own_authority_is_believed() throws Exception {
    try (var provider = provider(server, false)) {
      assertThat(keys(provider, "127.0.0.1", trusting(ca))).isInstanceOf(Keys.Known.class);
    }
  }

  @Test
  void a_server_of_another_authority_is_not() throws Exception {
    try (var provider = provider(server, false)) {
      assertThat(keys(provider, "127.0.0.1", ClientTls.SYSTEM)).isInstanceOf(Keys.Failed.class);
      assertThat(keys(provider, "127.0.0.1", trusting(authority("other"))))
          .isInstanceOf(Keys.Failed.class);
      assertThat(provider.asked()).isZero();
    }
  }

  @Test
  void a_certificate_for_another_host_is_not_taken() throws Exception {
    try (var provider = provider(server, false)) {
      assertThat(keys(provider, "localhost", trusting(ca)))
          .isInstanceOfSatisfying(
              Keys.Failed.class, failed -> assertThat(failed.why()).contains("localhost"));
      assertThat(provider.asked()).isZero();
    }
  }

  @Test
  void the_client_certificate_is_shown_and_without_it_there_are_no_keys() throws Exception {
    try (var provider = provider(server, true)) {
      assertThat(keys(provider, "127.0.0.1", trusting(ca))).isInstanceOf(Keys.Failed.class);
      assertThat(provider.asked()).isZero();
      assertThat(keys(provider, "127.0.0.1", showing(client))).isInstanceOf(Keys.Known.class);
      assertThat(provider.asked()).isEqualTo(1);
    }
  }

  @Test
  void a_changed_certificate_is_another_source_and_the_same_one_the_same() throws Exception {
    var renewed = new CertificateBuilder().subject("CN=gatehouse").ecp256().buildIssuedBy(ca);
    try (var provider = provider(server, true)) {
      var address = address(provider, "127.0.0.1");
      var before = sources.remote(address, Duration.ofMinutes(5), showing(client));
      assertThat(sources.remote(address, Duration.ofMinutes(5), showing(client)))
          .isSameAs(before);
      var after = sources.remote(address, Duration.ofMinutes(5), showing(renewed));
      assertThat(after).isNotSameAs(before);
      settle(after);
      assertThat(after.keys(clock.instant())).isInstanceOf(Keys.Known.class);
    }
  }

  @Test
  void no_text_gets_into_a_log() {
    assertThat(showing(client).toString()).doesNotContain("BEGIN");
  }

  private Keys keys(TestProvider provider, String host, ClientTls tls) throws BadKeySet {
    var keys = sources.remote(address(provider, host), Duration.ofMinutes(5), tls);
    settle(keys);
    return keys.keys(clock.instant());
  }

  private static KeyAddress address(TestProvider provider, String host) throws BadKeySet {
    return KeyAddress.at(URI.create("https://" + host + ":" + provider.port() + "/jwks"));
  }

  private static void settle(KeySource keys) {
    keys.fetch().orTimeout(5, TimeUnit.SECONDS).join();
  }

  private static ClientTls trusting(X509Bundle authority) {
    return new ClientTls(text("ca.crt", authority.getCertificatePEM()), null, null);
  }

  private static ClientTls showing(X509Bundle identity) {
    return new ClientTls(
        text("ca.crt", ca.getCertificatePEM()),
        text("tls.crt", identity.getCertificatePathPEM()),
        text("tls.key", identity.getPrivateKeyPEM()));
  }

  private static ClientTls.Text text(String place, String pem) {
    return new ClientTls.Text(place, pem);
  }

  private static TestProvider provider(X509Bundle identity, boolean clientCertificate)
      throws Exception {
    var context = SSLContext.getInstance("TLS");
    context.init(
        identity.toKeyManagerFactory().getKeyManagers(),
        ca.toTrustManagerFactory().getTrustManagers(),
        null);
    var https = HttpsServer.create(TestProvider.loopback(), 0);
    https.setHttpsConfigurator(new HttpsConfigurator(context) {
      @Override
      public void configure(HttpsParameters parameters) {
        var ssl = context.getDefaultSSLParameters();
        ssl.setNeedClientAuth(clientCertificate);
        parameters.setSSLParameters(ssl);
      }
    });
    return new TestProvider(https);
  }
}
