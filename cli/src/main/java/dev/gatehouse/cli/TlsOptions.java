package dev.gatehouse.cli;

import dev.gatehouse.server.ServerSettings;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** TLS towards Envoy. */
final class TlsOptions {
  @Option(
      names = "--tls-cert",
      paramLabel = "FILE",
      description =
          "Certificate chain (PEM). With it and --tls-key the gRPC listeners take TLS only; the files"
              + " are read again when they change.")
  @Nullable
  Path certificate;

  @Option(names = "--tls-key", paramLabel = "FILE", description = "Private key (PEM).")
  @Nullable
  Path key;

  @Option(
      names = "--tls-client-ca",
      paramLabel = "FILE",
      description = "Require client certificates of this CA (PEM).")
  @Nullable
  Path clientCa;

  @Option(
      names = "--tls-client-name",
      paramLabel = "NAME",
      description = "Require, beside --tls-client-ca, a certificate for this DNS name.")
  @Nullable
  String clientName;

  ServerSettings.@Nullable Tls settings() {
    if (clientName != null && clientCa == null) {
      throw new Failure(
          "--tls-client-name needs --tls-client-ca: only a checked certificate has a name");
    }
    if (certificate == null && key == null && clientCa == null) {
      return null;
    }
    if (certificate == null || key == null) {
      throw new Failure("TLS needs both --tls-cert and --tls-key");
    }
    return new ServerSettings.Tls(certificate, key, clientCa, clientName);
  }
}
