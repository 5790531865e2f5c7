package dev.gatehouse.ratelimit.config.xds;

import dev.gatehouse.server.tls.ClientTls;
import dev.gatehouse.server.tls.TlsException;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.IdentityCipherSuiteFilter;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContext;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Makes the connections to the control plane, on gRPC's own threads and never on a service's loop. */
final class Channels {
  /** Go's servers count a ping more often than every five minutes as an attack. */
  private static final Duration PING = Duration.ofMinutes(6);

  private static final Duration PONG = Duration.ofSeconds(20);

  private Channels() {}

  /**
   * A channel that connects when it is used; the certificates are those that are in the files now.
   *
   * @throws TlsException if they cannot be used
   */
  static ManagedChannel open(XdsSettings settings, Executor executor) {
    var channel = NettyChannelBuilder.forTarget(settings.server())
        .executor(executor)
        .maxInboundMessageSize(settings.maxMessageBytes())
        .keepAliveTime(PING.toSeconds(), TimeUnit.SECONDS)
        .keepAliveTimeout(PONG.toSeconds(), TimeUnit.SECONDS)
        .disableRetry();
    var tls = settings.tls();
    if (tls == null) {
      return channel.usePlaintext().build();
    }
    if (tls.serverName() != null) {
      channel.overrideAuthority(tls.serverName());
    }
    return channel.sslContext(context(tls)).build();
  }

  /** gRPC checks the certificate's name against the channel's authority. */
  private static SslContext context(XdsSettings.Tls tls) {
    var context = new ClientTls(text(tls.ca()), text(tls.certificate()), text(tls.key())).context();
    var http2 = new ApplicationProtocolConfig(
        Protocol.ALPN,
        SelectorFailureBehavior.NO_ADVERTISE,
        SelectedListenerFailureBehavior.ACCEPT,
        "h2");
    return new JdkSslContext(
        context,
        true,
        null,
        IdentityCipherSuiteFilter.INSTANCE,
        http2,
        ClientAuth.NONE,
        new String[] {"TLSv1.3", "TLSv1.2"},
        false);
  }

  private static ClientTls.@Nullable Text text(@Nullable Path file) {
    return file == null ? null : ClientTls.Text.of(file);
  }
}
