package dev.gatehouse.server.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolNegotiator;
import io.netty.handler.ssl.SslContext;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSessionContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server's TLS whose certificate, key and client CA follow their files. New connections get what is in the files now; those
 * that stand are left alone. Files that cannot be used leave the last good ones in force and a line in the log.
 *
 * <p>A change makes a whole new context and not only a new key manager: sessions that were resumed would otherwise keep
 * a client whose CA was taken away.
 */
public final class ReloadingSslContext extends SslContext implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ReloadingSslContext.class);

  private final CertificateFiles files;
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile Current current;
  private volatile String problem = "";

  private record Current(CertificateFiles.Content content, Instant ends, SslContext context) {
    static Current of(CertificateFiles files, CertificateFiles.Content content) {
      var identity = files.identity(content);
      var ends = identity.chain().getFirst().getNotAfter().toInstant();
      return new Current(content, ends, identity.server());
    }
  }

  private ReloadingSslContext(CertificateFiles files) {
    super(false);
    this.files = files;
    this.current = Current.of(files, files.read());
  }

  /**
   * @param every how often the files are looked at; by content, since Kubernetes swaps a symlink above them
   * @throws TlsException if they cannot be used now
   */
  public static ReloadingSslContext watch(CertificateFiles files, Duration every) {
    var context = new ReloadingSslContext(files);
    Thread.ofPlatform().daemon().name("gatehouse-certificates").start(() -> context.watch(every));
    return context;
  }

  private void watch(Duration every) {
    try {
      while (!closed.await(every.toNanos(), TimeUnit.NANOSECONDS)) {
        reload();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void reload() {
    try {
      var content = files.read();
      if (!current.content().equals(content)) {
        current = Current.of(files, content);
        LOG.info("new certificate from {}, valid until {}", files.certificate(), current.ends());
      }
      problem = "";
    } catch (TlsException e) {
      if (!problem.equals(e.getMessage())) {
        LOG.error(
            "the changed certificate is not used, the last good one stays: {}", e.getMessage());
      }
      problem = String.valueOf(e.getMessage());
    }
  }

  /** When the certificate in force ends. */
  public Instant ends() {
    return current.ends();
  }

  /** Why the files as they are now are not used; empty if they are. */
  String problem() {
    return problem;
  }

  @Override
  public SSLEngine newEngine(ByteBufAllocator allocator) {
    return current.context().newEngine(allocator);
  }

  @Override
  public SSLEngine newEngine(ByteBufAllocator allocator, String peerHost, int peerPort) {
    return current.context().newEngine(allocator, peerHost, peerPort);
  }

  @Override
  public boolean isClient() {
    return false;
  }

  @Override
  public List<String> cipherSuites() {
    return current.context().cipherSuites();
  }

  @Override
  @SuppressWarnings(
      "deprecation") // the type is deprecated, the method that must be implemented is not
  public ApplicationProtocolNegotiator applicationProtocolNegotiator() {
    return current.context().applicationProtocolNegotiator();
  }

  @Override
  public SSLSessionContext sessionContext() {
    return current.context().sessionContext();
  }

  @Override
  public void close() {
    closed.countDown();
  }
}
