package dev.gatehouse.extproc;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.extproc.stream.ProcessorStream.Opened;
import dev.gatehouse.extproc.stream.StreamStats;
import dev.gatehouse.testkit.EnvoyFilter;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.HeaderSendMode;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;

/**
 * One request and its response on their way through a modelled Envoy and a processor, in any order that can happen: bytes come in
 * pieces of any size, answers take their time, the connection backs up, work off the loop is done late or not at all.
 */
public final class RandomTraffic {
  /** Something that one end sends. */
  private sealed interface Event {
    record Headers(boolean end) implements Event {}

    record Data(ByteString data, boolean end) implements Event {}

    record Trailers() implements Event {}
  }

  /** What one direction brings: headers, perhaps a body in pieces, perhaps trailers. */
  public static final class Script {
    private final String[] headers;
    private final ByteString all;
    private final Queue<Event> events = new ArrayDeque<>();
    private boolean begun;

    /** @param headers names and values in turn */
    public Script(List<ByteString> pieces, boolean trailers, String... headers) {
      this.headers = headers;
      this.all = ByteString.copyFrom(pieces);
      events.add(new Event.Headers(pieces.isEmpty() && !trailers));
      for (var i = 0; i < pieces.size(); i++) {
        events.add(new Event.Data(pieces.get(i), i == pieces.size() - 1 && !trailers));
      }
      if (trailers) {
        events.add(new Event.Trailers());
      }
    }

    /** Whether everything was sent. */
    public boolean done() {
      return events.isEmpty();
    }

    public boolean begun() {
      return begun;
    }

    /** The body, whether it was sent yet or not. */
    public ByteString all() {
      return all;
    }

    private Event next() {
      begun = true;
      return events.remove();
    }
  }

  private static final BodySendMode[] MODES = {
    BodySendMode.NONE,
    BodySendMode.BUFFERED,
    BodySendMode.BUFFERED_PARTIAL,
    BodySendMode.STREAMED,
    BodySendMode.FULL_DUPLEX_STREAMED
  };

  private final SplittableRandom random;
  private final EnvoyFilter.Settings settings;
  private final boolean local;
  private final Queue<Runnable> jobs = new ArrayDeque<>();
  private final DirectPeer peer;
  private final EnvoyFilter envoy;
  private final Script request;
  private final Script response;
  private boolean requestBegun;

  /**
   * @param local Envoy answers by itself: with the request or without it
   * @param budget bytes that the stream may gather of both directions together
   */
  public RandomTraffic(
      SplittableRandom random,
      EnvoyFilter.Settings settings,
      boolean local,
      long budget,
      Processor processor,
      Script request,
      Script response) {
    this.random = random;
    this.settings = settings;
    this.local = local;
    this.peer = new DirectPeer(
        first -> new Opened.With(processor), jobs::add, new StreamStats("test", budget));
    this.envoy = new EnvoyFilter(settings, local ? "ext_authz_denied" : "via_upstream", peer::send);
    this.request = request;
    this.response = response;
  }

  /** Any configuration that Envoy takes: every tenth tells no modes, every twentieth only observes. */
  public static EnvoyFilter.Settings settings(SplittableRandom random) {
    var told = random.nextInt(10) > 0;
    var mode = ProcessingMode.newBuilder()
        .setRequestBodyMode(mode(random, told))
        .setResponseBodyMode(mode(random, told))
        .setRequestHeaderMode(random.nextInt(10) == 0 ? HeaderSendMode.SKIP : HeaderSendMode.SEND)
        .setResponseHeaderMode(
            random.nextInt(10) == 0 ? HeaderSendMode.SKIP : HeaderSendMode.DEFAULT);
    mode.setRequestTrailerMode(trailers(random, mode.getRequestBodyMode()));
    mode.setResponseTrailerMode(trailers(random, mode.getResponseBodyMode()));
    return new EnvoyFilter.Settings(
        mode.build(),
        random.nextBoolean(),
        random.nextInt(25) == 0,
        told,
        told && random.nextInt(10) == 0,
        random.nextInt(10, 80));
  }

