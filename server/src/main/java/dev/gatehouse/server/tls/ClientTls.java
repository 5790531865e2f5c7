package dev.gatehouse.server.tls;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * Whom a client in this process believes, and how it says who it is. Two of the same texts are equal: a changed certificate makes
 * another. Server names are verified by whoever connects; nothing here turns that off.
 *
 * @param ca the only authorities; null means the system's
 * @param certificate null means no client certificate; else {@code key} is there too
 */
public record ClientTls(
    @Nullable Text ca, @Nullable Text certificate, @Nullable Text key) {

  /** The system's authorities and no client certificate. */
  public static final ClientTls SYSTEM = new ClientTls(null, null, null);

  private static final char[] IN_MEMORY = {};

  /**
   * A text in PEM.
   *
   * @param place what errors call it
   */
  public record Text(String place, String pem) {
    /** @throws TlsException if the file cannot be read */
    public static Text of(Path file) {
      return new Text(file.toString(), CertificateFiles.read(file));
    }

    /** Without the text, which may be a key. */
    @Override
    public String toString() {
      return place;
    }
  }

  /** @throws TlsException if a text is not what it should be, or the key is not the certificate's; it names the place */
  public SSLContext context() {
    try {
      var context = SSLContext.getInstance("TLS");
      context.init(keyManagers(), trustManagers(), null);
      return context;
    } catch (GeneralSecurityException | IOException e) {
      throw unusable(e);
    }
  }

  /** Who the client is, for those who build a context of another kind; null without a certificate. Throws as {@link #context} does. */
  public @Nullable KeyManager identity() {
    try {
      var managers = keyManagers();
      return managers == null ? null : managers[0];
    } catch (GeneralSecurityException | IOException e) {
      throw unusable(e);
    }
  }

  /** Whom the client believes; null means the system's authorities. Throws as {@link #context} does. */
  public @Nullable TrustManager authorities() {
    try {
      var managers = trustManagers();
      return managers == null ? null : managers[0];
    } catch (GeneralSecurityException | IOException e) {
      throw unusable(e);
    }
  }

  private static TlsException unusable(Exception e) {
    return new TlsException("the certificates cannot be used: " + e.getMessage(), e);
  }

  private TrustManager @Nullable [] trustManagers() throws GeneralSecurityException, IOException {
    if (ca == null) {
      return null;
    }
    var authorities = emptyStore();
    var certificates = Pem.certificates(ca.place, ca.pem);
    for (int i = 0; i < certificates.size(); i++) {
      authorities.setCertificateEntry("ca-" + i, certificates.get(i));
    }
    var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(authorities);
    return factory.getTrustManagers();
  }

  private KeyManager @Nullable [] keyManagers() throws GeneralSecurityException, IOException {
    if (certificate == null || key == null) {
      return null;
    }
    var chain = Pem.certificates(certificate.place, certificate.pem);
    var privateKey = Pem.privateKey(key.place, key.pem, chain.getFirst().getPublicKey());
    if (!Pem.belongTogether(privateKey, chain.getFirst())) {
      throw new TlsException(key + ": not the key of the certificate in " + certificate);
    }
    var identity = emptyStore();
    Certificate[] presented = chain.toArray(X509Certificate[]::new);
    identity.setKeyEntry("client", privateKey, IN_MEMORY, presented);
    var factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(identity, IN_MEMORY);
    return factory.getKeyManagers();
  }

  private static KeyStore emptyStore() throws GeneralSecurityException, IOException {
    var store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    return store;
  }
}
