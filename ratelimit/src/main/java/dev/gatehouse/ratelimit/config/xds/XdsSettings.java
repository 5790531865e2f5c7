package dev.gatehouse.ratelimit.config.xds;

import io.grpc.Metadata;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where the configuration comes from when it comes over xDS, with the environment variables of envoyproxy/ratelimit that say so.
 *
 * @param server host and port ({@code CONFIG_GRPC_XDS_SERVER_URL})
 * @param nodeId by which the control plane knows whose configuration it is ({@code CONFIG_GRPC_XDS_NODE_ID})
 * @param nodeMetadata beside it ({@code CONFIG_GRPC_XDS_NODE_METADATA}, {@code key=value,key=value})
 * @param headers that go with each stream ({@code CONFIG_GRPC_XDS_CLIENT_ADDITIONAL_HEADERS}, {@code name:value,name:value}); they
 *     may be secret
 * @param connectRetry between attempts while there is no connection ({@code CONFIG_GRPC_XDS_SERVER_CONNECT_RETRY_INTERVAL}),
 *     between half and one and a half of it
 * @param retry after a stream that there was has ended ({@code XDS_CLIENT_BACKOFF_*})
 * @param maxMessageBytes of a response ({@code XDS_CLIENT_MAX_MSG_SIZE_IN_BYTES})
 * @param tls null connects in plaintext ({@code CONFIG_GRPC_XDS_SERVER_USE_TLS})
 */
public record XdsSettings(
    String server,
    String nodeId,
    Map<String, String> nodeMetadata,
    Map<String, String> headers,
    Duration connectRetry,
    Retry retry,
    int maxMessageBytes,
    @Nullable Tls tls) {
  /** gRPC's own. */
  public static final int DEFAULT_MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

  /**
   * Twice as long each time, until a stream holds for longer than {@code max}.
   *
   * @param randomFactor by how much of it a wait is longer or shorter at most, 0 to 1, so that replicas do not come back together
   * @param jitter false takes each wait as it is
   */
  public record Retry(Duration initial, Duration max, double randomFactor, boolean jitter) {
    public static final Retry DEFAULT =
        new Retry(Duration.ofSeconds(10), Duration.ofSeconds(60), 0.5, true);

    public Retry {
      positive("XDS_CLIENT_BACKOFF_INITIAL_INTERVAL", initial);
      positive("XDS_CLIENT_BACKOFF_MAX_INTERVAL", max);
      if (!(randomFactor >= 0 && randomFactor <= 1)) {
        throw new IllegalArgumentException(
            "XDS_CLIENT_BACKOFF_RANDOM_FACTOR: " + randomFactor + " (expected: 0 to 1)");
      }
    }
  }

  /**
   * The files are read at every connection, so that rotated certificates are used.
   *
   * @param ca the only authorities that are believed ({@code CONFIG_GRPC_XDS_SERVER_TLS_CACERT}); null means the system's
   * @param certificate ours ({@code CONFIG_GRPC_XDS_CLIENT_TLS_CERT}); null shows none
   * @param key its key ({@code CONFIG_GRPC_XDS_CLIENT_TLS_KEY})
   * @param serverName that the server's certificate must have ({@code CONFIG_GRPC_XDS_SERVER_TLS_SAN}); null means the host that
   *     is connected to
   */
  public record Tls(
      @Nullable Path ca,
      @Nullable Path certificate,
      @Nullable Path key,
      @Nullable String serverName) {
    public Tls {
      if ((certificate == null) != (key == null)) {
        throw new IllegalArgumentException(
            "CONFIG_GRPC_XDS_CLIENT_TLS_CERT and CONFIG_GRPC_XDS_CLIENT_TLS_KEY go together; only "
                + (key == null ? "the first" : "the second") + " is set");
      }
    }
  }

  private static final Pattern SERVER =
      Pattern.compile("(dns:///)?(\\[[0-9a-fA-F:.]+]|[^\\[\\]/:\\s]+)(:[0-9]{1,5})?");

  public XdsSettings {
    if (!SERVER.matcher(server).matches()) {
      throw new IllegalArgumentException("CONFIG_GRPC_XDS_SERVER_URL: \"" + server
          + "\" (expected: HOST:PORT, such as envoy-gateway:18001)");
    }
    nodeMetadata = Map.copyOf(nodeMetadata);
    headers = Map.copyOf(headers);
    positive("CONFIG_GRPC_XDS_SERVER_CONNECT_RETRY_INTERVAL", connectRetry);
    if (maxMessageBytes <= 0) {
      throw new IllegalArgumentException(
          "XDS_CLIENT_MAX_MSG_SIZE_IN_BYTES: " + maxMessageBytes + " (expected: at least 1)");
    }
    metadata(headers);
  }

  /** In plaintext, and with what envoyproxy/ratelimit takes where nothing is set. */
  public static XdsSettings plaintext(String server, String nodeId) {
    return new XdsSettings(
        server,
        nodeId,
        Map.of(),
        Map.of(),
        Duration.ofSeconds(3),
        Retry.DEFAULT,
        DEFAULT_MAX_MESSAGE_BYTES,
        null);
  }

  /** @throws IllegalArgumentException if a header cannot be sent; the value, which may be secret, is not in the message */
  static Metadata metadata(Map<String, String> headers) {
    var metadata = new Metadata();
    headers.forEach((name, value) -> {
      try {
        metadata.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            "CONFIG_GRPC_XDS_CLIENT_ADDITIONAL_HEADERS: \"" + name
                + "\" is no name of a header (expected: lower-case letters, digits, \"-\", \"_\", \".\"; not ending in -bin)",
            e);
      }
      if (!value.chars().allMatch(c -> c >= ' ' && c <= '~')) {
        throw new IllegalArgumentException(
            "CONFIG_GRPC_XDS_CLIENT_ADDITIONAL_HEADERS: the value of \"" + name
                + "\" has characters that a header cannot have (expected: printable ASCII)");
      }
    });
    return metadata;
  }

  private static void positive(String name, Duration duration) {
    if (duration.isNegative() || duration.isZero()) {
      throw new IllegalArgumentException(name + ": " + duration + " (expected: more than 0)");
    }
  }

  /** Without the headers' values. */
  @Override
  public String toString() {
    return "XdsSettings[server=" + server + ", nodeId=" + nodeId + ", headers=" + headers.keySet()
        + ", tls=" + tls + "]";
  }
}
