package dev.gatehouse.extproc.stream;

import dev.gatehouse.extproc.stream.ModeOverride.Sending;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The order of one stream's messages, and what may be answered to each: pure, (state, event) → (state, action).
 *
 * <p>A direction goes headers → body → trailers; any of them may be left out by the processing mode, and the response may come
 * without the request, or while the request's body is still on its way. Each message is answered once, by its mirror, or by an
 * immediate response that ends the stream; in observability mode none is. Under FULL_DUPLEX_STREAMED a body is answered by any number
 * of chunks, after the answer to the headers and before that to the trailers.
 */
final class StreamMachine {
  private StreamMachine() {}

  /** How far a direction is. */
  enum Phase {
    NEW,
    /** Headers were seen, or skipped by the mode: a body or trailers may follow. */
    OPEN,
    /** Some of the body was seen: more of it, or trailers, may follow. */
    FLOWING,
    /** The whole body was seen: only trailers may follow. */
    BODY_SEEN,
    /**
     * Replaced at the headers: what Envoy has sent of the body before it knew is not answered. Trailers come only if a mode override of
     * the other direction has asked for them again.
     */
    REPLACED,
    ENDED
  }

  /** What is done with a direction's body. */
  enum Treatment {
    PASS,
    PART,
    CHUNKS,
    WHOLE,
    /** Dropped for a body that is known already (FULL_DUPLEX_STREAMED, which knows no CONTINUE_AND_REPLACE). */
    REPLACE
  }

  /**
   * @param mode that holds now, as far as we know
   * @param configured where an override asked for another mode, the one that holds if Envoy did not heed it; else the mode
   */
  record Half(BodyMode mode, BodyMode configured, Phase phase, Treatment treatment) {
    static Half of(BodyMode mode) {
      return new Half(mode, mode, Phase.NEW, Treatment.PASS);
    }

    Half at(Phase next) {
      return next == phase ? this : new Half(mode, configured, next, treatment);
    }

    Half learnt(BodyMode is) {
      return is == mode && configured != BodyMode.NONE
          ? this
          : new Half(is, configured == BodyMode.NONE ? is : configured, phase, treatment);
    }

    Half asked(BodyMode wanted) {
      return wanted == mode ? this : new Half(wanted, configured, phase, treatment);
    }

    Half treating(Treatment how) {
      return how == treatment ? this : new Half(mode, configured, phase, how);
    }

    /** Whether Envoy has shown nothing yet of the mode that it was asked for. */
    boolean unconfirmed() {
      return mode != configured;
    }

    /** Whether a body message may be one of BUFFERED, where the content-length must fit. */
    boolean maybeBuffered() {
      return is(BodyMode.BUFFERED) || is(BodyMode.UNKNOWN);
    }

    /** Whether the body comes in chunks of STREAMED, beyond doubt. */
    boolean streams() {
      return mode == BodyMode.STREAMED && configured == BodyMode.STREAMED;
    }

    boolean is(BodyMode some) {
      return mode == some || configured == some;
    }

    boolean bodyIsOver() {
      return phase != Phase.NEW && phase != Phase.OPEN && phase != Phase.FLOWING;
    }
  }

  /**
   * @param observed observability mode: nothing is answered
   * @param early bodies do not wait for the answer to headers ({@code send_body_without_waiting_for_header_response}), so Envoy heeds
   *     no mode override
   * @param over answered finally: what still comes is not answered
   */
  record State(Half request, Half response, boolean observed, boolean early, boolean over) {
    static final State NEW = of(BodyMode.UNKNOWN, BodyMode.UNKNOWN, false, false);

    /** What the first message says of the stream. */
    static State of(BodyMode request, BodyMode response, boolean observed, boolean early) {
      return new State(Half.of(request), Half.of(response), observed, early, false);
    }

    Half half(Direction direction) {
      return direction == Direction.REQUEST ? request : response;
    }

    State with(Direction direction, Half half) {
      return direction == Direction.REQUEST
          ? new State(half, response, observed, early, over)
          : new State(request, half, observed, early, over);
    }

    /** The rest of the direction's body is of no interest. */
    State passing(Direction direction) {
      return with(direction, half(direction).treating(Treatment.PASS));
    }

    State end() {
      return new State(request, response, observed, early, true);
    }
  }

