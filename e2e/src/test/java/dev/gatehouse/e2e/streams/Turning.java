package dev.gatehouse.e2e.streams;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.stream.BodyMode;
import dev.gatehouse.extproc.stream.BodyWish;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.HeaderChanges;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.ModeOverride;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.extproc.stream.Reply;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** Turns the highest bit of every byte that it gets, in whatever way its modes allow: as a whole, in chunks that it holds back, late. */
final class Turning implements Processor {
  private static final HeaderChanges SEEN =
      HeaderChanges.builder().overwrite("x-seen", "1").build();

  private final SplittableRandom random;
  private final Plan request;
  private final Plan response;
  private final StringBuilder said = new StringBuilder();

  /** @param heeded mode overrides are */
  Turning(
      SplittableRandom random,
      BodySendMode request,
      BodySendMode response,
      boolean heeded,
      boolean observed) {
    this.random = random;
    var duplex = request == BodySendMode.FULL_DUPLEX_STREAMED
        || response == BodySendMode.FULL_DUPLEX_STREAMED;
    var overrides = heeded && !duplex;
    this.request = observed ? new Plan() : plan(request, overrides);
    this.response = observed ? new Plan() : plan(response, overrides);
  }

  private Plan plan(BodySendMode configured, boolean overrides) {
    var plan = new Plan();
    var override = overrides && random.nextInt(4) == 0;
    var mode = override
        ? List.of(BodySendMode.NONE, BodySendMode.BUFFERED, BodySendMode.STREAMED)
            .get(random.nextInt(3))
        : configured;
    plan.mode = mode;
    plan.override = switch (override ? mode : BodySendMode.UNRECOGNIZED) {
      case NONE -> BodyMode.NONE;
      case BUFFERED -> BodyMode.BUFFERED;
      case STREAMED -> BodyMode.STREAMED;
      case BUFFERED_PARTIAL, FULL_DUPLEX_STREAMED, UNRECOGNIZED -> null;
    };
    if (random.nextInt(12) == 0) {
      plan.replacement = ByteString.copyFrom(new byte[random.nextInt(100_000)]);
      return plan;
    }
    var wishes = override ? grantedBy(configured, mode) : granted(mode);
    plan.wish = wishes.get(random.nextInt(wishes.size()));
    return plan;
  }

  private static List<BodyWish> granted(BodySendMode mode) {
    return switch (mode) {
      case NONE, BUFFERED_PARTIAL -> List.of(BodyWish.UNSEEN, BodyWish.PART);
      case STREAMED -> List.of(BodyWish.UNSEEN, BodyWish.PART, BodyWish.CHUNKS);
      case BUFFERED, FULL_DUPLEX_STREAMED, UNRECOGNIZED -> List.of(BodyWish.values());
    };
  }

  /** A stream cannot know that an override was heeded where what comes could also be what was configured: then it refuses. */
  private static List<BodyWish> grantedBy(BodySendMode configured, BodySendMode mode) {
    return switch (configured) {
      case NONE, FULL_DUPLEX_STREAMED, UNRECOGNIZED -> granted(mode);
      case BUFFERED_PARTIAL -> granted(BodySendMode.BUFFERED_PARTIAL);
      case STREAMED, BUFFERED ->
        mode == configured || mode == BodySendMode.NONE
            ? granted(mode)
            : granted(BodySendMode.STREAMED);
    };
  }

  @Override
  public String toString() {
    return "request " + request + ", response " + response + ":" + said;
  }

  Plan request() {
    return request;
  }

  Plan response() {
    return response;
  }

  private Plan plan(Direction direction) {
    return direction == Direction.REQUEST ? request : response;
  }

