package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.json.JsonEdits;
import dev.gatehouse.extproc.stream.BodyWish;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.Reply;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A TransformPolicy, compiled. One object for all the routes that it holds for; immutable.
 *
 * @param policy {@code namespace/name}
 */
public record TransformPlan(
    String policy,
    boolean passUnprocessable,
    boolean transformLocalReplies,
    Way request,
    Way response) {

  /** Plans are told apart by identity: two policies that say the same are still two policies. */
  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }

  Way way(Direction direction) {
    return direction == Direction.REQUEST ? request : response;
  }

  /**
   * What is done in one direction.
   *
   * @param bodyLimit in bytes, before and after decoding
   * @param guardsResponse request only: response steps read the body, so the upstream must send the whole of it in a coding that can be read
   * @param fixed the ready-made replies where every message is treated alike; null where it is not
   */
  record Way(
      List<Step> steps,
      long bodyLimit,
      boolean guardsResponse,
      @Nullable Fixed fixed) {
    static Way of(Direction direction, List<Step> steps, long bodyLimit, boolean guardsResponse) {
      return new Way(
          List.copyOf(steps),
          bodyLimit,
          guardsResponse,
          steps.stream().allMatch(Step::isFixed)
              ? Fixed.of(direction, steps, guardsResponse)
              : null);
    }
  }

  /**
   * @param replies by {@link #reply}'s index
   * @param json all the steps' edits, in order
   */
  record Fixed(
      List<Reply> replies,
      List<JsonEdits> json,
      List<String> headerChanges,
      List<String> jsonChanges) {
    private static final int AWAITS_BODY = 1;
    private static final int GZIP = 2;

    static Fixed of(Direction direction, List<Step> steps, boolean guardsResponse) {
      var replies = new ArrayList<Reply>();
      for (var i = 0; i < 4; i++) {
        replies.add(
            reply(direction, steps, guardsResponse, (i & AWAITS_BODY) != 0, (i & GZIP) != 0));
      }
      var json = new ArrayList<JsonEdits>();
      var headerChanges = new ArrayList<String>();
      var jsonChanges = new ArrayList<String>();
      for (var step : steps) {
        headerChanges.addAll(step.changes());
        if (step.json() != null && step.json().ready() != null) {
          json.add(step.json().ready());
          jsonChanges.addAll(step.json().changes());
        }
      }
      return new Fixed(
          List.copyOf(replies),
          List.copyOf(json),
          List.copyOf(headerChanges),
          List.copyOf(jsonChanges));
    }

    private static Reply reply(
        Direction direction,
        List<Step> steps,
        boolean guardsResponse,
        boolean awaits,
        boolean gzip) {
      var edits = new HeaderEdits(null);
      for (var step : steps) {
        step.headers().remove().forEach(edits::remove);
        step.headers().set().forEach((name, value) -> edits.set(name, constant(value)));
        step.headers().add().forEach((name, value) -> edits.add(name, constant(value)));
        if (step.status() != null) {
          edits.set(":status", step.status());
        }
      }
      if (guardsResponse) {
        ResponseGuard.keepReadable(edits, gzip);
      }
      return Reply.Continue.prebuilt(
          direction, edits.changes(), awaits ? BodyWish.WHOLE : BodyWish.UNSEEN);
    }

    private static ByteString constant(Text text) {
      return ((Text.Constant) text).bytes();
    }

    Reply reply(boolean awaitsBody, boolean gzip) {
      return replies.get((awaitsBody ? AWAITS_BODY : 0) | (gzip ? GZIP : 0));
    }
  }

  /** What keeps a client from switching response steps off with a coding that is not read or a part of the body. */
  static final class ResponseGuard {
    private static final ByteString GZIP = ByteString.copyFromUtf8("gzip");
    private static final ByteString IDENTITY = ByteString.copyFromUtf8("identity");

    private ResponseGuard() {}

    static boolean acceptsGzip(HeadersMessage request) {
      return ContentCoding.acceptsGzip(request.first("accept-encoding"));
    }

    static void keepReadable(HeaderEdits request, boolean gzip) {
      request.remove("range");
      request.remove("if-range");
      request.set("accept-encoding", gzip ? GZIP : IDENTITY);
    }
  }
}
