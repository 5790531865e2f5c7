package dev.gatehouse.extproc.stream;

import dev.gatehouse.extproc.stream.Processor.Ending;
import dev.gatehouse.extproc.stream.Processor.Failure;
import dev.gatehouse.extproc.stream.StreamMachine.State;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.grpc.Status;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One stream: keeps the {@link StreamMachine}'s state, asks the {@link Processor}, and sends what both agree on. Everything
 * happens on the stream's event loop but the work of a {@link Reply.Later}; while that runs no further message is asked for, so
 * answers stay in order and a stream holds one message at most.
 */
public final class ProcessorStream {
  private static final Logger LOG = LoggerFactory.getLogger(ProcessorStream.class);

  private static final Failure NO_WHOLE_BODY =
      new Failure("the whole body is needed, and the processing mode does not send it");

  /** Chooses the processor when the first message tells enough. */
  public interface Opener {
    Opened open(ProcessingRequest first);
  }

  /** Either a processor, or why the stream is failed. */
  public sealed interface Opened {
    record With(Processor processor) implements Opened {}

    record Refused(String why) implements Opened {}
  }

  /** Where answers go; called on the stream's loop only. */
  public interface Outlet {
    void send(byte[] answer);

    /** The next message may come. */
    void next();

    /** Ends the call; the stream sends nothing after it. */
    void close(Status status);
  }

  private final Opener opener;
  private final Outlet outlet;
  private final Executor loop;
  private final Executor workers;

  private State state = State.NEW;
  private Processor processor = Processor.PASS;
  private boolean opened;
  private boolean working;
  private boolean halfClosed;
  private boolean closed;
  private boolean failed;
  private long nanos;

  public ProcessorStream(Opener opener, Outlet outlet, Executor loop, Executor workers) {
    this.opener = opener;
    this.outlet = outlet;
    this.loop = loop;
    this.workers = workers;
  }

  /** A message of Envoy's. */
  public void message(ProcessingRequest message) {
    if (closed) {
      return;
    }
    var began = System.nanoTime();
    if (opened || open(message)) {
      arrived(message);
    }
    nanos += System.nanoTime() - began;
    if (!working && !closed) {
      outlet.next();
    }
  }

  /** Envoy sends no more, and waits for nothing. */
  public void halfClosed() {
    halfClosed = true;
    if (!working) {
      close(Status.OK);
    }
  }

  /** The call is over, by a reset as a rule. */
  public void ended() {
    if (closed) {
      return;
    }
    closed = true;
    if (!working) {
      finish(); // Else the worker still holds the processor.
    }
  }

  private boolean open(ProcessingRequest first) {
    opened = true;
    var config = first.hasProtocolConfig() ? first.getProtocolConfig() : null;
    state = State.of(
        config == null ? BodyMode.UNKNOWN : BodyMode.of(config.getRequestBodyMode()),
        config == null ? BodyMode.UNKNOWN : BodyMode.of(config.getResponseBodyMode()),
        first.getObservabilityMode());
    if (state.observed()) {
      return true;
    }
    switch (opener.open(first)) {
      case Opened.With(var chosen) -> processor = chosen;
      case Opened.Refused(var why) -> fail(Status.INTERNAL.withDescription(why));
    }
    return !closed;
  }

  private void arrived(ProcessingRequest message) {
    var kind = Kind.of(message);
    var step = StreamMachine.arrives(state, kind, kind.endOfStream(message));
    state = step.next();
    switch (step.action()) {
      case ASK_HEADERS, ASK_BODY -> replied(kind, ask(kind, message));
      case CONTINUE -> outlet.send(Answers.unchanged(kind));
      case ECHO ->
        outlet.send(Answers.chunk(kind.direction, kind.body(message), kind.endOfStream(message)));
      case SILENCE -> {}
      case BODY_CANNOT_COME -> replied(kind, instead(kind, NO_WHOLE_BODY));
      case OUT_OF_ORDER ->
        fail(Status.INVALID_ARGUMENT.withDescription("a message that may not come now: " + kind));
    }
  }

  private Reply ask(Kind kind, ProcessingRequest message) {
    try {
      return kind == Kind.headers(kind.direction)
          ? processor.headers(new HeadersMessage(message))
          : processor.body(kind.direction, kind.body(message));
    } catch (RuntimeException | StackOverflowError e) {
      return broken(kind, e);
    }
  }

  private void replied(Kind kind, Reply reply) {
    var step = StreamMachine.replied(state, kind, reply);
    state = step.next();
    switch (step.action()) {
      case SEND -> send(kind, reply);
      case WORK -> work(kind, ((Reply.Later) reply).work());
      case BODY_CANNOT_COME -> send(kind, instead(kind, NO_WHOLE_BODY));
      case FAIL -> fail(Status.INTERNAL.withDescription(((Reply.Fail) reply).why()));
    }
  }

  private void send(Kind kind, Reply reply) {
    switch (reply) {
      case Reply.Continue(var changes, var awaitsBody, var answers) ->
        outlet.send(answers.fits(kind) ? answers.answer() : Answers.changed(kind, changes));
      case Reply.NewBody(var changes, var body) ->
        outlet.send(
            kind == Kind.headers(kind.direction)
                ? Answers.headersAndBody(kind.direction, changes, body)
                : Answers.body(kind.direction, changes, body));
      case Reply.Respond respond -> {
        outlet.send(Answers.immediate(respond));
        close(Status.OK);
      }
      case Reply.Fail(var why) -> fail(Status.INTERNAL.withDescription(why));
      case Reply.Later later ->
        fail(Status.INTERNAL.withDescription("an answer that may not be late is late"));
    }
  }

  private void work(Kind kind, Supplier<Reply> work) {
    working = true;
    try {
      workers.execute(() -> {
        Reply reply;
        try {
          reply = work.get();
        } catch (Throwable e) { // Whatever it is, the stream must get its answer.
          reply = broken(kind, e);
        }
        var done = reply;
        loop.execute(() -> worked(kind, done));
      });
    } catch (RejectedExecutionException e) {
      working = false;
      send(kind, instead(kind, new Failure("too many bodies are being transformed")));
    }
  }

  private void worked(Kind kind, Reply reply) {
    working = false;
    if (closed) {
      finish();
      return;
    }
    var began = System.nanoTime();
    replied(kind, reply);
    nanos += System.nanoTime() - began;
    if (closed) {
      return;
    }
    if (halfClosed) {
      close(Status.OK);
    } else {
      outlet.next();
    }
  }

  private Reply broken(Kind kind, Throwable e) {
    LOG.warn("a processor failed at {}", kind, e);
    return instead(kind, new Failure("the processor failed: " + e.getClass().getSimpleName()));
  }

  /** What the processor says when it could not do its part; if it cannot even say that, the stream fails. */
  private Reply instead(Kind kind, Failure failure) {
    failed = true;
    try {
      return processor.failed(kind.direction, failure);
    } catch (RuntimeException e) {
      LOG.warn("a processor failed to say what its failure means", e);
      return new Reply.Fail(failure.why());
    }
  }

  private void fail(Status status) {
    failed = true;
    close(status);
  }

  private void close(Status status) {
    if (closed) {
      return;
    }
    closed = true;
    outlet.close(status);
    finish();
  }

  private void finish() {
    try {
      processor.ended(new Ending(nanos, failed));
    } catch (RuntimeException e) {
      LOG.warn("a processor failed at its end", e);
    }
  }
}
