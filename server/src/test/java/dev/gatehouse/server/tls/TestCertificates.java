package dev.gatehouse.server.tls;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A small CA for tests, and certificates that it signs. */
public final class TestCertificates {
  private final X509Bundle ca;

  public TestCertificates(String name) throws Exception {
    ca = new CertificateBuilder()
        .subject("CN=" + name)
        .setIsCertificateAuthority(true)
        .ecp256()
        .buildSelfSigned();
  }

  /** For a server on 127.0.0.1, or any client. */
  public X509Bundle issue(String name) throws Exception {
    return new CertificateBuilder()
        .subject("CN=" + name)
        .addSanIpAddress("127.0.0.1")
        .ecp256()
        .buildIssuedBy(ca);
  }

  /** For a client with a DNS name. */
  public X509Bundle issueFor(String dnsName) throws Exception {
    return new CertificateBuilder()
        .subject("CN=client")
        .addSanDnsName(dnsName)
        .ecp256()
        .buildIssuedBy(ca);
  }

  public X509Bundle ca() {
    return ca;
  }

  public Path writeCa(Path file) throws IOException {
    return Files.writeString(file, ca.getCertificatePEM());
  }

  /** Writes {@code tls.crt} and {@code tls.key} into the folder. */
  public static CertificateFiles write(Path folder, X509Bundle identity) throws IOException {
    return new CertificateFiles(
        Files.writeString(folder.resolve("tls.crt"), identity.getCertificatePathPEM()),
        Files.writeString(folder.resolve("tls.key"), identity.getPrivateKeyPEM()),
        null);
  }
}
