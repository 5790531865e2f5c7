package dev.gatehouse.extproc.stream;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.ByteString;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What a {@link Processor} says to a message. The stream puts it into Envoy's words, which are legal whatever the processor says. */
public sealed interface Reply {
  /** Nothing is changed, and the body, if one is sent, is of no interest. */
  Reply UNCHANGED = Continue.of(HeaderChanges.NONE, BodyWish.UNSEEN);

  /**
   * To headers and trailers: go on, with these changes. To a body or a piece of it: go on with it as it is (header changes are heeded
   * where the headers have not gone yet: under BUFFERED, and for a gathered body).
   *
   * <p>The answers to both directions' headers are ready-made, so one that is kept in a plan costs nothing to send.
   *
   * @param wish heeded in replies to headers
   * @param override heeded in replies to headers
   * @param metadata goes out with the next answer that Envoy takes: at once, or with a held one
   */
  record Continue(
      HeaderChanges changes,
      BodyWish wish,
      @Nullable ModeOverride override,
      DynamicMetadata metadata,
      Prebuilt answers)
      implements Reply {
    public Continue {
      requireNonNull(changes, "changes");
      requireNonNull(wish, "wish");
      requireNonNull(metadata, "metadata");
    }

    public static Continue of(HeaderChanges changes, BodyWish wish) {
      return new Continue(changes, wish, null, DynamicMetadata.NONE, Prebuilt.NONE);
    }

    /** For one that is kept: its answer is serialised now. */
    public static Continue prebuilt(Direction direction, HeaderChanges changes, BodyWish wish) {
      return new Continue(
          changes,
          wish,
          null,
          DynamicMetadata.NONE,
          new Prebuilt(direction, Answers.changed(Kind.headers(direction), changes)));
    }

    public Continue with(ModeOverride mode) {
      return new Continue(changes, wish, mode, metadata, Prebuilt.NONE);
    }

    /** With more changes, which are made after these. */
    public Continue with(HeaderChanges more) {
      return more.isEmpty()
          ? this
          : new Continue(changes.and(more), wish, override, metadata, Prebuilt.NONE);
    }

    public Continue with(DynamicMetadata more) {
      return new Continue(changes, wish, override, metadata.and(more), answers);
    }
  }

  /**
   * To headers: this instead of the body that may follow. To a body or a piece of it: this instead of it. The content-length is
   * seen to. Not for trailers.
   */
  record NewBody(HeaderChanges changes, ByteString body, DynamicMetadata metadata)
      implements Reply {
    public NewBody {
      requireNonNull(changes, "changes");
      requireNonNull(body, "body");
      requireNonNull(metadata, "metadata");
    }

    public NewBody(HeaderChanges changes, ByteString body) {
      this(changes, body, DynamicMetadata.NONE);
    }

    public NewBody with(DynamicMetadata more) {
      return new NewBody(changes, body, metadata.and(more));
    }
  }

  /**
   * To a piece of a body under FULL_DUPLEX_STREAMED: the beginning of what takes its place. The rest is worked out when that has gone
   * out, and nothing more is taken meanwhile: what a small piece unfolds to never stands in memory as a whole.
   *
   * @param rest says this again, or {@link NewBody} at last
   */
  record Portion(HeaderChanges changes, ByteString body, Work rest) implements Reply {
    public Portion {
      requireNonNull(changes, "changes");
      requireNonNull(body, "body");
      requireNonNull(rest, "rest");
    }
  }

  /**
   * Answers the client at once; once response headers are out Envoy resets its stream instead.
   *
   * @param status 200–599: Envoy would make 200 of less
   * @param details for Envoy's access log ({@code %RESPONSE_CODE_DETAILS%}); without blanks
   * @param metadata goes out with it, for the access log
   */
  record Respond(
      int status, HeaderChanges headers, ByteString body, String details, DynamicMetadata metadata)
      implements Reply {
    /** 500: a processor failed. */
    public static final Respond FAILED =
        problem(500, "Internal Server Error", "gatehouse_processor_failed");

    static final Respond REQUEST_TOO_LARGE =
        problem(413, "The body is too large", "gatehouse_processor_body_too_large");
    static final Respond RESPONSE_TOO_LARGE =
        problem(502, "The upstream's body is too large", "gatehouse_processor_body_too_large");

    /** @throws IllegalArgumentException on a status that Envoy would turn into 200 */
    public Respond {
      requireNonNull(headers, "headers");
      requireNonNull(body, "body");
      requireNonNull(details, "details");
      requireNonNull(metadata, "metadata");
      if (status < 200 || status > 599) {
        throw new IllegalArgumentException("status: " + status + " (expected: 200 to 599)");
      }
    }

    public Respond(int status, HeaderChanges headers, ByteString body, String details) {
      this(status, headers, body, details, DynamicMetadata.NONE);
    }

    /** With more metadata; where it has a key already, its own value stays. */
    public Respond with(DynamicMetadata more) {
      return more.isEmpty()
          ? this
          : new Respond(status, headers, body, details, more.and(metadata));
    }

    /**
     * With a body of {@code application/problem+json} (RFC 9457).
     *
     * @param title for whoever calls, without anything that a client sent
     * @param details for Envoy's access log, without blanks
     */
    public static Respond problem(int status, String title, String details) {
      var json = "{\"title\":\"" + title.replace("\\", "\\\\").replace("\"", "\\\"")
          + "\",\"status\":" + status + "}";
      return new Respond(
          status,
          HeaderChanges.builder()
              .overwrite("content-type", "application/problem+json")
              .build(),
          ByteString.copyFromUtf8(json),
          details);
    }
  }

  /** The answer takes longer than an event loop may be held. */
  record Later(Work work) implements Reply {
    public Later {
      requireNonNull(work, "work");
    }
  }

  /** Ends the stream with an error: Envoy does what its failure mode says. */
  record Fail(String why) implements Reply {
    public Fail {
      requireNonNull(why, "why");
    }
  }

  /**
   * Runs on another thread, so it touches nothing that the processor remembers: it may still run when the stream has given it up,
   * and is interrupted then.
   */
  interface Work {
    /** @return what says the reply, called on the stream's loop if the work came in time; its reply must not be {@link Later} */
    Supplier<Reply> run() throws Exception;
  }

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
