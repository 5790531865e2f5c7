package dev.gatehouse.server.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.pkitesting.X509Bundle;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ClientTlsTest {
  private static TestCertificates ca;
  private static X509Bundle identity;

  @BeforeAll
  static void make() throws Exception {
    ca = new TestCertificates("ca");
    identity = ca.issue("client");
  }

  @Test
  void the_same_texts_are_equal_and_others_are_not() throws Exception {
    var one = tls(identity.getCertificatePathPEM(), identity.getPrivateKeyPEM());
    assertThat(tls(identity.getCertificatePathPEM(), identity.getPrivateKeyPEM()))
        .isEqualTo(one);
    var other = ca.issue("client");
    assertThat(tls(other.getCertificatePathPEM(), other.getPrivateKeyPEM())).isNotEqualTo(one);
    assertThat(one.context().getProtocol()).isEqualTo("TLS");
    assertThat(ClientTls.SYSTEM.context().getProtocol()).isEqualTo("TLS");
  }

  @Test
  void what_cannot_be_used_is_said_with_its_place() throws Exception {
    var other = ca.issue("other");
    assertRefused(
        tls(identity.getCertificatePathPEM(), other.getPrivateKeyPEM()),
        "secret: tls.key: not the key of the certificate in secret: tls.crt");
    assertRefused(tls("nothing", identity.getPrivateKeyPEM()), "secret: tls.crt: no certificate");
    assertRefused(tls(identity.getCertificatePathPEM(), ""), "secret: tls.key: no private key");
    assertRefused(
        new ClientTls(new ClientTls.Text("map: ca.crt", "nothing"), null, null),
        "map: ca.crt: no certificate");
  }

  @Test
  void no_key_gets_into_a_text() {
    assertThat(
            tls(identity.getCertificatePathPEM(), identity.getPrivateKeyPEM()).toString())
        .doesNotContain("BEGIN");
  }

  private static void assertRefused(ClientTls tls, String message) {
    assertThatThrownBy(tls::context).isInstanceOf(TlsException.class).hasMessageContaining(message);
  }

  private static ClientTls tls(String certificate, String key) {
    return new ClientTls(
        new ClientTls.Text("map: ca.crt", ca.ca().getCertificatePEM()),
        new ClientTls.Text("secret: tls.crt", certificate),
        new ClientTls.Text("secret: tls.key", key));
  }
}
