package dev.gatehouse.sandbox;

import java.io.ByteArrayInputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.HexFormat;
import java.util.regex.Pattern;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/** A certificate with its key, for a client of tests: shown to whoever asks, whatever authorities they name. */
public final class ClientCertificate {
  private static final Pattern KEY = Pattern.compile("-----BEGIN [A-Z ]*PRIVATE KEY");

  private final X509Certificate[] chain;
  private final PrivateKey key;

  private ClientCertificate(X509Certificate[] chain, PrivateKey key) {
    this.chain = chain;
    this.key = key;
  }

  /**
   * @param pem the certificate, those above it if they are to be sent, and the private key
   * @throws IllegalArgumentException saying what is missing, without anything of the key
   */
  public static ClientCertificate of(String pem) {
    var key = PrivateKeyPem.read(pem).secret();
    var certificates = KEY.split(pem, 2)[0];
    try {
      var chain = CertificateFactory.getInstance("X.509")
          .generateCertificates(
              new ByteArrayInputStream(certificates.getBytes(StandardCharsets.US_ASCII)))
          .toArray(new X509Certificate[0]);
      if (chain.length == 0) {
        throw new IllegalArgumentException(
            "no certificate (expected: PEM, before the private key)");
      }
      return new ClientCertificate(chain, key);
    } catch (CertificateException e) {
      throw new IllegalArgumentException("no certificate: " + e.getMessage(), e);
    }
  }

  /** What an Envoy in front, set to {@code SANITIZE_SET} with {@code cert}, says of it in {@code x-forwarded-client-cert}. */
  public String forwarded() {
    try {
      var der = chain[0].getEncoded();
      var hash = MessageDigest.getInstance("SHA-256").digest(der);
      var pem = "-----BEGIN CERTIFICATE-----\n"
          + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
          + "\n-----END CERTIFICATE-----\n";
      var encoded = pem.replace("\n", "%0A")
          .replace(" ", "%20")
          .replace("+", "%2B")
          .replace("/", "%2F")
          .replace("=", "%3D");
      return "Hash=" + HexFormat.of().formatHex(hash) + ";Cert=\"" + encoded + "\"";
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  X509ExtendedKeyManager keyManager() {
    return new Shown();
  }

  /** The JDK's own would show none to a server that names other authorities. */
  private final class Shown extends X509ExtendedKeyManager {
    private static final String ALIAS = "client";

    @Override
    public String[] getClientAliases(String keyType, Principal[] issuers) {
      return new String[] {ALIAS};
    }

    @Override
    public String chooseClientAlias(String[] keyType, Principal[] issuers, Socket socket) {
      return ALIAS;
    }

    @Override
    public String chooseEngineClientAlias(String[] keyType, Principal[] issuers, SSLEngine engine) {
      return ALIAS;
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal[] issuers) {
      return null;
    }

    @Override
    public @Nullable String chooseServerAlias(String keyType, Principal[] issuers, Socket socket) {
      return null;
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
      return chain.clone();
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
      return key;
    }
  }
}
