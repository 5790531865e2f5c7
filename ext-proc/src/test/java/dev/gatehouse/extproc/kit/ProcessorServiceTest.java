package dev.gatehouse.extproc.kit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.stream.BodyWish;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.HeaderChanges;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.Patience;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.extproc.stream.Reply;
import dev.gatehouse.testkit.EnvoyStream;
import dev.gatehouse.testkit.EnvoyStream.StreamFailed;
import dev.gatehouse.testkit.GrpcPeer;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.service.ext_proc.v3.BodyResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.HeadersResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The service in servers that are not ours: plain grpc-java on its own threads, and without a network. */
class ProcessorServiceTest {
  private static final int STREAMS = 200;
  private static final int PIECES = 10;

  private final ArrayDeque<AutoCloseable> open = new ArrayDeque<>();

  @AfterEach
  void close() throws Exception {
    for (var some : open) {
      some.close();
    }
  }

  @Test
  void each_of_many_streams_at_once_has_its_own_state_on_a_plain_grpc_server() throws Exception {
    counts_its_own(plain(new ProcessorService("counting", stream -> new Counting())));
  }

  @Test
  void each_of_many_streams_at_once_has_its_own_state_on_virtual_threads() throws Exception {
    counts_its_own(
        plain(new ProcessorService("counting", stream -> new BlockingProcessor(new Counting()))));
  }

  @Test
  void each_of_many_streams_at_once_has_its_own_state_in_process() throws Exception {
    counts_its_own(inProcess(new ProcessorService("counting", stream -> new Counting()), false));
  }

  @Test
  void it_works_on_the_callers_own_thread_in_process() {
    var channel = inProcess(new ProcessorService("counting", stream -> new Counting()), true);
    assertThat(count(channel, new Random(1))).isTrue();
  }

  /** Says behind each piece how many there were in its stream. */
  private static final class Counting implements HttpProcessor {
    private int pieces;

    @Override
    public Reply requestHeaders(HeadersMessage headers) {
      return Reply.Continue.of(HeaderChanges.NONE, BodyWish.CHUNKS);
    }

    @Override
    public Reply requestChunk(ByteString piece, boolean last) {
      return new Reply.NewBody(
          HeaderChanges.NONE, piece.concat(ByteString.copyFromUtf8("-" + pieces++)));
    }
  }

  @Test
  @SuppressWarnings("NullAway")
  void null_is_a_failure_as_others_are_and_lets_nothing_pass() {
    var silent = new HttpProcessor() {
      @Override
      public Reply requestHeaders(HeadersMessage headers) {
        return null;
      }
    };
    var bodiless = new HttpProcessor() {
      @Override
      public Reply requestHeaders(HeadersMessage headers) {
        return new Reply.NewBody(HeaderChanges.NONE, null);
      }
    };
    var idle = new HttpProcessor() {
      @Override
      public Reply requestHeaders(HeadersMessage headers) {
        return new Reply.Later(() -> null);
      }
    };
    for (var factory : List.<ProcessorFactory>of(
        stream -> null,
        stream -> silent,
        stream -> bodiless,
        stream -> idle,
        stream -> new BlockingProcessor(silent))) {
      EnvoyStream.request("GET /")
          .respond(200)
          .through(new ProcessorService("null", factory))
          .expectNoUpstream()
          .expectStatus(500);
    }
  }

  private static void counts_its_own(ManagedChannel channel) throws Exception {
    try (var clients = Executors.newFixedThreadPool(16)) {
      var all = IntStream.range(0, STREAMS)
          .mapToObj(seed -> clients.submit(() -> count(channel, new Random(seed))))
          .toList();
      for (var one : all) {
        assertThat(one.get(20, TimeUnit.SECONDS)).isTrue();
      }
    }
  }

  private static boolean count(ManagedChannel channel, Random random) {
    try (var peer = peer(channel)) {
      Messages.exchange(peer, Messages.first(BodySendMode.STREAMED));
      var answered = 0;
      for (var sent = 0; sent < PIECES; sent++) {
        peer.send(Messages.requestBody("p" + sent, sent == PIECES - 1));
        if (random.nextBoolean()) {
          answered = takeOne(peer, answered);
        }
      }
      while (answered < PIECES) {
        answered = takeOne(peer, answered);
      }
      return peer.finish().isOk();
    }
  }

