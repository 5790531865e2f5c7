package dev.gatehouse.extproc.stream;

import com.google.protobuf.ByteString;
import java.util.function.Supplier;

/** What a {@link Processor} says to a message. The stream puts it into Envoy's words, which are legal whatever the processor says. */
public sealed interface Reply {
  /** Nothing is changed, and the body, if one is sent, is of no interest. */
  Reply UNCHANGED = Continue.of(HeaderChanges.NONE, false);

  /**
   * To headers: go on, with these changes. To a body: go on with the body as it is (header changes are heeded under BUFFERED).
   *
   * <p>The answers to both directions' headers are ready-made, so one that is kept in a plan costs nothing to send.
   *
   * @param awaitsBody the whole body must come to {@link Processor#body}, or the stream fails as the processor says
   */
  record Continue(HeaderChanges changes, boolean awaitsBody, Prebuilt answers) implements Reply {
    public static Continue of(HeaderChanges changes, boolean awaitsBody) {
      return new Continue(changes, awaitsBody, Prebuilt.NONE);
    }

    /** For one that is kept: its answer is serialised now. */
    public static Continue prebuilt(
        Direction direction, HeaderChanges changes, boolean awaitsBody) {
      return new Continue(
          changes,
          awaitsBody,
          new Prebuilt(direction, Answers.changed(Kind.headers(direction), changes)));
    }
  }

  /** To headers: this instead of the body that may follow. To a body: this instead of it. The content-length is seen to. */
  record NewBody(HeaderChanges changes, ByteString body) implements Reply {}

  /**
   * Answers the client at once.
   *
   * @param status 200–599: Envoy would make 200 of less
   * @param details for Envoy's access log ({@code %RESPONSE_CODE_DETAILS%}); without blanks
   */
  record Respond(int status, HeaderChanges headers, ByteString body, String details)
      implements Reply {}

  /** The answer takes longer than an event loop may be held: the work runs elsewhere, and its reply is sent from the loop. */
  record Later(Supplier<Reply> work) implements Reply {}

  /** Ends the stream with an error: Envoy does what its failure mode says. */
  record Fail(String why) implements Reply {}

  /** A ready-made answer to headers. */
  final class Prebuilt {
    static final Prebuilt NONE = new Prebuilt(Direction.REQUEST, new byte[0]);
    private final Direction direction;
    private final byte[] answer;

    private Prebuilt(Direction direction, byte[] answer) {
      this.direction = direction;
      this.answer = answer;
    }

    boolean fits(Kind kind) {
      return answer.length > 0 && kind == Kind.headers(direction);
    }

    byte[] answer() {
      return answer;
    }
  }
}
