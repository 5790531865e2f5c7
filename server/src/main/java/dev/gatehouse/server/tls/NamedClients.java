package dev.gatehouse.server.tls;

import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Locale;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/** Trusts the clients of some authorities, if their certificate is for one DNS name (RFC 6125 section 6.4). */
final class NamedClients extends X509ExtendedTrustManager {
  private static final int DNS_NAME = 2; // RFC 5280 section 4.2.1.6

  private final X509ExtendedTrustManager authorities;
  private final String name;

  private NamedClients(X509ExtendedTrustManager authorities, String name) {
    this.authorities = authorities;
    this.name = name.toLowerCase(Locale.ROOT);
  }

  static NamedClients of(List<X509Certificate> cas, String name) {
    try {
      var store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      for (int i = 0; i < cas.size(); i++) {
        store.setCertificateEntry("ca-" + i, cas.get(i));
      }
      var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(store);
      return new NamedClients((X509ExtendedTrustManager) factory.getTrustManagers()[0], name);
    } catch (GeneralSecurityException | IOException e) {
      throw new TlsException("the client CA cannot be used: " + e.getMessage(), e);
    }
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    authorities.checkClientTrusted(chain, authType, engine);
    checkName(chain);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    authorities.checkClientTrusted(chain, authType, socket);
    checkName(chain);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    authorities.checkClientTrusted(chain, authType);
    checkName(chain);
  }

  private void checkName(X509Certificate[] chain) throws CertificateException {
    var names = chain[0].getSubjectAlternativeNames();
    if (names != null) {
      for (var each : names) {
        if (each.get(0).equals(DNS_NAME) && isFor(String.valueOf(each.get(1)), name)) {
          return;
        }
      }
    }
    throw new CertificateException("the client's certificate is not for " + name);
  }

  /** A {@code *} stands for the whole first label and nothing else. */
  static boolean isFor(String presented, String name) {
    var pattern = presented.toLowerCase(Locale.ROOT);
    if (!pattern.startsWith("*.")) {
      return pattern.equals(name);
    }
    int dot = name.indexOf('.');
    return dot > 0 && name.substring(dot).equals(pattern.substring(1));
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    throw new CertificateException("trusts no server");
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    checkServerTrusted(chain, authType);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    checkServerTrusted(chain, authType);
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return authorities.getAcceptedIssuers();
  }
}