  private static int takeOne(GrpcPeer peer, int number) {
    var answer =
        Messages.answer(peer).getRequestBody().getResponse().getBodyMutation().getBody();
    assertThat(answer.toStringUtf8()).isEqualTo("p" + number + "-" + number);
    return number + 1;
  }

  @Test
  void the_deadline_holds_on_a_plain_grpc_server_too() {
    // Each timer has a thread of its own: on a busy machine close ones come in either order.
    var patience = new Patience(Duration.ofMillis(20), Duration.ofSeconds(1));
    var service = new ProcessorService(
        "stuck",
        stream -> new BlockingProcessor(new HttpProcessor() {
          @Override
          public Reply requestHeaders(HeadersMessage headers) throws InterruptedException {
            new CountDownLatch(1).await();
            return Reply.UNCHANGED;
          }
        }),
        new VirtualWorkers("stuck", 10),
        patience);
    var peer = peer(plain(service));
    peer.send(Messages.first(BodySendMode.NONE));
    assertThat(Messages.answer(peer).hasOverrideMessageTimeout()).isTrue();
    assertThat(Messages.answer(peer).getImmediateResponse().getStatus().getCodeValue())
        .isEqualTo(500);
    assertThat(peer.finish().isOk()).isTrue();
  }

  @Test
  void a_callback_whose_request_is_gone_is_interrupted_on_a_plain_grpc_server_too()
      throws InterruptedException {
    var begun = new CountDownLatch(1);
    var told = new LinkedBlockingQueue<String>();
    var channel = plain(new ProcessorService(
        "stuck",
        stream -> new BlockingProcessor(new HttpProcessor() {
          @Override
          public Reply requestHeaders(HeadersMessage headers) {
            begun.countDown();
            try {
              new CountDownLatch(1).await();
            } catch (InterruptedException e) {
              told.add("interrupted");
            }
            return Reply.UNCHANGED;
          }

          @Override
          public void ended(Ending ending) {
            told.add("ended");
          }
        })));
    var peer = peer(channel);
    peer.send(Messages.first(BodySendMode.NONE));
    assertThat(begun.await(5, TimeUnit.SECONDS)).isTrue();
    peer.close();
    assertThat(told.poll(5, TimeUnit.SECONDS)).isEqualTo("interrupted");
    assertThat(told.poll(5, TimeUnit.SECONDS)).isEqualTo("ended");
  }

  @Test
  void a_factory_may_leave_a_stream_alone_fail_it_or_throw() {
    var channel = plain(new ProcessorService("choosing", stream -> {
      switch (String.valueOf(stream.first().first(":path"))) {
        case "/pass" -> {
          return Processor.PASS;
        }
        case "/refuse" -> {
          return Processor.refusing("not here");
        }
        default -> throw new IllegalStateException("secret");
      }
    }));
    assertThat(first(channel, "/pass").hasRequestHeaders()).isTrue();
    assertThat(first(channel, "/throw").getImmediateResponse().getStatus().getCodeValue())
        .isEqualTo(500);
    assertThatThrownBy(() -> first(channel, "/refuse"))
        .isInstanceOf(StreamFailed.class)
        .hasMessageContaining("not here");
  }

  @Test
  void a_body_that_the_mode_does_not_send_is_a_failure_and_not_a_body_that_passes_unseen() {
    for (var wish : List.of(BodyWish.WHOLE, BodyWish.CHUNKS)) {
      for (var mode : List.of(BodySendMode.NONE, BodySendMode.BUFFERED_PARTIAL)) {
        var whys = new LinkedBlockingQueue<Processor.Failure>();
        var peer = peer(plain(new ProcessorService("wishing", stream -> new HttpProcessor() {
          @Override
          public Reply requestHeaders(HeadersMessage headers) {
            return Reply.Continue.of(HeaderChanges.NONE, wish);
          }

          @Override
          public Reply failed(Direction direction, Failure failure) {
            whys.add(failure);
            return HttpProcessor.super.failed(direction, failure);
          }
        })));
        var answer = Messages.exchange(peer, Messages.first(mode));
        assertThat(answer.getImmediateResponse().getStatus().getCodeValue()).isEqualTo(500);
        assertThat(whys)
            .extracting(Processor.Failure::why)
            .first()
            .asString()
            .contains("request_body_mode is " + mode)
            .contains("BUFFERED");
      }
    }
  }