  @Override
  public Reply headers(HeadersMessage headers) {
    var plan = plan(headers.direction());
    return perhapsLate(() -> {
      if (plan.replacement != null) {
        return say(new Reply.NewBody(SEEN, plan.replacement));
      }
      var go = Reply.Continue.of(SEEN, plan.wish);
      if (plan.override == null) {
        return say(go);
      }
      return say(go.with(
          headers.direction() == Direction.REQUEST
              ? new ModeOverride(
                  plan.override,
                  null,
                  ModeOverride.Sending.SEND,
                  ModeOverride.Sending.SEND,
                  ModeOverride.Sending.SEND)
              : new ModeOverride(
                  null,
                  plan.override,
                  ModeOverride.Sending.SEND,
                  ModeOverride.Sending.SEND,
                  ModeOverride.Sending.SEND)));
    });
  }

  @Override
  public Reply body(Direction direction, ByteString body) {
    return perhapsLate(() -> say(new Reply.NewBody(SEEN, turned(body))));
  }

  @Override
  public Reply chunk(Direction direction, ByteString piece, boolean last) {
    var plan = plan(direction);
    return perhapsLate(() -> {
      var all = plan.held.concat(piece);
      var holds = plan.mode == BodySendMode.FULL_DUPLEX_STREAMED && !last;
      var keep = holds ? random.nextInt(all.size() + 1) : 0;
      plan.held = all.substring(all.size() - keep);
      return say(
          new Reply.NewBody(HeaderChanges.NONE, turned(all.substring(0, all.size() - keep))));
    });
  }

  @Override
  public Reply trailers(Direction direction, List<HeaderValue> trailers) {
    return perhapsLate(() -> say(Reply.Continue.of(SEEN, BodyWish.UNSEEN)));
  }

  @Override
  public Reply failed(Direction direction, Failure failure) {
    said.append(' ').append(failure);
    return new Reply.Fail(failure.why());
  }

  private interface Say {
    Reply reply();
  }

  private Reply perhapsLate(Say say) {
    return random.nextInt(4) == 0 ? new Reply.Later(() -> say::reply) : say.reply();
  }

  private Reply say(Reply reply) {
    said.append(' ').append(reply.getClass().getSimpleName());
    return reply;
  }

  private static byte turned(byte plain) {
    return (byte) (plain ^ 0x80);
  }

  private static ByteString turned(ByteString plain) {
    var bytes = plain.toByteArray();
    for (var i = 0; i < bytes.length; i++) {
      bytes[i] = turned(bytes[i]);
    }
    return ByteString.copyFrom(bytes);
  }

  /** What is done with one direction. */
  static final class Plan {
    private BodySendMode mode = BodySendMode.NONE;
    private BodyWish wish = BodyWish.UNSEEN;
    private @Nullable BodyMode override;
    private @Nullable ByteString replacement;
    private ByteString held = ByteString.EMPTY;

    boolean replaces() {
      return replacement != null;
    }

    /** Whether what came out is what had to be made of what went in. */
    void check(List<ByteString> chunks, ByteString out) {
      var in = ByteString.copyFrom(chunks);
      if (replacement != null) {
        assertThat(out).as("replaced").isEqualTo(replacement);
        return;
      }
      assertThat(out.size()).as("bytes").isEqualTo(in.size());
      var turned = 0;
      for (var i = 0; i < in.size(); i++) {
        if (out.byteAt(i) == turned(in.byteAt(i))) {
          turned++;
        } else {
          assertThat(out.byteAt(i)).as("byte %s", i).isEqualTo(in.byteAt(i));
        }
      }
      switch (wish) {
        case UNSEEN -> assertThat(turned).as("turned").isZero();
        case PART -> {
          if (mode != BodySendMode.BUFFERED_PARTIAL) {
            assertThat(turned).isEqualTo(mode == BodySendMode.NONE ? 0 : in.size());
          }
        }
        case CHUNKS, WHOLE -> assertThat(turned).as("turned").isEqualTo(in.size());
      }
    }

    @Override
    public String toString() {
      return mode + " " + (replacement == null ? wish : "REPLACED");
    }
  }
}
