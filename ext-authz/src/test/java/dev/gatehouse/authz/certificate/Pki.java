package dev.gatehouse.authz.certificate;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.CertificateBuilder.KeyUsage;
import io.netty.pkitesting.X509Bundle;
import java.net.URI;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.function.UnaryOperator;

/** Authorities and callers of tests, and the text that Envoy makes of them. */
final class Pki {
  static final Instant NOW = Instant.parse("2026-11-25T12:00:00Z");
  static final Duration LIFE = Duration.ofDays(1);

  private Pki() {}

  static X509Bundle authority(String subject) {
    return made(() -> authorityBuilder(subject).buildSelfSigned());
  }

  static X509Bundle intermediate(
      X509Bundle issuer, String subject, UnaryOperator<CertificateBuilder> also) {
    return made(() -> also.apply(authorityBuilder(subject)).buildIssuedBy(issuer));
  }

  static CertificateBuilder authorityBuilder(String subject) {
    return valid(new CertificateBuilder())
        .ecp256()
        .subject(subject)
        .setIsCertificateAuthority(true)
        .setKeyUsage(true, KeyUsage.keyCertSign, KeyUsage.cRLSign);
  }

  /** For clients, with a SPIFFE ID. */
  static X509Bundle caller(X509Bundle issuer) {
    return caller(issuer, builder -> builder);
  }

  static X509Bundle caller(X509Bundle issuer, UnaryOperator<CertificateBuilder> also) {
    return bare(issuer, builder -> {
      var named = builder.addSanUriName(URI.create("spiffe://corp/ns/shop/orders"));
      return also.apply(named.addExtendedKeyUsageClientAuth());
    });
  }

  /** With nothing but a subject. */
  static X509Bundle bare(X509Bundle issuer, UnaryOperator<CertificateBuilder> also) {
    return made(() -> also.apply(
            valid(new CertificateBuilder()).ecp256().subject("CN=orders.corp.example,O=Corp"))
        .buildIssuedBy(issuer));
  }

  private static CertificateBuilder valid(CertificateBuilder builder) {
    return builder.notBefore(NOW.minus(LIFE)).notAfter(NOW.plus(LIFE));
  }

  /** As Envoy's {@code source.certificate} and {@code Cert} have it. */
  static String encoded(String pem) {
    return pem.replace("\r", "")
        .replace("\n", "%0A")
        .replace(" ", "%20")
        .replace("+", "%2B")
        .replace("/", "%2F")
        .replace("=", "%3D");
  }

  static String encoded(X509Bundle caller) {
    return encoded(caller.getCertificatePEM());
  }

  static String hash(X509Bundle caller) {
    return made(() -> HexFormat.of()
        .formatHex(
            MessageDigest.getInstance("SHA-256").digest(caller.getCertificate().getEncoded())));
  }

  interface Making<T> {
    T make() throws Exception;
  }

  static <T> T made(Making<T> making) {
    try {
      return making.make();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }
}