  /** What is done about a message. */
  enum Action {
    /** The processor is asked what to do with the headers. */
    ASK_HEADERS,
    /** The processor is asked what to do with the whole body. */
    ASK_BODY,
    /** The processor is asked what to do with a piece of the body. */
    ASK_CHUNK,
    /** The processor is asked what to do with the last piece of the body. */
    ASK_LAST_CHUNK,
    /** The chunk is kept. */
    GATHER,
    /** The chunk is kept, and the processor is asked what to do with all that were. */
    ASK_GATHERED,
    /** The answer to headers waits for a body, and there is none: the processor is asked about that. */
    ASK_NO_BODY,
    /** The body that is known already goes out in the old one's place. */
    SUBSTITUTE,
    /** The processor is asked what to do with the trailers. */
    ASK_TRAILERS,
    /** The mirror of the message, with nothing changed. */
    CONTINUE,
    /** The chunk itself (FULL_DUPLEX_STREAMED). */
    ECHO,
    SILENCE,
    /** The processor needs a body that does not come as it needs it; it is asked what to say instead. */
    BODY_CANNOT_COME,
    /** The response is here, and the request's body that a mode override asked for never came: it went by unseen. */
    REQUEST_BODY_UNSEEN,
    /** Not a message that may come now: the stream is failed. */
    OUT_OF_ORDER
  }

  /** What is done about a processor's reply. */
  enum Sequel {
    SEND,
    /** The answer to headers waits for the body, which Envoy sends without it (FULL_DUPLEX_STREAMED). */
    HOLD,
    WORK,
    /** It asks for a body that will not come so; it is asked what to say instead. */
    BODY_CANNOT_COME,
    /** Not a reply to such a message. */
    MISFIT,
    FAIL
  }

  /** A {@code mode_override} as it is said: complete. */
  record Modes(
      BodyMode requestBody,
      BodyMode responseBody,
      Sending responseHeaders,
      Sending requestTrailers,
      Sending responseTrailers) {}

  /** @param unfinished the rest of a body must go out before the answer to these trailers: what is done about it, or null */
  record Step(State next, Action action, @Nullable Action unfinished) {
    Step(State next, Action action) {
      this(next, action, null);
    }
  }

  /** @param modes the override that is said with the answer, or null */
  record Replied(State next, Sequel action, @Nullable Modes modes) {
    Replied(State next, Sequel action) {
      this(next, action, null);
    }
  }

  /**
   * A message came.
   *
   * @param endOfStream as it says
   * @param local headers of a response that Envoy made itself
   */
  static Step arrives(State state, Kind kind, boolean endOfStream, boolean local) {
    if (state.observed || state.over) {
      return new Step(state, Action.SILENCE);
    }
    var direction = kind.direction;
    var half = state.half(direction);
    return switch (kind) {
      case REQUEST_HEADERS, RESPONSE_HEADERS -> {
        if (half.phase != Phase.NEW) {
          yield outOfOrder(state);
        }
        var next = state.with(direction, half.at(endOfStream ? Phase.ENDED : Phase.OPEN));
        yield new Step(
            next,
            direction == Direction.RESPONSE && !local && wentByUnseen(state.request)
                ? Action.REQUEST_BODY_UNSEEN
                : Action.ASK_HEADERS);
      }
      case REQUEST_BODY, RESPONSE_BODY -> body(state, direction, half, endOfStream);
      case REQUEST_TRAILERS, RESPONSE_TRAILERS -> trailers(state, direction, half);
      case NONE -> outOfOrder(state);
    };
  }

  /** Whether this is the first of a direction, and not its headers. */
  static boolean leavesHeadersOut(State state, Kind kind) {
    return kind != Kind.NONE
        && kind != Kind.headers(kind.direction)
        && !state.observed
        && !state.over
        && state.half(kind.direction).phase == Phase.NEW;
  }

  private static Step body(State state, Direction direction, Half half, boolean last) {
    return switch (half.phase) {
      case REPLACED -> new Step(state, Action.SILENCE);
      case BODY_SEEN -> outOfOrder(state);
      // Envoy ≥ 1.35 may send the last chunk twice.
      case ENDED ->
        half.mode == BodyMode.FULL_DUPLEX ? new Step(state, Action.SILENCE) : outOfOrder(state);
      case NEW, OPEN, FLOWING -> {
        var now = learnt(half, last);
        var after = last ? Phase.ENDED : inOneMessage(now) ? Phase.BODY_SEEN : Phase.FLOWING;
        yield new Step(state.with(direction, now.at(after)), action(now, last));
      }
    };
  }

