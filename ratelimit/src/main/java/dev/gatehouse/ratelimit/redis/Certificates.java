package dev.gatehouse.ratelimit.redis;

import dev.gatehouse.ratelimit.redis.RedisSettings.Tls;
import dev.gatehouse.server.tls.ClientTls;
import dev.gatehouse.server.tls.TlsException;
import io.netty.handler.ssl.SslContextBuilder;
import java.nio.file.Path;
import javax.net.ssl.KeyManager;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The certificates of connections to Redis, as they are on disk when one is made. Files that cannot be used leave the last good ones in
 * force.
 */
final class Certificates {
  private static final Logger LOG = LoggerFactory.getLogger(Certificates.class);

  private final @Nullable Tls files;
  private volatile Ready ready;
  private volatile String failed = "";

  private record Ready(
      ClientTls from,
      @Nullable KeyManager identity,
      @Nullable TrustManager authorities) {
    static Ready of(ClientTls tls) {
      return new Ready(tls, tls.identity(), tls.authorities());
    }
  }

  /** @throws TlsException if the files cannot be used */
  Certificates(@Nullable Tls files) {
    this.files = files;
    this.ready = Ready.of(files == null ? ClientTls.SYSTEM : read(files));
  }

  /** Looks at the files again; not on an event loop. */
  synchronized void read() {
    if (files == null) {
      return;
    }
    try {
      var now = read(files);
      if (!now.equals(ready.from)) {
        ready = Ready.of(now);
        LOG.info("new certificates for connections to Redis");
      }
      failed = "";
    } catch (TlsException e) {
      var why = String.valueOf(e.getMessage());
      if (!why.equals(failed)) {
        failed = why;
        LOG.error("the last good certificates for Redis stay in force: {}", why);
      }
    }
  }

  /** Lettuce calls it for each connection, on the loop: all is read by then. */
  void configure(SslContextBuilder builder) {
    var now = ready;
    builder.protocols("TLSv1.3", "TLSv1.2");
    if (now.identity != null) {
      builder.keyManager(now.identity);
    }
    if (now.authorities != null) {
      builder.trustManager(now.authorities);
    }
  }

  private static ClientTls read(Tls files) {
    return new ClientTls(text(files.ca()), text(files.certificate()), text(files.key()));
  }

  private static ClientTls.@Nullable Text text(@Nullable Path file) {
    return file == null ? null : ClientTls.Text.of(file);
  }
}