  @Test
  void a_body_that_is_more_than_it_gathers_is_413_or_502() {
    var channel = plain(new ProcessorService("small", stream -> new HttpProcessor() {
      @Override
      public Reply headers(HeadersMessage headers) {
        return Reply.Continue.of(HeaderChanges.NONE, BodyWish.WHOLE);
      }

      @Override
      public long gathers(Direction direction) {
        return 3;
      }
    }));
    var duplex = Messages.first(BodySendMode.FULL_DUPLEX_STREAMED);
    var requesting = peer(channel);
    requesting.send(duplex);
    assertThat(Messages.exchange(requesting, Messages.requestBody("four", true))
            .getImmediateResponse()
            .getStatus()
            .getCodeValue())
        .isEqualTo(413);
    var responding = peer(channel);
    responding.send(duplex);
    Messages.exchange(responding, Messages.requestBody("3", true));
    Messages.answer(responding);
    responding.send(Messages.responseHeaders(":status", "200"));
    assertThat(Messages.exchange(responding, Messages.responseBody("four", true))
            .getImmediateResponse()
            .getStatus()
            .getCodeValue())
        .isEqualTo(502);
  }

  @Test
  void trailers_instead_of_the_body_that_was_waited_for_are_told_on_virtual_threads_too() {
    for (var blocking : List.of(true, false)) {
      var told = new LinkedBlockingQueue<Direction>();
      var processor = new HttpProcessor() {
        @Override
        public Reply requestHeaders(HeadersMessage headers) {
          return Reply.Continue.of(HeaderChanges.NONE, BodyWish.WHOLE);
        }

        @Override
        public Reply noBody(Direction direction) {
          told.add(direction);
          return Reply.Respond.problem(400, "No body", "no_body");
        }
      };
      var channel = plain(new ProcessorService(
          "waiting", stream -> blocking ? new BlockingProcessor(processor) : processor));
      var peer = peer(channel);
      peer.send(Messages.first(BodySendMode.FULL_DUPLEX_STREAMED));
      assertThat(Messages.exchange(peer, Messages.requestTrailers())
              .getImmediateResponse()
              .getStatus()
              .getCodeValue())
          .isEqualTo(400);
      assertThat(told).containsExactly(Direction.REQUEST);
    }
  }

  @Test
  void headers_that_the_mode_leaves_out_are_a_failure_unless_the_processor_says_otherwise() {
    var body = Messages.requestBody("unseen", true);
    var strict = peer(plain(new ProcessorService("strict", stream -> new HttpProcessor() {})));
    assertThat(
            Messages.exchange(strict, body).getImmediateResponse().getStatus().getCodeValue())
        .isEqualTo(500);
    var lax = peer(plain(new ProcessorService("lax", stream -> new HttpProcessor() {
      @Override
      public Reply headersLeftOut(Direction direction) {
        return Reply.UNCHANGED;
      }
    })));
    assertThat(Messages.exchange(lax, body).hasRequestBody()).isTrue();
  }

  @Test
  void what_is_not_overridden_lets_everything_pass_in_every_mode() {
    var channel = plain(new ProcessorService("nothing", stream -> new HttpProcessor() {}));
    for (var mode : List.of(
        BodySendMode.NONE,
        BodySendMode.STREAMED,
        BodySendMode.BUFFERED,
        BodySendMode.BUFFERED_PARTIAL,
        BodySendMode.FULL_DUPLEX_STREAMED)) {
      try (var peer = peer(channel)) {
        var body = mode != BodySendMode.NONE;
        assertThat(Messages.exchange(peer, Messages.first(mode)).getRequestHeaders())
            .isEqualTo(unchangedHeaders());
        if (body) {
          passes(mode, Messages.exchange(peer, Messages.requestBody("a", false)).getRequestBody());
        }
        assertThat(Messages.exchange(peer, Messages.requestTrailers()).hasRequestTrailers())
            .isTrue();
        assertThat(Messages.exchange(peer, Messages.responseHeaders(":status", "200"))
                .getResponseHeaders())
            .isEqualTo(unchangedHeaders());
        if (body) {
          passes(
              mode, Messages.exchange(peer, Messages.responseBody("a", false)).getResponseBody());
        }
        assertThat(Messages.exchange(peer, Messages.responseTrailers()).hasResponseTrailers())
            .isTrue();
        assertThat(peer.finish().isOk()).isTrue();
      }
    }
  }

