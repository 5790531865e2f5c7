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
          steps.stream().allMatch(Step::isFixed) && !nameTag(steps)
              ? Fixed.of(direction, steps, guardsResponse)
              : null);
    }

    /** An entity tag that the steps change, the edits change further: a ready-made reply does not tell them how. */
    private static boolean nameTag(List<Step> steps) {
      return steps.stream()
          .flatMap(step -> step.changes().stream())
          .anyMatch(change -> change.contains("etag"));
    }
  }

  /**
   * @param replies by {@link #reply}'s index
   * @param json all the steps' edits, in order
   */
  record Fixed(
      List<Reply.Continue> replies,
      List<JsonEdits> json,
      List<String> headerChanges,
      List<String> jsonChanges) {
    static Fixed of(Direction direction, List<Step> steps, boolean guardsResponse) {
      var replies = new ArrayList<Reply.Continue>();
      for (var wish : BodyWish.values()) {
        replies.add(reply(direction, steps, guardsResponse, wish, false));
        replies.add(reply(direction, steps, guardsResponse, wish, true));
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

    private static Reply.Continue reply(
        Direction direction,
        List<Step> steps,
        boolean guardsResponse,
        BodyWish wish,
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
      return Reply.Continue.prebuilt(direction, edits.changes(), wish);
    }

    private static ByteString constant(Text text) {
      return ((Text.Constant) text).bytes();
    }

    Reply.Continue reply(BodyWish wish, boolean gzip) {
      return replies.get(2 * wish.ordinal() + (gzip ? 1 : 0));
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
