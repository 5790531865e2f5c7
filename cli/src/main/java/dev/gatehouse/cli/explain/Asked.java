package dev.gatehouse.cli.explain;

import com.google.protobuf.ByteString;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The request that is to be explained.
 *
 * @param path with the query
 * @param headers without those that Envoy makes of the rest ({@code :method} and its like)
 * @param sourceAddress the peer, as Envoy would report it
 * @param certificate the peer's, in PEM; null where it shows none
 * @param listener {@code namespace/gateway/listener} or {@code namespace/gateway}; null searches all
 * @param route {@code HTTPRoute/namespace/name/rule}; null matches the request against the routes
 * @param response what the upstream would answer; null where that is of no interest
 */
public record Asked(
    String method,
    String scheme,
    String host,
    String path,
    List<Header> headers,
    String sourceAddress,
    @Nullable String certificate,
    ByteString body,
    @Nullable String listener,
    @Nullable String route,
    @Nullable Response response) {

  public record Header(String name, String value) {}

  public record Response(int status, List<Header> headers, ByteString body) {}
}
