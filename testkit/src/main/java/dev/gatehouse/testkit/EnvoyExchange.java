package dev.gatehouse.testkit;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.gatehouse.testkit.EnvoyFilter.Overrides;
import dev.gatehouse.testkit.EnvoyStream.Peer;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.HeaderSendMode;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import io.grpc.BindableService;
import io.grpc.Channel;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP request and its response, and how Envoy's filter is configured for them: what {@link EnvoyStream} plays. Begun by
 * {@link EnvoyStream#request}.
 *
 * <p>What is said of a message ({@link #header}, {@link #trailer}, {@link #chunked}, {@link #attribute}) is said of the request until
 * {@link #respond}, and of the response from there on. Unless it is said otherwise Envoy is configured as by default: headers are sent,
 * bodies and trailers are not, no override is allowed, no metadata is received.
 */
public final class EnvoyExchange {
  /** One direction. */
  private static final class Side {
    private final List<String> headers = new ArrayList<>();
    private final List<String> trailers = new ArrayList<>();
    private final Struct.Builder attributes = Struct.newBuilder();
    private List<ByteString> chunks = List.of();
    private @Nullable ByteString body;

    ByteString[] pieces() {
      return chunks.toArray(ByteString[]::new);
    }

    void body(@Nullable ByteString all) {
      body = all;
      chunks = all == null ? List.of() : List.of(all);
      if (all != null) {
        headers.add("content-length");
        headers.add(Integer.toString(all.size()));
      }
    }

    /** As a body whose length nobody knows. */
    void pieces(List<ByteString> pieces) {
      chunks = pieces;
      var length = headers.indexOf("content-length");
      if (length >= 0) {
        headers.remove(length + 1);
        headers.remove(length);
      }
    }

    boolean endsAtHeaders() {
      return chunks.isEmpty() && trailers.isEmpty();
    }
  }

  private final Side request = new Side();
  private final Side response = new Side();
  private final Map<String, Struct> forwarded = new LinkedHashMap<>();
  private final Map<String, String> grpcMetadata = new LinkedHashMap<>();
  private final ProcessingMode.Builder mode = ProcessingMode.newBuilder();
  private Side current = request;
  private boolean local;
  private boolean early;
  private Overrides overrides = Overrides.FORBIDDEN;
  private boolean observed;
  private boolean endsTwice;
  private boolean tellsModes = true;
  private boolean bodyBeforeAnswer;
  private int bufferLimit = 1 << 20;
  private Set<String> receives = Set.of();
  private boolean clearsRoutes;
  private boolean mayReset;
  private int cancelAfter = Integer.MAX_VALUE;
  private Duration messageTimeout = EnvoyStream.PATIENCE;
  private Duration maxMessageTimeout = Duration.ZERO;

  private EnvoyExchange() {}

  static EnvoyExchange of(String line, @Nullable ByteString body) {
    var words = line.split(" ", 2);
    if (words.length != 2 || !words[1].startsWith("/")) {
      throw new IllegalArgumentException(
          "request: \"" + line + "\" (expected: a method and a path, as in \"GET /orders\")");
    }
    var exchange = new EnvoyExchange();
    exchange.header(":method", words[0]);
    exchange.header(":path", words[1]);
    exchange.header(":scheme", "https");
    exchange.header(":authority", "shop.example.com");
    exchange.request.body(body);
    return exchange;
  }

  static EnvoyExchange localReply(int status, String details, String body) {
    return new EnvoyExchange().respondLocally(status, details, body);
  }

  /** Another value if there is one of that name, except for {@code :authority} and the like, which have one. */
  public EnvoyExchange header(String name, String value) {
    var at = name.startsWith(":") ? current.headers.indexOf(name) : -1;
    if (at >= 0) {
      current.headers.set(at + 1, value);
    } else {
      current.headers.add(name);
      current.headers.add(value);
    }
    return this;
  }

  /** Trailers follow the body; the processor gets them only if the mode sends them ({@link #sendTrailers}). */
  public EnvoyExchange trailer(String name, String value) {
    current.trailers.add(name);
    current.trailers.add(value);
    return this;
  }

  /** The body comes in chunks of that size, and without a content-length. */
  public EnvoyExchange chunked(int bytes) {
    if (bytes < 1 || current.body == null) {
      throw new IllegalArgumentException(
          "chunks of " + bytes + " bytes (expected: a body, and at least one byte)");
    }
    var pieces = new ArrayList<ByteString>();
    for (var at = 0; at < current.body.size(); at += bytes) {
      pieces.add(current.body.substring(at, Math.min(current.body.size(), at + bytes)));
    }
    current.pieces(pieces);
    return this;
  }

  /** The body comes in these chunks, and without a content-length. */
  public EnvoyExchange chunks(ByteString... pieces) {
    current.body = ByteString.copyFrom(List.of(pieces));
    current.pieces(List.of(pieces));
    return this;
  }

  /** Where {@code request_attributes}, or {@code response_attributes}, ask for it. */
  public EnvoyExchange attribute(String name, String value) {
    current.attributes.putFields(name, Value.newBuilder().setStringValue(value).build());
    return this;
  }

  /** Dynamic metadata of another filter, which {@code metadata_options.forwarding_namespaces} names: ext_authz's, say. */
  public EnvoyExchange metadata(String namespace, Struct fields) {
    forwarded.put(namespace, fields);
    return this;
  }

  /** The upstream answers without a body. */
  public EnvoyExchange respond(int status) {
    return respond(status, (ByteString) null);
  }

  /** The upstream answers. */
  public EnvoyExchange respond(int status, String body) {
    return respond(status, ByteString.copyFromUtf8(body));
  }

  /** The upstream answers. */
  public EnvoyExchange respond(int status, @Nullable ByteString body) {
    current = response;
    header(":status", Integer.toString(status));
    response.body(body);
    return attribute("response.code_details", "via_upstream");
  }

  /** Envoy answers by itself, as its ratelimit filter does behind ext_proc; the upstream gets nothing. */
  public EnvoyExchange respondLocally(int status, String details, String body) {
    local = true;
    return respond(status, body).attribute("response.code_details", details);
  }

  /** The response begins when the request's headers have gone on, before its body is over (FULL_DUPLEX_STREAMED, STREAMED, NONE). */
  public EnvoyExchange early() {
    early = true;
    return this;
  }

  /** The body mode of both directions. With FULL_DUPLEX_STREAMED trailers are sent, as Envoy demands. */
  public EnvoyExchange mode(BodySendMode both) {
    return requestMode(both).responseMode(both);
  }

  /** {@code request_body_mode}. */
  public EnvoyExchange requestMode(BodySendMode body) {
    mode.setRequestBodyMode(body);
    if (body == BodySendMode.FULL_DUPLEX_STREAMED) {
      mode.setRequestTrailerMode(HeaderSendMode.SEND);
    }
    return this;
  }

  /** {@code response_body_mode}. */
  public EnvoyExchange responseMode(BodySendMode body) {
    mode.setResponseBodyMode(body);
    if (body == BodySendMode.FULL_DUPLEX_STREAMED) {
      mode.setResponseTrailerMode(HeaderSendMode.SEND);
    }
    return this;
  }

  /** {@code request_header_mode: SKIP}. */
  public EnvoyExchange skipRequestHeaders() {
    mode.setRequestHeaderMode(HeaderSendMode.SKIP);
    return this;
  }

  /** {@code response_header_mode: SKIP}. */
  public EnvoyExchange skipResponseHeaders() {
    mode.setResponseHeaderMode(HeaderSendMode.SKIP);
    return this;
  }

  /** {@code request_trailer_mode: SEND} and {@code response_trailer_mode: SEND}. */
  public EnvoyExchange sendTrailers() {
    mode.setRequestTrailerMode(HeaderSendMode.SEND);
    mode.setResponseTrailerMode(HeaderSendMode.SEND);
    return this;
  }

  /** {@code allow_mode_override: true}. Without it an override is a broken rule, since Envoy ignores it in silence. */
  public EnvoyExchange allowModeOverride() {
    overrides = Overrides.HEEDED;
    return this;
  }

  /** Overrides are ignored in silence, as Envoy does it: for a processor that bears both. */
  public EnvoyExchange ignoreModeOverride() {
    overrides = Overrides.IGNORED;
    return this;
  }

  /** The end of a body comes twice, as Envoy ≥ 1.35 may send it under FULL_DUPLEX_STREAMED; the second is not answered. */
  public EnvoyExchange endOfStreamTwice() {
    endsTwice = true;
    return this;
  }

  /** {@code observability_mode: true}. */
  public EnvoyExchange observed() {
    observed = true;
    return this;
  }

  /** No {@code protocol_config} tells the body modes: an Envoy before 1.34. */
  public EnvoyExchange withoutProtocolConfig() {
    tellsModes = false;
    return this;
  }

  /** {@code send_body_without_waiting_for_header_response: true}. */
  public EnvoyExchange sendBodyWithoutWaiting() {
    bodyBeforeAnswer = true;
    return this;
  }

  /** Where BUFFERED_PARTIAL has enough. That BUFFERED answers 413 above it is not played. */
  public EnvoyExchange bufferLimit(int bytes) {
    bufferLimit = bytes;
    return this;
  }

  /** {@code metadata_options.receiving_namespaces.untyped}: where the processor may write dynamic metadata. */
  public EnvoyExchange receivingMetadata(String... namespaces) {
    receives = Set.of(namespaces);
    return this;
  }

  /** {@code clear_route_cache} is meant: the processor chooses the route. */
  public EnvoyExchange allowClearRouteCache() {
    clearsRoutes = true;
    return this;
  }

  /** An immediate response may come when the response's headers have gone: the client's stream is reset then. */
  public EnvoyExchange allowReset() {
    mayReset = true;
    return this;
  }

  /** Envoy's is 200 ms unless it is set; a test waits 5 s unless this is said. FULL_DUPLEX_STREAMED has none; the test gives up after it. */
  public EnvoyExchange messageTimeout(Duration timeout) {
    messageTimeout = timeout;
    return this;
  }

  /** Grants {@code override_message_timeout} up to that time; without it Envoy ignores the wish. */
  public EnvoyExchange maxMessageTimeout(Duration timeout) {
    maxMessageTimeout = timeout;
    return this;
  }

  /** {@code grpc_initial_metadata} of the stream. */
  public EnvoyExchange grpcMetadata(String name, String value) {
    grpcMetadata.put(name, value);
    return this;
  }

  /** The client goes away when the processor has been sent so many messages. */
  public EnvoyExchange cancelledAfter(int messages) {
    cancelAfter = messages;
    return this;
  }

  /** A processor that listens on a port of this machine, without TLS. */
  public EnvoyStream through(int port) {
    return through(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
  }

  /** A processor that listens there, without TLS. */
  public EnvoyStream through(InetSocketAddress address) {
    var channel = NettyChannelBuilder.forAddress(address).usePlaintext().build();
    try {
      return through(channel);
    } finally {
      channel.shutdownNow();
    }
  }

  /** A processor at the other end of a channel, in this process perhaps. */
  public EnvoyStream through(Channel channel) {
    return through(new GrpcPeer(channel, grpcMetadata));
  }

  /** A service that no server serves yet: one is started for it, on a port of its own, and ended. */
  public EnvoyStream through(BindableService service) {
    try {
      var server = NettyServerBuilder.forAddress(
              new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
          .addService(service)
          .build()
          .start();
      try {
        return through(server.getPort());
      } finally {
        server.shutdownNow();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Plays the exchange to a processor, to its end.
   *
   * @throws BrokenRule if an answer is none that Envoy would take
   * @throws EnvoyStream.StreamFailed if the processor fails the stream
   */
  public EnvoyStream through(Peer peer) {
    var cancelling = new Cancelling(peer);
    var stream = open(cancelling);
    try {
      play(stream);
      return stream.finish();
    } catch (Gone e) {
      return stream;
    } finally {
      stream.close();
    }
  }

  /** A stream as it is described, for a test that sends its messages itself. */
  public EnvoyStream open(Peer peer) {
    var stream = new EnvoyStream(
            peer,
            new EnvoyFilter.Settings(
                mode.build(),
                overrides,
                observed,
                tellsModes,
                bodyBeforeAnswer,
                bufferLimit,
                receives,
                clearsRoutes))
        .attributes(request.attributes.build(), response.attributes.build())
        .patience(messageTimeout, maxMessageTimeout);
    if (mayReset) {
      stream.allowReset();
    }
    if (endsTwice) {
      stream.endOfStreamTwice();
    }
    forwarded.forEach(stream::metadata);
    return stream;
  }

  private void play(EnvoyStream stream) {
    var late = new ArrayList<Runnable>();
    if (!request.headers.isEmpty()) {
      stream.requestHeaders(request.endsAtHeaders(), strings(request.headers));
      var pieces = request.pieces();
      for (var i = 0; i < pieces.length; i++) {
        var piece = pieces[i];
        var last = i == pieces.length - 1 && request.trailers.isEmpty();
        late.add(() -> stream.requestBody(piece, last));
      }
      if (!request.trailers.isEmpty()) {
        late.add(() -> stream.requestTrailers(strings(request.trailers)));
      }
    }
    var responded = false;
    for (var more : late) {
      if (early && !responded && !stream.answered() && stream.mayRespond()) {
        respond(stream);
        responded = true;
      }
      if (!stream.answered()) {
        more.run();
      }
    }
    if (!responded && !stream.answered() && (local || stream.mayRespond())) {
      respond(stream);
    }
  }

  private void respond(EnvoyStream stream) {
    if (response.headers.isEmpty()) {
      return;
    }
    stream.responseHeaders(response.endsAtHeaders(), strings(response.headers));
    var pieces = response.pieces();
    for (var i = 0; i < pieces.length && !stream.answered(); i++) {
      stream.responseBody(pieces[i], i == pieces.length - 1 && response.trailers.isEmpty());
    }
    if (!response.trailers.isEmpty() && !stream.answered()) {
      stream.responseTrailers(strings(response.trailers));
    }
  }

  private static String[] strings(List<String> list) {
    return list.toArray(String[]::new);
  }

  /** The client is gone. */
  private static final class Gone extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /** Goes away in time. */
  private final class Cancelling implements Peer {
    private final Peer peer;
    private int sent;

    Cancelling(Peer peer) {
      this.peer = peer;
    }

    @Override
    public void send(ProcessingRequest message) {
      if (sent == cancelAfter) {
        throw new Gone();
      }
      sent++;
      peer.send(message);
      if (sent == cancelAfter) {
        throw new Gone();
      }
    }

    @Override
    public @Nullable ProcessingResponse receive(Duration patience) {
      return peer.receive(patience);
    }

    @Override
    public boolean ended() {
      return peer.ended();
    }

    @Override
    public void halfClose() {
      peer.halfClose();
    }

    @Override
    public void reset() {
      peer.reset();
    }
  }
}