  /** What a body message shows of the mode: that an override was heeded, or was not, or, without a word of Envoy's, the mode itself. */
  private static Half learnt(Half half, boolean last) {
    return switch (half.mode) {
      // With an end it is the whole body, in whatever mode; without one it is a chunk, unless
      // trailers follow.
      case UNKNOWN, NONE -> half.learnt(last ? BodyMode.BUFFERED : BodyMode.STREAMED);
      // Without an end it may be the first of many, as it was configured.
      case BUFFERED, BUFFERED_PARTIAL ->
        half.configured == BodyMode.STREAMED && !last
            ? new Half(BodyMode.STREAMED, half.mode, half.phase, half.treatment)
            : half.learnt(half.mode);
      case STREAMED, FULL_DUPLEX -> half.learnt(half.mode);
    };
  }

  private static boolean inOneMessage(Half half) {
    return half.mode == BodyMode.BUFFERED || half.mode == BodyMode.BUFFERED_PARTIAL;
  }

  private static Action action(Half half, boolean last) {
    // Then the rest of the body may pass unseen; perhaps an override was not heeded.
    var mayBePartial = !last && half.is(BodyMode.BUFFERED_PARTIAL);
    return switch (half.treatment) {
      case PASS -> half.mode == BodyMode.FULL_DUPLEX ? Action.ECHO : Action.CONTINUE;
      case PART -> chunk(last || inOneMessage(half) || half.unconfirmed());
      case CHUNKS -> mayBePartial ? Action.BODY_CANNOT_COME : chunk(last || inOneMessage(half));
      case WHOLE -> {
        if (half.mode == BodyMode.FULL_DUPLEX) {
          yield last ? Action.ASK_GATHERED : Action.GATHER;
        }
        yield mayBePartial || !inOneMessage(half) ? Action.BODY_CANNOT_COME : Action.ASK_BODY;
      }
      case REPLACE -> last ? Action.SUBSTITUTE : Action.SILENCE;
    };
  }

  private static Action chunk(boolean last) {
    return last ? Action.ASK_LAST_CHUNK : Action.ASK_CHUNK;
  }

  private static Step trailers(State state, Direction direction, Half half) {
    if (half.phase == Phase.ENDED) {
      return outOfOrder(state);
    }
    if (half.phase == Phase.REPLACED) {
      return new Step(state.with(direction, half.at(Phase.ENDED)), Action.CONTINUE);
    }
    var next = state.with(direction, half.at(Phase.ENDED));
    return switch (half.phase) {
      case OPEN -> withoutBody(half, next);
      case FLOWING -> new Step(next, Action.ASK_TRAILERS, unfinished(half));
      case NEW, BODY_SEEN, REPLACED, ENDED -> new Step(next, Action.ASK_TRAILERS);
    };
  }

  /** What must still be done about a body that came in several messages, of which none said that it was the last. */
  private static @Nullable Action unfinished(Half half) {
    return switch (half.treatment) {
      case PASS -> null;
      case CHUNKS, PART -> Action.ASK_LAST_CHUNK;
      case WHOLE -> half.mode == BodyMode.FULL_DUPLEX ? Action.ASK_GATHERED : null;
      case REPLACE -> Action.SUBSTITUTE;
    };
  }

  /**
   * Trailers without a body before them: either there was none, or the mode did not send it. Under FULL_DUPLEX_STREAMED Envoy takes no
   * body then.
   */
  private static Step withoutBody(Half half, State next) {
    return switch (half.treatment) {
      case PASS, PART -> new Step(next, Action.ASK_TRAILERS);
      case REPLACE -> new Step(next, Action.BODY_CANNOT_COME);
      case CHUNKS, WHOLE ->
        switch (half.mode) {
          case FULL_DUPLEX -> new Step(next, Action.ASK_TRAILERS, Action.ASK_NO_BODY);
          case BUFFERED, STREAMED, UNKNOWN, NONE, BUFFERED_PARTIAL ->
            new Step(
                next,
                half.unconfirmed() || half.mode == BodyMode.UNKNOWN
                    ? Action.BODY_CANNOT_COME
                    : Action.ASK_TRAILERS);
        };
    };
  }

  /**
   * The response is here before any of the request's body: then the body does not come, for an override was not heeded, or, without a
   * word of Envoy's, the mode is another. Under STREAMED an upstream might have been that quick; that is taken for the same.
   */
  private static boolean wentByUnseen(Half request) {
    if (request.phase != Phase.OPEN) {
      return false;
    }
    var doubtful = request.configured == BodyMode.NONE && request.unconfirmed();
    return switch (request.treatment) {
      case WHOLE -> doubtful || request.mode == BodyMode.UNKNOWN;
      case CHUNKS -> doubtful;
      case PASS, PART, REPLACE -> false;
    };
  }

