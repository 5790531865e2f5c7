package dev.gatehouse.server.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.pkitesting.X509Bundle;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against a real gRPC server and real connections: what matters is what a client meets. */
class ReloadingSslContextTest {
  private static final Duration SOON = Duration.ofMillis(5);

  @TempDir
  Path dir;

  private final List<ManagedChannel> channels = new ArrayList<>();
  private TestCertificates oldCa;
  private TestCertificates newCa;
  private ReloadingSslContext context;
  private Server server;

  @BeforeEach
  void serveWithTheOldCertificate() throws Exception {
    oldCa = new TestCertificates("old");
    newCa = new TestCertificates("new");
    serve(TestCertificates.write(dir, oldCa.issue("server")));
  }

  private void serve(CertificateFiles files) throws Exception {
    stop();
    context = ReloadingSslContext.watch(files, SOON);
    server = NettyServerBuilder.forAddress(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .sslContext(context)
        .directExecutor()
        .addService(new HealthStatusManager().getHealthService())
        .build()
        .start();
  }

  @AfterEach
  void stop() {
    channels.forEach(ManagedChannel::shutdownNow);
    if (server != null) {
      server.shutdownNow();
      context.close();
    }
  }

  @Test
  void new_connections_meet_the_new_certificate_and_old_ones_stay() throws Exception {
    var before = trusting(oldCa, null);
    assertThat(works(before)).isTrue();

    TestCertificates.write(dir, newCa.issue("server"));
    await().until(() -> works(trusting(newCa, null)));
    assertThat(works(trusting(oldCa, null))).isFalse();
    assertThat(works(before)).as("the connection from before").isTrue();
  }

  @Test
  void a_swapped_symlink_is_a_change_as_kubernetes_mounts_a_secret() throws Exception {
    var first = Files.createDirectory(dir.resolve("..first"));
    var second = Files.createDirectory(dir.resolve("..second"));
    TestCertificates.write(first, oldCa.issue("server"));
    TestCertificates.write(second, newCa.issue("server"));
    var data = Files.createSymbolicLink(dir.resolve("..data"), first);
    serve(new CertificateFiles(data.resolve("tls.crt"), data.resolve("tls.key"), null));
    assertThat(works(trusting(oldCa, null))).isTrue();

    var next = Files.createSymbolicLink(dir.resolve("..next"), second);
    Files.move(next, data, StandardCopyOption.ATOMIC_MOVE);
    await().until(() -> works(trusting(newCa, null)));
  }

  @Test
  void a_new_certificate_that_cannot_be_used_leaves_the_old_one_until_it_can() throws Exception {
    var replacement = newCa.issue("server");
    Files.writeString(dir.resolve("tls.crt"), replacement.getCertificatePathPEM());
    await().until(() -> context.problem().contains("not the key of the certificate"));
    assertThat(works(trusting(oldCa, null))).isTrue();

    Files.delete(dir.resolve("tls.key"));
    await().until(() -> context.problem().contains("no such file"));
    assertThat(works(trusting(oldCa, null))).isTrue();

    Files.writeString(dir.resolve("tls.key"), replacement.getPrivateKeyPEM());
    await().until(() -> works(trusting(newCa, null)));
    assertThat(context.problem()).isEmpty();
  }

  @Test
  void a_client_without_a_certificate_of_the_ca_is_refused_where_one_is_required()
      throws Exception {
    var clients = new TestCertificates("clients");
    var strangers = new TestCertificates("strangers");
    var identity = TestCertificates.write(dir, oldCa.issue("server"));
    serve(new CertificateFiles(
        identity.certificate(), identity.key(), clients.writeCa(dir.resolve("ca.crt"))));

    assertThat(works(trusting(oldCa, clients.issue("envoy")))).isTrue();
    assertThat(works(trusting(oldCa, null))).as("no certificate").isFalse();
    assertThat(works(trusting(oldCa, strangers.issue("envoy"))))
        .as("another CA's")
        .isFalse();
  }

  @Test
  void a_client_ca_that_was_taken_away_lets_nobody_in_any_more() throws Exception {
    var clients = new TestCertificates("clients");
    var others = new TestCertificates("others");
    var identity = TestCertificates.write(dir, oldCa.issue("server"));
    serve(new CertificateFiles(
        identity.certificate(), identity.key(), clients.writeCa(dir.resolve("ca.crt"))));
    var envoy = clients.issue("envoy");
    assertThat(works(trusting(oldCa, envoy))).isTrue();

    others.writeCa(dir.resolve("ca.crt"));
    await().until(() -> works(trusting(oldCa, others.issue("envoy"))));
    assertThat(works(trusting(oldCa, envoy))).isFalse();
  }

  @Test
  void tls_1_2_and_1_3_are_spoken_and_nothing_older() throws Exception {
    assertThat(works(channel(oldCa, null, "TLSv1.3"))).isTrue();
    assertThat(works(channel(oldCa, null, "TLSv1.2"))).isTrue();
    assertThat(context.newEngine(UnpooledByteBufAllocator.DEFAULT).getEnabledProtocols())
        .containsExactlyInAnyOrder("TLSv1.3", "TLSv1.2");
  }

  @Test
  void a_certificate_that_cannot_be_used_at_start_is_refused() throws Exception {
    var files = TestCertificates.write(dir, oldCa.issue("server"));
    Files.writeString(files.key(), newCa.issue("server").getPrivateKeyPEM());
    assertThatThrownBy(() -> ReloadingSslContext.watch(files, SOON))
        .isInstanceOf(TlsException.class);
  }

  @Test
  void a_client_of_this_process_trusts_the_listeners_certificate_and_no_other() throws Exception {
    var files = TestCertificates.write(dir, oldCa.issue("server"));
    var itself = files.towardsItself();
    await().until(() -> works(channel(itself)));
    TestCertificates.write(dir, oldCa.issue("another of the same CA"));
    await().until(() -> !works(channel(itself)));
  }

  private ManagedChannel trusting(TestCertificates ca, @Nullable X509Bundle client)
      throws SSLException {
    return channel(ca, client, "TLSv1.3");
  }

  private ManagedChannel channel(TestCertificates ca, @Nullable X509Bundle client, String protocol)
      throws SSLException {
    var tls = GrpcSslContexts.configure(SslContextBuilder.forClient())
        .protocols(protocol)
        .trustManager(ca.ca().getCertificate());
    if (client != null) {
      tls.keyManager(client.getKeyPair().getPrivate(), client.getCertificatePath());
    }
    return channel(tls.build());
  }

  private ManagedChannel channel(SslContext tls) {
    var channel = NettyChannelBuilder.forAddress("127.0.0.1", server.getPort())
        .sslContext(tls)
        .build();
    channels.add(channel);
    return channel;
  }

  private static boolean works(ManagedChannel channel) {
    try {
      return HealthGrpc.newBlockingStub(channel)
              .withDeadlineAfter(Duration.ofSeconds(5))
              .check(HealthCheckRequest.getDefaultInstance())
              .getStatus()
          == ServingStatus.SERVING;
    } catch (StatusRuntimeException e) {
      assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      return false;
    }
  }
}