  private static HeadersResponse unchangedHeaders() {
    return HeadersResponse.getDefaultInstance();
  }

  private static void passes(BodySendMode mode, BodyResponse answer) {
    var mutation = answer.getResponse().getBodyMutation();
    assertThat(mutation.getStreamedResponse().getBody().toStringUtf8())
        .isEqualTo(mode == BodySendMode.FULL_DUPLEX_STREAMED ? "a" : "");
    assertThat(mutation.hasBody()).isFalse();
  }

  @Test
  void in_observability_mode_who_opts_in_sees_every_message_in_order_and_nobody_is_answered() {
    var seen = new LinkedBlockingQueue<String>();
    for (var blocking : List.of(true, false)) {
      var channel = plain(new ProcessorService(
          "looking",
          stream -> blocking ? new BlockingProcessor(new Looking(seen)) : new Looking(seen)));
      try (var peer = peer(channel)) {
        observe(peer);
        await()
            .untilAsserted(() -> assertThat(seen)
                .containsExactly("headers", "a", "b.", "trailers", "headers", "c."));
        assertThat(peer.finish().isOk()).as("no answer before the end").isTrue();
      }
      seen.clear();
    }
  }

  @Test
  void in_observability_mode_nobody_is_asked_who_did_not_opt_in() {
    var asked = new AtomicInteger();
    var channel = plain(new ProcessorService("asked", stream -> new HttpProcessor() {
      @Override
      public Reply headers(HeadersMessage headers) {
        asked.incrementAndGet();
        return Reply.Respond.FAILED;
      }
    }));
    try (var peer = peer(channel)) {
      observe(peer);
      assertThat(peer.finish().isOk()).isTrue();
    }
    assertThat(asked).hasValue(0);
  }

  private static void observe(GrpcPeer peer) {
    for (var message : List.of(
        Messages.first(BodySendMode.STREAMED),
        Messages.requestBody("a", false),
        Messages.requestBody("b", true),
        Messages.requestTrailers(),
        Messages.responseHeaders(":status", "200"),
        Messages.responseBody("c", true))) {
      peer.send(Messages.observed(message));
    }
  }

  private record Looking(LinkedBlockingQueue<String> seen) implements HttpProcessor {
    @Override
    public boolean observes() {
      return true;
    }

    @Override
    public Reply headers(HeadersMessage headers) {
      seen.add("headers");
      return Reply.Continue.of(HeaderChanges.NONE, BodyWish.WHOLE);
    }

    @Override
    public Reply chunk(Direction direction, ByteString piece, boolean last) {
      seen.add(piece.toStringUtf8() + (last ? "." : ""));
      return new Reply.NewBody(HeaderChanges.NONE, ByteString.EMPTY);
    }

    @Override
    public Reply trailers(Direction direction, List<HeaderValue> trailers) {
      seen.add("trailers");
      throw new IllegalStateException("ignored, but for the log");
    }
  }

  private static ProcessingResponse first(ManagedChannel channel, String path) {
    return Messages.exchange(peer(channel), Messages.first(BodySendMode.NONE, ":path", path));
  }

  private static GrpcPeer peer(ManagedChannel channel) {
    return new GrpcPeer(channel, Map.of());
  }

  /** As a team has it: no executor chosen, no event loops of ours. */
  private ManagedChannel plain(ProcessorService service) {
    var any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    var server = started(NettyServerBuilder.forAddress(any).addService(service).build());
    return closing(
        NettyChannelBuilder.forAddress(any.getAddress().getHostAddress(), server.getPort())
            .usePlaintext()
            .build());
  }

  private ManagedChannel inProcess(ProcessorService service, boolean direct) {
    var name = InProcessServerBuilder.generateName();
    var server = InProcessServerBuilder.forName(name).addService(service);
    var channel = InProcessChannelBuilder.forName(name);
    if (direct) {
      server.directExecutor();
      channel.directExecutor();
    }
    started(server.build());
    return closing(channel.build());
  }

  private Server started(Server server) {
    try {
      server.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    open.push(() -> server.shutdownNow().awaitTermination());
    return server;
  }

  private ManagedChannel closing(ManagedChannel channel) {
    open.push(channel::shutdownNow);
    return channel;
  }
}
