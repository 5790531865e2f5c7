package dev.gatehouse.extproc.stream;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.DirectPeer;
import dev.gatehouse.extproc.stream.ModeOverride.Sending;
import dev.gatehouse.extproc.stream.ProcessorStream.Opened;
import dev.gatehouse.testkit.EnvoyFilter;
import dev.gatehouse.testkit.EnvoyStream.StreamFailed;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.HeaderSendMode;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** One stream of {@link StreamModelTest}: all of it follows from its number. */
final class ModelStream {
  /** How it ended. */
  enum End {
    /** Both directions went through. */
    THROUGH,
    /** The processor answered the client. */
    ANSWERED,
    /** The processor failed the stream. */
    FAILED,
    /** The client went away. */
    CANCELLED,
    OBSERVED
  }

  private static final BodySendMode[] MODES = {
    BodySendMode.NONE,
    BodySendMode.BUFFERED,
    BodySendMode.BUFFERED_PARTIAL,
    BodySendMode.STREAMED,
    BodySendMode.FULL_DUPLEX_STREAMED
  };
  private static final int MAX_CHUNK = 40;

  private final SplittableRandom random;
  private final EnvoyFilter.Settings settings;
  private final boolean local;
  private final Erratic processor;
  private final Queue<Runnable> jobs = new ArrayDeque<>();
  private final DirectPeer peer;
  private final EnvoyFilter envoy;
  private final Script request;
  private final Script response;
  private boolean requestBegun;
  private boolean failed;

  ModelStream(int number) {
    random = new SplittableRandom(20261125L + number);
    settings = settings();
    local = one(12);
    processor = new Erratic(random.split());
    peer = new DirectPeer(first -> new Opened.With(processor), jobs::add);
    envoy = new EnvoyFilter(settings, local ? "ext_authz_denied" : "via_upstream", peer::send);
    request = new Script();
    response = new Script();
  }

  private EnvoyFilter.Settings settings() {
    var told = !one(10);
    var mode = ProcessingMode.newBuilder();
    mode.setRequestBodyMode(mode(told)).setResponseBodyMode(mode(told));
    mode.setRequestHeaderMode(one(10) ? HeaderSendMode.SKIP : HeaderSendMode.SEND);
    mode.setResponseHeaderMode(one(10) ? HeaderSendMode.SKIP : HeaderSendMode.DEFAULT);
    mode.setRequestTrailerMode(trailers(mode.getRequestBodyMode()));
    mode.setResponseTrailerMode(trailers(mode.getResponseBodyMode()));
    return new EnvoyFilter.Settings(
        mode.build(), one(2), one(25), told, told && one(10), random.nextInt(10, 80));
  }

  private BodySendMode mode(boolean told) {
    return MODES[random.nextInt(told ? MODES.length : MODES.length - 1)];
  }

  private HeaderSendMode trailers(BodySendMode body) {
    return body == BodySendMode.FULL_DUPLEX_STREAMED || one(2)
        ? HeaderSendMode.SEND
        : HeaderSendMode.SKIP;
  }

  @Override
  public String toString() {
    return settings + " " + processor.said + (local ? " local reply" : "");
  }

  End run() {
    try {
      while (envoy.immediate() == null && !failed) {
        if (one(400)) {
          peer.cancel();
          jobs.forEach(Runnable::run);
          return check(peer.timers() == 0, "a timer outlives its stream", End.CANCELLED);
        }
        if (!step() && !drain()) {
          break;
        }
        bounded();
      }
    } catch (StreamFailed e) {
      check(processor.mayFail, "the stream failed by itself: " + e.getMessage(), End.FAILED);
      return End.FAILED;
    }
    if (envoy.immediate() != null) {
      check(peer.closed() != null, "a stream lives on after an immediate response", End.ANSWERED);
      return End.ANSWERED;
    }
    if (settings.observability()) {
      return End.OBSERVED;
    }
    went("request", envoy.request(), request, processor.request);
    went("response", envoy.response(), response, processor.response);
    return End.THROUGH;
  }

