package dev.gatehouse.server.tls;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.grpc.netty.GrpcSslContexts;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Where a listener's certificate chain and key lie, and the CA that its clients must have.
 *
 * @param clientCa null asks for no client certificate; else one that this CA signed is required
 * @param clientName null takes any such certificate; else one of whose DNS names must be this
 */
public record CertificateFiles(
    Path certificate,
    Path key,
    @Nullable Path clientCa,
    @Nullable String clientName) {
  private static final int MAX_BYTES = 1 << 20;

  public CertificateFiles(Path certificate, Path key, @Nullable Path clientCa) {
    this(certificate, key, clientCa, null);
  }

  /** What the files hold at one moment; empty where there is no file. */
  record Content(String certificate, String key, String clientCa) {
    /** Without the key, which must not get into a log. */
    @Override
    public String toString() {
      return "Content";
    }
  }

  /** A certificate and key that belong together, and the CAs of clients. */
  record Identity(
      List<X509Certificate> chain,
      PrivateKey key,
      List<X509Certificate> clientCas,
      @Nullable String clientName) {
    SslContext server() {
      try {
        var builder = SslContextBuilder.forServer(key, chain)
            .protocols("TLSv1.3", "TLSv1.2")
            .clientAuth(clientCas.isEmpty() ? ClientAuth.NONE : ClientAuth.REQUIRE);
        if (!clientCas.isEmpty() && clientName != null) {
          builder.trustManager(NamedClients.of(clientCas, clientName));
        } else if (!clientCas.isEmpty()) {
          builder.trustManager(clientCas);
        }
        return GrpcSslContexts.configure(builder, SslProvider.JDK).build();
      } catch (SSLException e) {
        throw new TlsException("the certificate cannot be used: " + e.getMessage(), e);
      }
    }
  }

  /** For a client in this process that connects to the listener with this certificate, and to nothing else. */
  public SslContext towardsItself() {
    try {
      var trust = new OnlyThis(identity(read()).chain().getFirst());
      return GrpcSslContexts.configure(
              SslContextBuilder.forClient().trustManager(trust), SslProvider.JDK)
          .build();
    } catch (SSLException e) {
      throw new TlsException("the certificate cannot be used: " + e.getMessage(), e);
    }
  }

  /** @throws TlsException if a file cannot be read */
  Content read() {
    return new Content(read(certificate), read(key), clientCa == null ? "" : read(clientCa));
  }

  /** @throws TlsException if a file is not what it should be, or the key is not the certificate's */
  Identity identity(Content content) {
    var chain = Pem.certificates(certificate.toString(), content.certificate());
    var privateKey =
        Pem.privateKey(key.toString(), content.key(), chain.getFirst().getPublicKey());
    if (!Pem.belongTogether(privateKey, chain.getFirst())) {
      throw new TlsException(key + ": not the key of the certificate in " + certificate);
    }
    List<X509Certificate> cas =
        clientCa == null ? List.of() : Pem.certificates(clientCa.toString(), content.clientCa());
    return new Identity(chain, privateKey, cas, clientName);
  }

  static String read(Path file) {
    try (var in = Files.newInputStream(file)) {
      byte[] content = in.readNBytes(MAX_BYTES + 1);
      if (content.length > MAX_BYTES) {
        throw new TlsException(
            file + ": larger than " + MAX_BYTES + " bytes, no certificate or key");
      }
      return new String(content, US_ASCII);
    } catch (NoSuchFileException e) {
      throw new TlsException(file + ": no such file", e);
    } catch (IOException e) {
      throw new TlsException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }
}