  /** The processor replied to the message. */
  static Replied replied(State state, Kind kind, Reply reply) {
    var toHeaders = kind == Kind.headers(kind.direction);
    return switch (reply) {
      case Reply.Continue go ->
        toHeaders ? toHeaders(state, kind.direction, go) : new Replied(state, Sequel.SEND);
      case Reply.NewBody newBody -> {
        if (kind == Kind.trailers(kind.direction)) {
          yield new Replied(state, Sequel.MISFIT);
        }
        var half = state.half(kind.direction);
        if (!toHeaders) {
          yield new Replied(state, Sequel.SEND);
        }
        var after = half.mode == BodyMode.FULL_DUPLEX && half.phase != Phase.ENDED
            ? half.treating(Treatment.REPLACE)
            : half.at(Phase.REPLACED);
        yield new Replied(state.with(kind.direction, after), Sequel.SEND);
      }
      case Reply.Portion portion ->
        new Replied(state, takesPortions(state, kind) ? Sequel.SEND : Sequel.MISFIT);
      case Reply.Respond respond -> new Replied(state.end(), Sequel.SEND);
      case Reply.Fail fail -> new Replied(state.end(), Sequel.FAIL);
      case Reply.Later later -> new Replied(state, Sequel.WORK);
    };
  }

  private static boolean takesPortions(State state, Kind kind) {
    var half = state.half(kind.direction);
    return kind == Kind.body(kind.direction)
        && half.mode == BodyMode.FULL_DUPLEX
        && (half.treatment == Treatment.CHUNKS || half.treatment == Treatment.PART);
  }

  private static Replied toHeaders(State state, Direction direction, Reply.Continue go) {
    var modes = go.override() == null ? null : modes(state, go.override());
    var told = modes == null
        ? state
        : new State(
            state.request.asked(modes.requestBody),
            state.response.asked(modes.responseBody),
            state.observed,
            state.early,
            state.over);
    var half = told.half(direction);
    if (half.phase == Phase.ENDED || go.wish() == BodyWish.UNSEEN) {
      return new Replied(told, Sequel.SEND, modes);
    }
    var treatment = treatment(half.mode, go.wish());
    if (treatment == null) {
      return new Replied(state, Sequel.BODY_CANNOT_COME);
    }
    var next = told.with(direction, half.treating(treatment));
    return half.mode == BodyMode.FULL_DUPLEX
            && (go.wish() == BodyWish.WHOLE || go.wish() == BodyWish.HELD_CHUNKS)
        ? new Replied(next, Sequel.HOLD)
        : new Replied(next, Sequel.SEND, modes);
  }

  /** @return null where the mode cannot grant the wish */
  private static @Nullable Treatment treatment(BodyMode mode, BodyWish wish) {
    return switch (wish) {
      case UNSEEN -> Treatment.PASS;
      case PART -> Treatment.PART;
      case CHUNKS, HELD_CHUNKS ->
        switch (mode) {
          case BUFFERED, STREAMED, FULL_DUPLEX -> Treatment.CHUNKS;
          case UNKNOWN, NONE, BUFFERED_PARTIAL -> null;
        };
      case WHOLE ->
        switch (mode) {
          case UNKNOWN, BUFFERED, FULL_DUPLEX -> Treatment.WHOLE;
          case NONE, BUFFERED_PARTIAL, STREAMED -> null;
        };
    };
  }

  /**
   * The override in full; null where it would be ignored (a duplex mode is configured, bodies come early), or the modes that it would
   * take are known to nobody here.
   */
  private static @Nullable Modes modes(State state, ModeOverride override) {
    var request = mode(state.request, override.requestBody());
    var response = mode(state.response, override.responseBody());
    if (request == null || response == null || state.early) {
      return null;
    }
    return new Modes(
        request,
        response,
        override.responseHeaders(),
        override.requestTrailers(),
        override.responseTrailers());
  }

  private static @Nullable BodyMode mode(Half half, @Nullable BodyMode wanted) {
    if (half.mode == BodyMode.FULL_DUPLEX || half.configured == BodyMode.UNKNOWN) {
      return null;
    }
    return half.bodyIsOver() ? half.mode : Objects.requireNonNullElse(wanted, half.mode);
  }

  private static Step outOfOrder(State state) {
    return new Step(state.end(), Action.OUT_OF_ORDER);
  }
}