  /** One thing that may happen next. @return whether the traffic goes on */
  private boolean step() {
    switch (random.nextInt(8)) {
      case 0, 1 -> take();
      case 2 -> work();
      case 3 -> peer.ready(!one(3));
      case 4 -> {
        if (one(40)) {
          peer.after(Duration.ofSeconds(one(2) ? 1 : 10));
        }
      }
      default -> {
        return traffic();
      }
    }
    return true;
  }

  private boolean traffic() {
    var requestGoes = !request.done() && !(local && response.begun);
    var responseGoes =
        !response.done() && (local ? mayAnswerItself() : envoy.request().headersGone());
    if (requestGoes && (!responseGoes || one(2))) {
      requestBegun = true;
      request(request.next());
    } else if (responseGoes && (!local || requestBegun || one(2))) {
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
      case Event.Headers(var end) ->
        envoy.requestHeaders(end, ":method", "POST", ":path", "/", "content-length", "5");
      case Event.Data(var data, var end) -> envoy.requestData(data, end);
      case Event.Trailers trailers -> envoy.requestTrailers();
    }
  }

  private void response(Event event) {
    switch (event) {
      case Event.Headers(var end) -> envoy.responseHeaders(end, ":status", "200");
      case Event.Data(var data, var end) -> envoy.responseData(data, end);
      case Event.Trailers trailers -> envoy.responseTrailers();
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

  /** All that is on its way arrives. @return whether anything was */
  private boolean drain() {
    peer.ready(true);
    return take() | work();
  }

  private void bounded() {
    var mode = settings.mode();
    bounded(mode.getRequestBodyMode(), Direction.REQUEST, processor.request);
    bounded(mode.getResponseBodyMode(), Direction.RESPONSE, processor.response);
  }

  /** What may be gathered, what the processor held back until now, and a message with its answer. */
  private void bounded(BodySendMode mode, Direction direction, Plan plan) {
    if (mode != BodySendMode.FULL_DUPLEX_STREAMED || settings.observability()) {
      return;
    }
    var gathered = plan.wish == BodyWish.WHOLE ? Erratic.GATHERS : 0;
    var replaced = plan.replacement == null ? 0 : script(direction).all().size();
    var bound = gathered + replaced + plan.mostHeld + 2 * MAX_CHUNK;
    var held = peer.held(direction);
    check(held <= bound, "holds " + held + " bytes, bound " + bound, End.THROUGH);
  }

  private Script script(Direction direction) {
    return direction == Direction.REQUEST ? request : response;
  }

  private void went(String which, EnvoyFilter.Side side, Script script, Plan plan) {
    if (!script.done() || !script.begun) {
      return; // A local reply ended the request early.
    }
    check(!side.waiting(), "a message of the " + which + " was never answered", End.THROUGH);
    check(side.ended(), "the " + which + " never ended", End.THROUGH);
    var in = script.all();
    var out = side.passed();
    if (plan.replacement != null) {
      check(out.equals(plan.replacement), "the " + which + " was not replaced", End.THROUGH);
      return;
    }
    check(
        out.size() == in.size(),
        "the " + which + " has " + out.size() + " bytes of " + in.size(),
        End.THROUGH);
    var plain = 0;
    var made = 0;
    for (var i = 0; i < in.size(); i++) {
      plain += out.byteAt(i) == in.byteAt(i) ? 1 : 0;
      made += out.byteAt(i) == made(in.byteAt(i)) ? 1 : 0;
    }
    check(plain + made == in.size(), "bytes of the " + which + " were changed", End.THROUGH);
    if (plan.wish == BodyWish.UNSEEN) {
      check(made == 0, "the " + which + " was to be left alone", End.THROUGH);
    } else if (plan.wish != BodyWish.PART && !plan.letPass && !unseen(which)) {
      check(plain == 0, plain + " bytes of the " + which + " passed unseen", End.THROUGH);
    }
  }

  /** Where the mode brings nothing and Envoy shows nothing of that: it did not heed an override, or tells no mode. */
  private boolean unseen(String which) {
    var configured = which.equals("request")
        ? settings.mode().getRequestBodyMode()
        : settings.mode().getResponseBodyMode();
    var doubtful = (processor.overrode && !settings.allowModeOverride()) || !settings.sendsConfig();
    return doubtful
        && configured == BodySendMode.NONE
        && (which.equals("response")
            || local
            || settings.mode().getResponseHeaderMode() == HeaderSendMode.SKIP);
  }

  private static End check(boolean kept, String rule, End end) {
    if (!kept) {
      throw new AssertionError(rule);
    }
    return end;
  }

  private boolean one(int of) {
    return random.nextInt(of) == 0;
  }

  private static byte made(byte plain) {
    return (byte) (plain ^ 0x80);
  }

  private static ByteString made(ByteString plain) {
    var bytes = plain.toByteArray();
    for (var i = 0; i < bytes.length; i++) {
      bytes[i] = made(bytes[i]);
    }
    return ByteString.copyFrom(bytes);
  }

  private sealed interface Event {
    record Headers(boolean end) implements Event {}

    record Data(ByteString data, boolean end) implements Event {}

    record Trailers() implements Event {}
  }

  /** What one direction brings: headers, chunks, trailers. */
  private final class Script {
    private final Queue<Event> events = new ArrayDeque<>();
    private ByteString all = ByteString.EMPTY;
    private boolean begun;

    Script() {
      var chunks = one(3) ? 0 : random.nextInt(6);
      var trailers = one(4);
      var lone = chunks == 0 && !trailers;
      events.add(new Event.Headers(lone));
      for (var i = 1; i <= chunks; i++) {
        var bytes = new byte[one(5) ? 0 : random.nextInt(MAX_CHUNK + 1)];
        for (var b = 0; b < bytes.length; b++) {
          bytes[b] = (byte) random.nextInt(128);
        }
        var data = ByteString.copyFrom(bytes);
        all = all.concat(data);
        events.add(new Event.Data(data, i == chunks && !trailers));
      }
      if (trailers) {
        events.add(new Event.Trailers());
      }
    }

    boolean done() {
      return events.isEmpty();
    }

    Event next() {
      begun = true;
      return events.remove();
    }

    ByteString all() {
      return all;
    }
  }

  /** What the processor means to do with one direction. */
  private static final class Plan {
    private BodyWish wish = BodyWish.UNSEEN;
    private @Nullable ByteString replacement;
    private ByteString held = ByteString.EMPTY;
    private int mostHeld;
    private boolean letPass;
  }

  /** Does whatever a processor may do: turns bytes, holds them back, replaces, refuses, throws, takes its time. */
  private final class Erratic implements Processor {
    static final int GATHERS = 100;
    private static final Reply REFUSAL =
        new Reply.Respond(500, HeaderChanges.NONE, ByteString.EMPTY, "refused");
    private static final HeaderChanges CHANGES =
        HeaderChanges.builder().remove("x-a").overwrite("x-b", "b").build();

    private final SplittableRandom random;
    private final Plan request = new Plan();
    private final Plan response = new Plan();
    private final StringBuilder said = new StringBuilder();
    private boolean mayFail;
    private boolean overrode;

    Erratic(SplittableRandom random) {
      this.random = random;
    }

    @Override
    public Reply headers(HeadersMessage headers) {
      var plan = plan(headers.direction());
      return perhapsLater(() -> {
        if (one(12)) {
          plan.replacement = bytes();
          return say(new Reply.NewBody(changes(), plan.replacement));
        }
        var wish = BodyWish.values()[random.nextInt(BodyWish.values().length)];
        plan.wish = wish;
        var go = Reply.Continue.of(changes(), wish);
        if (!one(5)) {
          return say(go);
        }
        overrode = true;
        return say(go.with(new ModeOverride(
            headers.direction() == Direction.REQUEST ? wanted() : null,
            wanted(),
            Sending.values()[random.nextInt(3)],
            Sending.values()[random.nextInt(3)],
            Sending.values()[random.nextInt(3)])));
      });
    }

    @Override
    public Reply body(Direction direction, ByteString body) {
      return perhapsLater(() -> say(new Reply.NewBody(changes(), made(body))));
    }

    @Override
    public Reply chunk(Direction direction, ByteString piece, boolean last) {
      var plan = plan(direction);
      return perhapsLater(() -> {
        var all = plan.held.concat(piece);
        var keep = last || !mayHold(direction) ? 0 : random.nextInt(all.size() + 1);
        plan.held = all.substring(all.size() - keep);
        plan.mostHeld = Math.max(plan.mostHeld, keep);
        return say(
            new Reply.NewBody(HeaderChanges.NONE, made(all.substring(0, all.size() - keep))));
      });
    }

    /** Where trailers may follow a chunk that must be answered, nothing may be held back. */
    private boolean mayHold(Direction direction) {
      var mode = direction == Direction.REQUEST
          ? settings.mode().getRequestBodyMode()
          : settings.mode().getResponseBodyMode();
      return mode == BodySendMode.FULL_DUPLEX_STREAMED;
    }

    @Override
    public Reply trailers(Direction direction, List<HeaderValue> trailers) {
      return perhapsLater(() -> say(Reply.Continue.of(changes(), BodyWish.UNSEEN)));
    }

    @Override
    public long gathers(Direction direction) {
      return GATHERS;
    }

    @Override
    public Reply failed(Direction direction, Failure failure) {
      said.append(' ').append(failure.cause());
      var plan = plan(direction);
      if (one(20)) {
        mayFail = true;
        throw new IllegalStateException("cannot even fail");
      }
      if (plan.held.isEmpty() && one(3)) {
        plan.letPass = true;
        if (failure.cause() == Cause.BODY_UNAVAILABLE) {
          plan.replacement = null;
        }
        return Reply.UNCHANGED;
      }
      if (one(4)) {
        mayFail = true;
        return new Reply.Fail("failed");
      }
      return REFUSAL;
    }

    private interface Say {
      Reply reply();
    }

    private Reply perhapsLater(Say say) {
      var dice = random.nextInt(400);
      if (dice < 4) {
        throw new IllegalStateException("a bug");
      }
      if (dice < 8) {
        return say(REFUSAL);
      }
      if (dice < 10) {
        mayFail = true;
        return say(new Reply.Fail("failed"));
      }
      if (dice < 12) {
        return new Reply.Later(() -> {
          throw new IllegalStateException("a bug elsewhere");
        });
      }
      return dice < 60 ? new Reply.Later(() -> say::reply) : say.reply();
    }

    private Reply say(Reply reply) {
      said.append(' ').append(reply.getClass().getSimpleName());
      if (reply instanceof Reply.Continue go) {
        said.append(go.wish()).append(go.override() == null ? "" : go.override());
      }
      return reply;
    }

    private @Nullable BodyMode wanted() {
      var dice = random.nextInt(6);
      return switch (dice) {
        case 0 -> BodyMode.NONE;
        case 1 -> BodyMode.BUFFERED;
        case 2 -> BodyMode.BUFFERED_PARTIAL;
        case 3 -> BodyMode.STREAMED;
        default -> null;
      };
    }

    private Plan plan(Direction direction) {
      return direction == Direction.REQUEST ? request : response;
    }

    private HeaderChanges changes() {
      return one(2) ? CHANGES : HeaderChanges.NONE;
    }

    private ByteString bytes() {
      return ByteString.copyFrom(new byte[random.nextInt(MAX_CHUNK)]);
    }

    private boolean one(int of) {
      return random.nextInt(of) == 0;
    }
  }
}
