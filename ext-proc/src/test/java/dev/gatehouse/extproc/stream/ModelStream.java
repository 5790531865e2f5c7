package dev.gatehouse.extproc.stream;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.gatehouse.extproc.DirectPeer;
import dev.gatehouse.extproc.RandomTraffic;
import dev.gatehouse.extproc.RandomTraffic.Script;
import dev.gatehouse.extproc.stream.ModeOverride.Sending;
import dev.gatehouse.testkit.EnvoyFilter;
import dev.gatehouse.testkit.EnvoyStream.StreamFailed;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.HeaderSendMode;
import java.util.ArrayList;
import java.util.List;
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

  private static final int MAX_CHUNK = 40;
  private static final String NAMESPACE = "ours";

  /** Of bytes that may be gathered: less than one direction may. */
  private static final long LITTLE = 30;

  private static final long PLENTY = 1 << 20;

  private final SplittableRandom random;
  private final EnvoyFilter.Settings settings;
  private final boolean local;
  private final Erratic processor;
  private final Script request;
  private final Script response;
  private final RandomTraffic traffic;
  private final DirectPeer peer;
  private final EnvoyFilter envoy;

  ModelStream(int number) {
    random = new SplittableRandom(20261125L + number);
    settings = RandomTraffic.settings(random);
    local = one(12);
    processor = new Erratic(random.split());
    request = script(":method", "POST", ":path", "/", "content-length", "5");
    response = script(":status", "200");
    traffic = new RandomTraffic(
        random.split(), settings, local, one(8) ? LITTLE : PLENTY, processor, request, response);
    peer = traffic.peer();
    envoy = traffic.envoy();
  }

  /** Bytes below 128, so that it shows which of them the processor has made. */
  private Script script(String... headers) {
    var pieces = new ArrayList<ByteString>();
    for (var i = one(3) ? 0 : random.nextInt(6); i > 0; i--) {
      var bytes = new byte[one(5) ? 0 : random.nextInt(MAX_CHUNK + 1)];
      for (var b = 0; b < bytes.length; b++) {
        bytes[b] = (byte) random.nextInt(128);
      }
      pieces.add(ByteString.copyFrom(bytes));
    }
    return new Script(pieces, one(4), headers);
  }

  @Override
  public String toString() {
    return settings + " " + processor.said + (local ? " local reply" : "");
  }

  End run() {
    var end = untilItEnds();
    if (end == End.THROUGH || end == End.OBSERVED) {
      check(
          peer.gathered() == 0 || !request.done() || !response.done(),
          peer.gathered() + " bytes are gathered for nobody",
          end);
      traffic.cancel();
    }
    return check(peer.gathered() == 0, peer.gathered() + " bytes were never given back", end);
  }

  private End untilItEnds() {
    try {
      while (envoy.immediate() == null) {
        if (one(400)) {
          traffic.cancel();
          return check(peer.timers() == 0, "a timer outlives its stream", End.CANCELLED);
        }
        if (!traffic.goesOn()) {
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
    if (processor.failures == 0 && request.done() && response.done()) {
      var told = envoy.told().getFieldsOrDefault(NAMESPACE, Value.getDefaultInstance());
      check(
          told.getStructValue().getFieldsCount() == processor.told,
          "metadata was told " + processor.told + " times, heard " + told,
          End.THROUGH);
    }
    return End.THROUGH;
  }

  private void bounded() {
    var mode = settings.mode();
    bounded(mode.getRequestBodyMode(), Direction.REQUEST, processor.request);
    bounded(mode.getResponseBodyMode(), Direction.RESPONSE, processor.response);
  }

  /**
   * Where Envoy keeps what it has sent, one message that is not answered. Where it does not, what may be gathered, what the processor
   * held back until now, and a message with its answer.
   */
  private void bounded(BodySendMode mode, Direction direction, Plan plan) {
    if (settings.observability()) {
      return;
    }
    if (mode != BodySendMode.FULL_DUPLEX_STREAMED) {
      check(
          plan.replacement != null || peer.unanswered(direction) <= 1,
          peer.unanswered(direction) + " messages wait for their answers",
          End.THROUGH);
      return;
    }
    var gathered = plan.wish == BodyWish.WHOLE ? Erratic.GATHERS : 0;
    var replaced = plan.replacement == null ? 0 : script(direction).all().size();
    var bound = gathered + replaced + plan.mostHeld + MAX_CHUNK;
    var held = peer.held(direction);
    check(held <= bound, "holds " + held + " bytes, bound " + bound, End.THROUGH);
  }

  private Script script(Direction direction) {
    return direction == Direction.REQUEST ? request : response;
  }

  private void went(String which, EnvoyFilter.Side side, Script script, Plan plan) {
    if (!script.done() || !script.begun()) {
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

  /** What the processor means to do with one direction. */
  private static final class Plan {
    private BodyWish wish = BodyWish.UNSEEN;
    private @Nullable ByteString replacement;
    private ByteString held = ByteString.EMPTY;
    private int mostHeld;
    private boolean letPass;

    /** Some of the answer to a piece has been said. */
    private boolean begun;
  }

  /** Does whatever a processor may do: turns bytes, holds them back, replaces, refuses, throws, takes its time. */
  private final class Erratic implements Processor {
    static final int GATHERS = 60;
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
    private int failures;
    private int told;

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
      plan.begun = false;
      return perhapsLater(() -> {
        var all = plan.held.concat(piece);
        var keep = last || !mayHold(direction) ? 0 : random.nextInt(all.size() + 1);
        plan.held = all.substring(all.size() - keep);
        plan.mostHeld = Math.max(plan.mostHeld, keep);
        return inPortions(direction, made(all.substring(0, all.size() - keep)));
      });
    }

    /** All of it, or one part after the other where the mode allows for that. */
    private Reply inPortions(Direction direction, ByteString all) {
      if (!mayHold(direction) || one(3)) {
        return say(new Reply.NewBody(HeaderChanges.NONE, all));
      }
      plan(direction).begun = true;
      var first = random.nextInt(all.size() + 1);
      return say(new Reply.Portion(
          HeaderChanges.NONE,
          all.substring(0, first),
          () -> () -> inPortions(direction, all.substring(first))));
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
      failures++;
      var plan = plan(direction);
      if (one(20)) {
        mayFail = true;
        throw new IllegalStateException("cannot even fail");
      }
      if (plan.held.isEmpty() && !plan.begun && one(3)) {
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
      return remember(
          switch (one(5) ? reply : Reply.UNCHANGED) {
            case Reply.Continue go when go == reply -> go.with(another());
            case Reply.NewBody body -> new Reply.NewBody(body.changes(), body.body(), another());
            default -> reply;
          });
    }

    /** Metadata of a name that was not used before. */
    private DynamicMetadata another() {
      var name = Integer.toString(told++);
      return DynamicMetadata.of(
          NAMESPACE,
          Struct.newBuilder().putFields(name, Value.getDefaultInstance()).build());
    }

    private Reply remember(Reply reply) {
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
