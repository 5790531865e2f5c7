package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.stream.BodyWish;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.Reply;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
    /** @param readLater whether steps of the response look at what these make of the request, which a ready-made reply does not keep */
    static Way request(
        List<Step> steps, long bodyLimit, boolean guardsResponse, boolean readLater) {
      return new Way(
          List.copyOf(steps),
          bodyLimit,
          guardsResponse,
          readLater && !steps.isEmpty() ? null : fixed(Direction.REQUEST, steps, guardsResponse));
    }

    static Way response(List<Step> steps, long bodyLimit) {
      return new Way(List.copyOf(steps), bodyLimit, false, fixed(Direction.RESPONSE, steps, false));
    }

    private static @Nullable Fixed fixed(
        Direction direction, List<Step> steps, boolean guardsResponse) {
      return steps.stream().allMatch(Step::isFixed) && !nameTag(steps)
          ? Fixed.of(direction, steps, guardsResponse)
          : null;
    }

    /** Whether steps of the response read the request's body. */
    boolean keepsBody() {
      return !steps.isEmpty() && steps.getLast().waits() == Step.Waits.KEEPS_BODY;
    }

    /** An entity tag that the steps change, the edits change further: a ready-made reply does not tell them how. */
    private static boolean nameTag(List<Step> steps) {
      return steps.stream()
          .flatMap(step -> step.changes().stream())
          .anyMatch(change -> change.contains("etag"));
    }
  }

  /**
   * @param replies the answer to the headers, by what is wished of the body
   * @param gzipReplies the same for a client that takes gzip
   * @param edits all the steps' edits of the body, in order
   * @param edited what they change, for people
   */
  record Fixed(
      Map<BodyWish, Reply.Continue> replies,
      Map<BodyWish, Reply.Continue> gzipReplies,
      List<BodyEdit> edits,
      List<String> headerChanges,
      List<String> edited) {
    static Fixed of(Direction direction, List<Step> steps, boolean guardsResponse) {
      var replies = new EnumMap<BodyWish, Reply.Continue>(BodyWish.class);
      var gzipReplies = new EnumMap<BodyWish, Reply.Continue>(BodyWish.class);
      for (var wish : BodyWish.values()) {
        replies.put(wish, reply(direction, steps, guardsResponse, wish, false));
        gzipReplies.put(wish, reply(direction, steps, guardsResponse, wish, true));
      }
      var edits = new ArrayList<BodyEdit>();
      var headerChanges = new ArrayList<String>();
      var edited = new ArrayList<String>();
      for (var step : steps) {
        headerChanges.addAll(step.changes());
        if (step.body() instanceof BodyStep.Edit edit && edit.fixed() != null) {
          edits.add(edit.fixed());
          edited.addAll(edit.changes());
        }
      }
      return new Fixed(
          replies,
          gzipReplies,
          List.copyOf(edits),
          List.copyOf(headerChanges),
          List.copyOf(edited));
    }

    private static Reply.Continue reply(
        Direction direction,
        List<Step> steps,
        boolean guardsResponse,
        BodyWish wish,
        boolean gzip) {
      var edits = new HeaderEdits(null);
      for (var step : steps) {
        Objects.requireNonNull(step.headers().fixed()).applyTo(edits);
        if (step.status() != null) {
          edits.set(":status", step.status());
        }
      }
      if (guardsResponse) {
        ResponseGuard.keepReadable(edits, gzip);
      }
      return Reply.Continue.prebuilt(direction, edits.changes(), wish);
    }

    Reply.Continue reply(BodyWish wish, boolean gzip) {
      return Objects.requireNonNull((gzip ? gzipReplies : replies).get(wish));
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