  private static BodySendMode mode(SplittableRandom random, boolean told) {
    return MODES[random.nextInt(told ? MODES.length : MODES.length - 1)];
  }

  private static HeaderSendMode trailers(SplittableRandom random, BodySendMode body) {
    return body == BodySendMode.FULL_DUPLEX_STREAMED || random.nextBoolean()
        ? HeaderSendMode.SEND
        : HeaderSendMode.SKIP;
  }

  /** A body cut anywhere, with empty pieces between. */
  public static List<ByteString> pieces(SplittableRandom random, ByteString body, int atMost) {
    var pieces = new ArrayList<ByteString>();
    for (var at = 0; at < body.size(); ) {
      var end =
          random.nextInt(5) == 0 ? at : Math.min(body.size(), at + 1 + random.nextInt(atMost));
      pieces.add(body.substring(at, end));
      at = end;
    }
    return pieces;
  }

  public EnvoyFilter envoy() {
    return envoy;
  }

  public DirectPeer peer() {
    return peer;
  }

  /**
   * One thing happens.
   *
   * @return false when there is nothing left that could
   * @throws AssertionError if an answer breaks one of Envoy's rules
   */
  public boolean goesOn() {
    return step() || drain();
  }

  /** The client goes away; work that was begun may still end. */
  public void cancel() {
    peer.cancel();
    jobs.forEach(Runnable::run);
  }

  private boolean step() {
    switch (random.nextInt(8)) {
      case 0, 1 -> take();
      case 2 -> work();
      case 3 -> peer.ready(random.nextInt(3) > 0);
      case 4 -> {
        if (random.nextInt(40) == 0) {
          peer.after(Duration.ofSeconds(random.nextBoolean() ? 1 : 10));
        }
      }
      default -> {
        return traffic();
      }
    }
    return true;
  }

  private boolean traffic() {
    if (request.done() && random.nextInt(20) == 0 && envoy.request().endsAgain()) {
      return true;
    }
    if (response.done() && random.nextInt(20) == 0 && envoy.response().endsAgain()) {
      return true;
    }
    var requestGoes = !request.done() && !(local && response.begun);
    var responseGoes =
        !response.done() && (local ? mayAnswerItself() : envoy.request().headersGone());
    if (requestGoes && (!responseGoes || random.nextBoolean())) {
      requestBegun = true;
      request(request.next());
    } else if (responseGoes && (!local || requestBegun || random.nextBoolean())) {
      response(response.next());
    } else {
      if (local && !requestBegun) {
        requestBegun = true;
      }
      return requestGoes || responseGoes;
    }
    return true;
  }

  /** Not while an override of the response's modes is on its way, which Envoy would take in the middle of its own response. */
  private boolean mayAnswerItself() {
    return response.begun || !settings.allowModeOverride() || !envoy.request().waiting();
  }

  private void request(Event event) {
    switch (event) {
      case Event.Headers(var end) -> envoy.requestHeaders(end, request.headers);
      case Event.Data(var data, var end) -> envoy.requestData(data, end);
      case Event.Trailers trailers -> envoy.requestTrailers("x-trailer", "t");
    }
  }

  private void response(Event event) {
    switch (event) {
      case Event.Headers(var end) -> envoy.responseHeaders(end, response.headers);
      case Event.Data(var data, var end) -> envoy.responseData(data, end);
      case Event.Trailers trailers -> envoy.responseTrailers("x-trailer", "t");
    }
  }

  private boolean take() {
    var answer = peer.receive();
    if (answer == null) {
      return false;
    }
    envoy.take(answer);
    return true;
  }

  private boolean work() {
    var job = jobs.poll();
    if (job == null) {
      return false;
    }
    job.run();
    peer.deliver();
    return true;
  }

  /** All that is on its way arrives. */
  private boolean drain() {
    peer.ready(true);
    return take() | work();
  }
}
