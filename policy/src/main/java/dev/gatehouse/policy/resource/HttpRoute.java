package dev.gatehouse.policy.resource;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code gateway.networking.k8s.io/v1 HTTPRoute}, or {@code GRPCRoute}: {@code meta.kind} says which. A gRPC call is an HTTP request for
 * {@code /service/method}, so a GRPCRoute is read into the same words, and whoever attaches, matches or writes routes knows one kind.
 */
public record HttpRoute(
    Meta meta, List<ParentRef> parentRefs, List<String> hostnames, List<Rule> rules)
    implements Resource {
  public static final String GRPC_KIND = "GRPCRoute";

  /** Whether it is a GRPCRoute, whose backends speak HTTP/2. */
  public boolean grpc() {
    return meta.kind().equals(GRPC_KIND);
  }

  /** One of {@code spec.parentRefs}: a Gateway, or one listener of it, or those of one port. */
  public record ParentRef(
      String namespace,
      String name,
      @Nullable String sectionName,
      @Nullable Integer port,
      Origin origin) {}

  /**
   * One of {@code spec.rules}.
   *
   * @param matches never empty: without any it is a prefix match of {@code /}
   * @param requestTimeout {@code timeouts.request}
   */
  public record Rule(
      @Nullable String name,
      List<Match> matches,
      List<Filter> filters,
      List<BackendRef> backendRefs,
      @Nullable Duration requestTimeout,
      Origin origin) {}

  /**
   * One of a rule's matches: all that it says must hold.
   *
   * @param grpc what a GRPCRoute says, from which {@code path} is made; null in an HTTPRoute
   */
  public record Match(
      StringMatch path,
      @Nullable String method,
      List<NamedMatch> headers,
      List<NamedMatch> queryParams,
      @Nullable GrpcMethod grpc) {
    public Match(
        StringMatch path,
        @Nullable String method,
        List<NamedMatch> headers,
        List<NamedMatch> queryParams) {
      this(path, method, headers, queryParams, null);
    }
  }

  /** The method that a GRPCRoute matches, as names or as regular expressions; an empty one stands for any. */
  public record GrpcMethod(String service, String method) {}

  /** A condition on a header (name in lower case) or a query parameter. */
  public record NamedMatch(String name, StringMatch match) {}

  public record BackendRef(ObjectRef ref, @Nullable Integer port, int weight) {}

  /** A filter that {@code wire} writes into the route. Others are refused. */
  public sealed interface Filter {
    Origin origin();
  }

  /** {@code RequestHeaderModifier} or, when {@code response}, {@code ResponseHeaderModifier}. */
  public record HeaderModifier(
      boolean response, List<Header> set, List<Header> add, List<String> remove, Origin origin)
      implements Filter {}

  public record Header(String name, String value) {}

  /** {@code RequestRedirect}; null fields stay as the request has them. */
  public record Redirect(
      @Nullable String scheme,
      @Nullable String hostname,
      @Nullable PathRewrite path,
      @Nullable Integer port,
      int statusCode,
      Origin origin)
      implements Filter {}

  /** {@code URLRewrite}. */
  public record UrlRewrite(
      @Nullable String hostname, @Nullable PathRewrite path, Origin origin) implements Filter {}

  /** {@code ReplaceFullPath} when {@code full}, else {@code ReplacePrefixMatch}. */
  public record PathRewrite(boolean full, String value) {}
}
