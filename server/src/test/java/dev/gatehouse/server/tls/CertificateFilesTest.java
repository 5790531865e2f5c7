package dev.gatehouse.server.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.interfaces.ECPrivateKey;
import java.util.Base64;
import java.util.List;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CertificateFilesTest {
  private static X509Bundle ec;
  private static X509Bundle rsa;

  @TempDir
  Path dir;

  @BeforeAll
  static void make() throws Exception {
    ec = new CertificateBuilder()
        .subject("CN=ec")
        .setIsCertificateAuthority(true)
        .ecp256()
        .buildSelfSigned();
    rsa = new CertificateBuilder()
        .subject("CN=rsa")
        .setIsCertificateAuthority(true)
        .rsa2048()
        .buildSelfSigned();
  }

  @Test
  void keys_in_pkcs8_are_read() throws Exception {
    var ed25519 = new CertificateBuilder()
        .subject("CN=ed")
        .setIsCertificateAuthority(true)
        .algorithm(CertificateBuilder.Algorithm.ed25519)
        .buildSelfSigned();
    for (var identity : List.of(ec, rsa, ed25519)) {
      var files = TestCertificates.write(dir, identity);
      assertThat(files.identity(files.read()).key())
          .isEqualTo(identity.getKeyPair().getPrivate());
      assertThat(files.identity(files.read()).server().isServer()).isTrue();
    }
  }

  @Test
  void an_rsa_key_in_pkcs1_is_read_as_cert_manager_and_envoy_gateway_write_it() throws IOException {
    var bare = PrivateKeyInfo.getInstance(rsa.getKeyPair().getPrivate().getEncoded())
        .parsePrivateKey()
        .toASN1Primitive()
        .getEncoded();
    var files = files(rsa.getCertificatePEM(), pem("RSA PRIVATE KEY", bare));
    assertThat(files.identity(files.read()).key()).isEqualTo(rsa.getKeyPair().getPrivate());
  }

  @Test
  void an_ec_key_in_sec1_is_read_with_the_parameters_that_openssl_writes_around_it()
      throws IOException {
    var key = (ECPrivateKey) ec.getKeyPair().getPrivate();
    var info = PrivateKeyInfo.getInstance(key.getEncoded());
    BigInteger secret = key.getS();
    var bare = new org.bouncycastle.asn1.sec.ECPrivateKey(
            256, secret, info.getPrivateKeyAlgorithm().getParameters())
        .getEncoded();
    var parameters = pem(
        "EC PARAMETERS",
        info.getPrivateKeyAlgorithm().getParameters().toASN1Primitive().getEncoded());
    var files = files(ec.getCertificatePEM(), parameters + pem("EC PRIVATE KEY", bare));
    assertThat(((ECPrivateKey) files.identity(files.read()).key()).getS()).isEqualTo(secret);
  }

  @Test
  void what_is_wrong_is_said_with_the_file_and_what_was_expected() throws Exception {
    var otherEc = new CertificateBuilder()
        .subject("CN=other")
        .setIsCertificateAuthority(true)
        .ecp256()
        .buildSelfSigned();
    var encrypted = pem("ENCRYPTED PRIVATE KEY", new byte[] {1, 2, 3});

    assertRefused(
        files(ec.getCertificatePEM(), otherEc.getPrivateKeyPEM()),
        "tls.key: not the key of the certificate in");
    assertRefused(
        files(ec.getCertificatePEM(), rsa.getPrivateKeyPEM()),
        "tls.key: not a private key for the certificate, whose key is EC");
    assertRefused(
        files(ec.getCertificatePEM(), encrypted),
        "tls.key: the key is encrypted (expected: a plain one");
    assertRefused(
        files(ec.getCertificatePEM(), "nothing"), "tls.key: no private key (expected: PRIVATE KEY");
    assertRefused(
        files("nothing", ec.getPrivateKeyPEM()),
        "tls.crt: no certificate (expected: -----BEGIN CERTIFICATE-----)");
    assertRefused(
        files(pem("CERTIFICATE", new byte[] {1, 2, 3}), ec.getPrivateKeyPEM()),
        "tls.crt: not a certificate");
    assertRefused(files("x".repeat((1 << 20) + 1), ""), "tls.crt: larger than 1048576 bytes");
    assertRefused(
        new CertificateFiles(dir.resolve("absent"), dir.resolve("absent"), null),
        "absent: no such file");
    assertRefused(new CertificateFiles(dir, dir, null), "cannot be read");
  }

  private static void assertRefused(CertificateFiles files, String message) {
    assertThatThrownBy(() -> files.identity(files.read()))
        .isInstanceOf(TlsException.class)
        .hasMessageContaining(message);
  }

  private CertificateFiles files(String certificate, String key) throws IOException {
    return new CertificateFiles(
        Files.writeString(dir.resolve("tls.crt"), certificate),
        Files.writeString(dir.resolve("tls.key"), key),
        null);
  }

  private static String pem(String label, byte[] der) {
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(label, Base64.getMimeEncoder().encodeToString(der), label);
  }
}
