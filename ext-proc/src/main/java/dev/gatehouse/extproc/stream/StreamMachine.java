package dev.gatehouse.extproc.stream;

/**
 * The order of one stream's messages, and what may be answered to each: pure, (state, event) → (state, action).
 *
 * <p>A direction goes headers → body → trailers; any of them may be left out by the processing mode, and the response may come
 * without the request. Each message is answered once, by its mirror, or by an immediate response that ends the stream; in
 * observability mode none is.
 */
final class StreamMachine {
  private StreamMachine() {}

  /** How far a direction is. */
  enum Phase {
    NEW,
    /** Headers were seen, or skipped by the mode: a body or trailers may follow. */
    OPEN,
    /** The whole body was seen: only trailers may follow. */
    BODY_SEEN,
    ENDED
  }

  /** @param awaitsBody the processor asked for the whole body */
  record Half(BodyMode mode, Phase phase, boolean awaitsBody) {
    static final Half UNKNOWN = new Half(BodyMode.UNKNOWN, Phase.NEW, false);

    Half at(Phase next) {
      return next == phase ? this : new Half(mode, next, awaitsBody);
    }

    Half in(BodyMode learnt) {
      return learnt == mode ? this : new Half(learnt, phase, awaitsBody);
    }

    Half awaiting() {
      return new Half(mode, phase, true);
    }
  }

  /**
   * @param observed observability mode: nothing is answered
   * @param over answered finally: what still comes is not answered
   */
  record State(Half request, Half response, boolean observed, boolean over) {
    static final State NEW = new State(Half.UNKNOWN, Half.UNKNOWN, false, false);

    /** What the first message says of the stream. */
    static State of(BodyMode request, BodyMode response, boolean observed) {
      return new State(
          new Half(request, Phase.NEW, false),
          new Half(response, Phase.NEW, false),
          observed,
          false);
    }

    Half half(Direction direction) {
      return direction == Direction.REQUEST ? request : response;
    }

    State with(Direction direction, Half half) {
      return direction == Direction.REQUEST
          ? new State(half, response, observed, over)
          : new State(request, half, observed, over);
    }

    State end() {
      return new State(request, response, observed, true);
    }
  }

  /** What is done about a message. */
  enum Action {
    /** The processor is asked what to do with the headers. */
    ASK_HEADERS,
    /** The processor is asked what to do with the whole body. */
    ASK_BODY,
    /** The mirror of the message, with nothing changed. */
    CONTINUE,
    /** The chunk itself (FULL_DUPLEX_STREAMED). */
    ECHO,
    SILENCE,
    /** The processor needs a body that does not come whole; it is asked what to say instead. */
    BODY_CANNOT_COME,
    /** Not a message that may come now: the stream is failed. */
    OUT_OF_ORDER
  }

  /** What is done about a processor's reply. */
  enum Sequel {
    SEND,
    WORK,
    /** It asks for a body that will not come whole; it is asked what to say instead. */
    BODY_CANNOT_COME,
    FAIL
  }

  record Step(State next, Action action) {}

  record Replied(State next, Sequel action) {}

  /** A message came. */
  static Step arrives(State state, Kind kind, boolean endOfStream) {
    if (state.observed || state.over) {
      return new Step(state, Action.SILENCE);
    }
    var direction = kind.direction;
    var half = state.half(direction);
    return switch (kind) {
      case REQUEST_HEADERS, RESPONSE_HEADERS ->
        half.phase != Phase.NEW
            ? outOfOrder(state)
            : new Step(
                state.with(direction, half.at(endOfStream ? Phase.ENDED : Phase.OPEN)),
                Action.ASK_HEADERS);
      case REQUEST_BODY, RESPONSE_BODY -> body(state, direction, half, endOfStream);
      case REQUEST_TRAILERS, RESPONSE_TRAILERS -> trailers(state, direction, half);
      case NONE -> outOfOrder(state);
    };
  }

  private static Step body(State state, Direction direction, Half half, boolean endOfStream) {
    if (half.phase == Phase.ENDED && half.mode == BodyMode.FULL_DUPLEX) {
      return new Step(state, Action.SILENCE); // Envoy ≥ 1.35 may send the last chunk twice.
    }
    if (half.phase == Phase.ENDED || half.phase == Phase.BODY_SEEN) {
      return outOfOrder(state);
    }
    var after = endOfStream ? Phase.ENDED : Phase.OPEN;
    return switch (half.mode) {
      case BUFFERED, BUFFERED_PARTIAL ->
        new Step(
            state.with(direction, half.at(endOfStream ? Phase.ENDED : Phase.BODY_SEEN)),
            half.awaitsBody ? Action.ASK_BODY : Action.CONTINUE);
      case FULL_DUPLEX -> new Step(state.with(direction, half.at(after)), Action.ECHO);
      case STREAMED -> new Step(state.with(direction, half.at(after)), Action.CONTINUE);
      case UNKNOWN, NONE -> {
        // The first message with an end is the whole body, in whatever mode; without an end it is a
        // chunk, unless trailers follow.
        var learnt =
            half.in(endOfStream ? BodyMode.BUFFERED : BodyMode.STREAMED).at(after);
        var action = !half.awaitsBody
            ? Action.CONTINUE
            : endOfStream ? Action.ASK_BODY : Action.BODY_CANNOT_COME;
        yield new Step(state.with(direction, learnt), action);
      }
    };
  }

  private static Step trailers(State state, Direction direction, Half half) {
    if (half.phase == Phase.ENDED) {
      return outOfOrder(state);
    }
    var next = state.with(direction, half.at(Phase.ENDED));
    var bodyWentUnseen =
        half.awaitsBody && half.phase == Phase.OPEN && half.mode != BodyMode.BUFFERED;
    return new Step(next, bodyWentUnseen ? Action.BODY_CANNOT_COME : Action.CONTINUE);
  }

  /** The processor replied to the message. */
  static Replied replied(State state, Kind kind, Reply reply) {
    var direction = kind.direction;
    var half = state.half(direction);
    var toHeaders = kind == Kind.headers(direction);
    return switch (reply) {
      case Reply.Continue(var changes, var awaitsBody, var answers) -> {
        if (!toHeaders || !awaitsBody || half.phase == Phase.ENDED) {
          yield new Replied(state, Sequel.SEND);
        }
        yield half.mode.bringsWholeBody()
            ? new Replied(state.with(direction, half.awaiting()), Sequel.SEND)
            : new Replied(state, Sequel.BODY_CANNOT_COME);
      }
      case Reply.NewBody newBody -> {
        if (toHeaders && half.mode == BodyMode.FULL_DUPLEX) {
          yield new Replied(state, Sequel.BODY_CANNOT_COME); // CONTINUE_AND_REPLACE is not for it.
        }
        yield new Replied(
            toHeaders ? state.with(direction, half.at(Phase.ENDED)) : state, Sequel.SEND);
      }
      case Reply.Respond respond -> new Replied(state.end(), Sequel.SEND);
      case Reply.Fail fail -> new Replied(state.end(), Sequel.FAIL);
      case Reply.Later later -> new Replied(state, Sequel.WORK);
    };
  }

  private static Step outOfOrder(State state) {
    return new Step(state.end(), Action.OUT_OF_ORDER);
  }
}
