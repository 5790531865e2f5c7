package dev.gatehouse.authz.certificate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.CertificateBuilder.Algorithm;
import io.netty.pkitesting.CertificateBuilder.KeyUsage;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AuthoritiesTest {
  @Test
  void a_bundle_may_hold_remarks_and_the_same_certificate_twice() throws BadAuthorities {
    var root = Pki.authority("CN=Root");
    var other = Pki.authority("CN=Other");
    var below = Pki.intermediate(root, "CN=Below", b -> b);
    var bundle = "# Root\r\n" + root.getCertificatePEM().replace("\n", "\r\n") + "\nOther:\n"
        + other.getCertificatePEM() + below.getCertificatePEM() + root.getCertificatePEM();
    assertThat(Authorities.parse(bundle)).hasToString("Authorities[2 trusted, 1 intermediates]");
    assertThat(Authorities.parse(below.getCertificatePEM()))
        .hasToString("Authorities[1 trusted, 0 intermediates]");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "nothing",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n",
        "-----BEGIN CERTIFICATE-----\nAA=A\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
      })
  void a_text_without_certificates_or_with_other_blocks_is_an_error(String text) {
    assertThatExceptionOfType(BadAuthorities.class)
        .isThrownBy(() -> Authorities.parse(text))
        .withMessageContaining("(expected: certificates of authorities in PEM");
  }

  @Test
  void every_certificate_that_can_vouch_for_nobody_is_named() {
    var root = Pki.authority("CN=Root");
    var caller = Pki.caller(root);
    var noSigning = Pki.made(() -> Pki.authorityBuilder("CN=No signing")
        .setKeyUsage(true, KeyUsage.digitalSignature)
        .buildSelfSigned());
    assertThatExceptionOfType(BadAuthorities.class)
        .isThrownBy(() -> Authorities.parse(
            root.getCertificatePEM() + caller.getCertificatePEM() + noSigning.getCertificatePEM()))
        .satisfies(e -> assertThat(e.problems()).hasSize(2))
        .withMessageContaining(
            "certificate 2 (CN=orders.corp.example, O=Corp): it is no authority's")
        .withMessageContaining(
            "certificate 3 (CN=No signing): its key usage leaves out keyCertSign");
  }

  @Test
  void an_authority_with_a_big_key_is_taken_and_one_with_name_constraints_only_below_another()
      throws BadAuthorities {
    var rsa = Pki.made(
        () -> Pki.authorityBuilder("CN=RSA").algorithm(Algorithm.rsa2048).buildSelfSigned());
    assertThat(Authorities.parse(rsa.getCertificatePEM())).isNotNull();
    var root = Pki.authority("CN=Root");
    var constrained = Pki.intermediate(root, "CN=Constrained", AuthoritiesTest::onlyCorp);
    assertThat(Authorities.parse(root.getCertificatePEM() + constrained.getCertificatePEM()))
        .isNotNull();
    assertThatExceptionOfType(BadAuthorities.class)
        .isThrownBy(() -> Authorities.parse(constrained.getCertificatePEM()))
        .withMessageContaining("name constraints")
        .withMessageContaining("put the certificate that issued it here too");
  }

  /** Permits DNS names at or below corp.example: SEQUENCE { [0] { SEQUENCE { [2] "corp.example" } } }. */
  static CertificateBuilder onlyCorp(CertificateBuilder builder) {
    var name = "corp.example".getBytes(StandardCharsets.US_ASCII);
    var der = new byte[8 + name.length];
    int length = name.length;
    byte[] head = {
      0x30,
      (byte) (length + 6),
      (byte) 0xa0,
      (byte) (length + 4),
      0x30,
      (byte) (length + 2),
      (byte) 0x82,
      (byte) length
    };
    System.arraycopy(head, 0, der, 0, 8);
    System.arraycopy(name, 0, der, 8, length);
    return builder.addExtensionOctetString("2.5.29.30", true, der);
  }

  @Test
  void a_bundle_is_bounded() {
    var many =
        Pki.authority("CN=Root").getCertificatePEM().repeat(Authorities.MAX_CERTIFICATES + 1);
    assertThatExceptionOfType(BadAuthorities.class)
        .isThrownBy(() -> Authorities.parse(many))
        .withMessageContaining("more than 256");
    assertThatExceptionOfType(BadAuthorities.class)
        .isThrownBy(() -> Authorities.parse("#".repeat(Authorities.MAX_CHARS + 1)))
        .withMessageContaining("characters");
  }
}
