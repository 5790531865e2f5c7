package dev.gatehouse.extproc.stream;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.stream.Processor.Cause;
import dev.gatehouse.extproc.stream.Processor.Ending;
import dev.gatehouse.extproc.stream.Processor.Failure;
import dev.gatehouse.extproc.stream.StreamMachine.Action;
import dev.gatehouse.extproc.stream.StreamMachine.Modes;
import dev.gatehouse.extproc.stream.StreamMachine.Phase;
import dev.gatehouse.extproc.stream.StreamMachine.State;
import dev.gatehouse.extproc.stream.StreamMachine.Treatment;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * One stream: keeps the {@link StreamMachine}'s state, asks the {@link Processor}, and sends what both agree on. Everything
 * happens on the stream's event loop but the work of a {@link Reply.Later}.
 *
 * <p>What a stream holds is bounded whatever Envoy does: it asks for a message only when the one before is answered and the answer
 * has gone, so it holds one message, the answer to it, and under FULL_DUPLEX_STREAMED what it gathers of a body
 * ({@link Processor#gathers}, and all streams together: {@link StreamStats}) or puts in its place.
 */
public final class ProcessorStream {
  private static final StreamStats NAMELESS = new StreamStats("a processor");

  /** What a message may take of an event loop, in nanoseconds, before the log says so: half of what Envoy waits by default. */
  private static final long TOO_LONG = 100_000_000;

  /** Chooses the processor when the first message tells enough. */
  public interface Opener {
    Opened open(ProcessingRequest first);
  }

  /** Either a processor, or why the stream is failed. */
  public sealed interface Opened {
    record With(Processor processor) implements Opened {
      public With {
        Objects.requireNonNull(
            processor, "null is no processor (to leave a stream alone say Processor.PASS)");
      }
    }

    record Refused(String why) implements Opened {}
  }

  /** Where answers go; called on the stream's loop only. */
  public interface Outlet {
    void send(byte[] answer);

    /** Whether answers go out without piling up; when that becomes true, {@link ProcessorStream#ready} is called. */
    boolean ready();

    /** The next message may come. */
    void next();

    /** Ends the call; the stream sends nothing after it. */
    void close(Status status);
  }

  /** The stream's event loop. */
  public interface Loop extends Executor {
    /** Whether other streams wait while this one is seen to. */
    default boolean shared() {
      return true;
    }

    /** As {@link #execute}, but never before the caller has returned. */
    default void later(Runnable task) {
      execute(task);
    }

    /** @return what calls the task off */
    Runnable after(Duration time, Runnable task);
  }

  /**
   * What a reply answers.
   *
   * @param body that the processor was asked about; empty where there is none
   * @param last nothing of the body follows
   * @param ends Envoy waits for the chunk that ends the stream; not where trailers do
   * @param begun some of the answer has been said
   */
  private record Question(Kind kind, ByteString body, boolean last, boolean ends, boolean begun) {
    Question(Kind kind, ByteString body, boolean last, boolean ends) {
      this(kind, body, last, ends, false);
    }

    /** What came is not needed for the rest. */
    Question goneInPart() {
      return new Question(kind, ByteString.EMPTY, last, ends, true);
    }

    boolean about(Direction direction) {
      return kind == Kind.body(direction);
    }
  }

  /** What is kept of one direction under FULL_DUPLEX_STREAMED. */
  private static final class Kept {
    /** Of the answer to the headers, which waits for the body; null when none does. */
    private @Nullable HeaderChanges headers;

    /** What was gathered, or what goes out in its place. */
    private ByteString body = ByteString.EMPTY;
  }

  private record Working(Job job, Question question) {}

  /** The rest of an answer, to be worked out when its beginning has gone out. */
  private record Resting(Question question, Reply.Work rest) {}

  private final Opener opener;
  private final Outlet outlet;
  private final Loop loop;
  private final Executor workers;
  private final Patience patience;

  private StreamStats stats;
  private State state = State.NEW;
  private Processor processor = Processor.PASS;
  private DynamicMetadata untold = DynamicMetadata.NONE;
  private final ArrayDeque<byte[]> outgoing = new ArrayDeque<>(1);
  private @Nullable Kept request;
  private @Nullable Kept response;
  private @Nullable ProcessingRequest trailers;
  private @Nullable Working working;
  private @Nullable Resting resting;
  private Runnable timer = () -> {};
  private boolean opened;
  private boolean asked = true;
  private boolean halfClosed;
  private boolean closed;
  private boolean failed;
  private long nanos;

  /** Bytes that were gathered and not given back yet, of both directions. */
  private long gathered;

  /** Of these, the bytes of bodies that are complete or refused, and whose answers have not gone yet. */
  private long answering;

  /** The first message must be asked for by the caller. */
  public ProcessorStream(
      Opener opener, Outlet outlet, Loop loop, Executor workers, Patience patience) {
    this(opener, outlet, loop, workers, patience, NAMELESS);
  }

  /** @param stats where it counts, and what is told of its failures */
  public ProcessorStream(
      Opener opener,
      Outlet outlet,
      Loop loop,
      Executor workers,
      Patience patience,
      StreamStats stats) {
    this.opener = opener;
    this.outlet = outlet;
    this.loop = loop;
    this.workers = workers;
    this.patience = patience;
    this.stats = stats;
  }

  /** A message of Envoy's. */
  public void message(ProcessingRequest message) {
    if (closed) {
      return;
    }
    asked = false;
    var began = System.nanoTime();
    if (opened || open(message)) {
      arrived(message);
    }
    var took = System.nanoTime() - began;
    nanos += took;
    if (took > TOO_LONG && loop.shared()) {
      stats.held(Kind.of(message).name(), took);
    }
    proceed();
  }

  /**
   * Answers may go out again. What waits for that is done when the caller has returned: gRPC says so from within a flush, and the
   * window that a message asked for there gives back to Envoy is then not flushed (as of 1.85) until something else is, so that a
   * stream that is alone on its connection would wait for ever.
   */
  public void ready() {
    if (!asked || resting != null || !outgoing.isEmpty()) {
      loop.later(() -> guarded(this::proceed));
    }
  }

  /** Envoy sends no more, and waits for nothing. */
  public void halfClosed() {
    halfClosed = true;
    proceed();
  }

  /** The call is over, by a reset as a rule. */
  public void ended() {
    if (closed) {
      return;
    }
    closed = true;
    finish();
  }

  private boolean open(ProcessingRequest first) {
    opened = true;
    stats = stats.begun();
    state = State.of(
        BodyMode.of(first, Direction.REQUEST),
        BodyMode.of(first, Direction.RESPONSE),
        first.getObservabilityMode(),
        first.getProtocolConfig().getSendBodyWithoutWaitingForHeaderResponse());
    switch (chosen(first)) {
      case Opened.With(var chosen) -> {
        processor = chosen;
        if (state.observed() && !observes(Kind.of(first))) {
          processor = Processor.PASS;
        }
      }
      case Opened.Refused(var why) -> fail(Status.INTERNAL.withDescription(why));
    }
    return !closed;
  }

  private Opened chosen(ProcessingRequest first) {
    try {
      return opener.open(first);
    } catch (Exception | StackOverflowError | LinkageError | AssertionError e) {
      var failure =
          new Failure(Cause.BROKEN, "no processor was made: " + e.getClass().getSimpleName());
      stats.failed(Kind.of(first).name(), failure, e);
      failed = true;
      return new Opened.With(new Refusing(Reply.Respond.FAILED));
    }
  }

  /** Who cannot say has failed, is told so, and is asked as if it did: a failure is no reason to be left out of the end. */
  private boolean observes(Kind kind) {
    try {
      return processor.observes();
    } catch (Exception | StackOverflowError | LinkageError | AssertionError e) {
      broken(new Question(kind, ByteString.EMPTY, false, false), e);
      return true;
    }
  }

  private void arrived(ProcessingRequest message) {
    var kind = Kind.of(message);
    stats.message(kind, kind == Kind.body(kind.direction) ? kind.body(message).size() : 0);
    if (state.observed()) {
      observe(kind, message);
      return;
    }
    var last = kind.endOfStream(message);
    if (StreamMachine.leavesHeadersOut(state, kind) && !mayGoOn(kind)) {
      return;
    }
    var step = StreamMachine.arrives(state, kind, last, isLocalReply(kind, message));
    state = step.next();
    if (step.unfinished() != null) {
      trailers = message;
      act(
          step.unfinished(),
          new Question(Kind.body(kind.direction), ByteString.EMPTY, true, false),
          message);
      settle();
      return;
    }
    var body = kind == Kind.body(kind.direction) ? kind.body(message) : ByteString.EMPTY;
    act(step.action(), new Question(kind, body, last, last), message);
  }

  /** Whatever is replied is not said; late work is waited for, so that messages are seen in order. */
  private void observe(Kind kind, ProcessingRequest message) {
    if (kind != Kind.NONE) {
      var last = kind.endOfStream(message);
      var body = kind == Kind.body(kind.direction) ? kind.body(message) : ByteString.EMPTY;
      var question = new Question(kind, body, last, last);
      replied(question, ask(question, () -> switch (kind) {
        case REQUEST_HEADERS, RESPONSE_HEADERS -> processor.headers(new HeadersMessage(message));
        case REQUEST_BODY, RESPONSE_BODY -> processor.chunk(kind.direction, body, last);
        case REQUEST_TRAILERS, RESPONSE_TRAILERS, NONE ->
          processor.trailers(kind.direction, kind.trailers(message));
      }));
    }
  }

  /** Whether the processor lets a direction go on whose headers it has not seen. */
  private boolean mayGoOn(Kind kind) {
    var question = new Question(kind, ByteString.EMPTY, true, true);
    var reply = ask(question, () -> processor.headersLeftOut(kind.direction));
    if (reply instanceof Reply.Continue) {
      return true;
    }
    var failure = Failure.headersUnavailable(kind.direction);
    failed = true;
    stats.failed(kind.name(), failure, null);
    if (reply instanceof Reply.Respond || reply instanceof Reply.Fail) {
      replied(question, reply);
    } else {
      fail(Status.INTERNAL.withDescription(failure.why()));
    }
    return false;
  }

  private boolean isLocalReply(Kind kind, ProcessingRequest message) {
    return kind == Kind.RESPONSE_HEADERS
        && state.request().phase() == Phase.OPEN
        && new HeadersMessage(message).isLocalReply();
  }

  private void act(Action action, Question question, ProcessingRequest message) {
    var direction = question.kind.direction;
    switch (action) {
      case ASK_HEADERS ->
        replied(
            question,
            ask(
                question,
                () -> processor.headers(
                    new HeadersMessage(message, state.half(direction).mode()))));
      case ASK_BODY ->
        replied(question, ask(question, () -> processor.body(direction, question.body)));
      case ASK_CHUNK, ASK_LAST_CHUNK -> {
        var last = action == Action.ASK_LAST_CHUNK;
        replied(question, ask(question, () -> processor.chunk(direction, question.body, last)));
      }
      case GATHER -> gather(question, false);
      case ASK_GATHERED -> gather(question, true);
      case ASK_NO_BODY -> noBody(question);
      case SUBSTITUTE -> chunks(direction, kept(direction).body, question.ends);
      case ASK_TRAILERS ->
        replied(
            question,
            ask(question, () -> processor.trailers(direction, question.kind.trailers(message))));
      case CONTINUE -> emit(Answers.unchanged(question.kind));
      case ECHO -> chunks(direction, question.body, question.ends);
      case SILENCE -> {}
      case BODY_CANNOT_COME -> instead(question, bodyUnavailable(direction));
      case REQUEST_BODY_UNSEEN -> requestBodyUnseen(question, message);
      case OUT_OF_ORDER ->
        fail(Status.INVALID_ARGUMENT.withDescription(
            "a message that may not come now: " + question.kind));
    }
  }

  /** The processor answers for the request; if it lets that pass, the response is asked about as ever. */
  private void requestBodyUnseen(Question question, ProcessingRequest message) {
    var reply = failure(question.kind, Direction.REQUEST, bodyUnavailable(Direction.REQUEST), null);
    state = state.passing(Direction.REQUEST);
    if (reply instanceof Reply.Continue) {
      act(Action.ASK_HEADERS, question, message);
    } else {
      replied(question, reply);
    }
  }

  private void noBody(Question question) {
    var direction = question.kind.direction;
    var reply = ask(question, () -> processor.noBody(direction));
    replied(
        question,
        reply instanceof Reply.NewBody || reply instanceof Reply.Later
            ? new Reply.Fail("a body where none can be put")
            : reply);
  }

  private void gather(Question question, boolean all) {
    var direction = question.kind.direction;
    var kept = kept(direction);
    var inOnePiece = all && kept.body.isEmpty(); // Nothing is gathered then.
    var within = inOnePiece || question.body.isEmpty() || gathers(question.body.size());
    var body = kept.body.concat(question.body);
    var refusal = refusal(question, body.size(), within);
    if (!all && refusal == null) {
      kept.body = body;
      return;
    }
    kept.body = ByteString.EMPTY;
    answering += inOnePiece ? 0 : body.size();
    var gathered = new Question(question.kind, body, question.last, question.ends);
    replied(
        gathered, refusal == null ? ask(gathered, () -> processor.body(direction, body)) : refusal);
  }

  /** What is said instead of gathering so much; null where it may be gathered. */
  private @Nullable Reply refusal(Question question, int bytes, boolean within) {
    long most;
    try {
      most = processor.gathers(question.kind.direction);
    } catch (Exception | StackOverflowError | LinkageError | AssertionError e) {
      return broken(question, e);
    }
    if (bytes > most) {
      return unable(
          question, new Failure(Cause.BODY_TOO_LARGE, "the body is over " + most + " bytes"));
    }
    return within
        ? null
        : unable(question, new Failure(Cause.BUSY, "all streams together gather too much"));
  }

  private boolean gathers(int bytes) {
    gathered += bytes;
    return stats.gathers(bytes, gathered);
  }

  /** A body is held until its answer has gone. */
  private void givesBack(long bytes) {
    if (bytes > 0) {
      gathered -= bytes;
      answering = 0;
      stats.givesBack(bytes);
    }
  }

  private Failure bodyUnavailable(Direction direction) {
    return Failure.bodyUnavailable(direction, state.half(direction).configured());
  }

  private Reply ask(Question question, Callable<Reply> processor) {
    try {
      return Objects.requireNonNull(processor.call(), "no reply (Reply.UNCHANGED lets pass)");
    } catch (Exception | StackOverflowError | LinkageError | AssertionError e) {
      return broken(question, e);
    }
  }

  private Reply broken(Question question, Throwable e) {
    var direction = question.kind.direction;
    state = state.passing(direction);
    return failure(
        question.kind,
        direction,
        new Failure(Cause.BROKEN, "the processor failed: " + e.getClass().getSimpleName()),
        e);
  }

  private void replied(Question question, Reply reply) {
    if (question.begun && reply instanceof Reply.Continue) {
      fail(Status.INTERNAL.withDescription(
          "a piece cannot go on as it is once it is answered in part"));
      return;
    }
    if (state.observed()) {
      if (reply instanceof Reply.Later(var work)) {
        work(question, work);
      }
      return;
    }
    var step = StreamMachine.replied(state, question.kind, reply);
    state = step.next();
    switch (step.action()) {
      case SEND -> send(question, reply, step.modes());
      case HOLD -> hold(question.kind.direction, (Reply.Continue) reply);
      case WORK -> work(question, ((Reply.Later) reply).work());
      case BODY_CANNOT_COME -> instead(question, bodyUnavailable(question.kind.direction));
      case MISFIT ->
        instead(question, new Failure(Cause.BROKEN, "a reply that does not fit " + question.kind));
      case FAIL -> fail(Status.INTERNAL.withDescription(((Reply.Fail) reply).why()));
    }
  }

  private void hold(Direction direction, Reply.Continue reply) {
    kept(direction).headers = reply.changes();
    untold = untold.and(reply.metadata());
  }

  private void send(Question question, Reply reply, @Nullable Modes modes) {
    var kind = question.kind;
    switch (reply) {
      case Reply.Continue(var changes, var wish, var override, var metadata, var prebuilt) -> {
        untold = untold.and(metadata);
        if (question.about(kind.direction)) {
          sendBody(question, changes, null);
        } else if (modes != null) {
          emit(Answers.overridden(kind, changes, modes));
        } else {
          emit(prebuilt.fits(kind) ? prebuilt.answer() : Answers.changed(kind, changes));
        }
      }
      case Reply.NewBody(var changes, var body, var metadata) -> {
        untold = untold.and(metadata);
        if (question.about(kind.direction)) {
          sendBody(question, changes, body);
        } else if (state.half(kind.direction).treatment() == Treatment.REPLACE) {
          kept(kind.direction).body = body;
          emit(Answers.changed(kind, changes));
        } else {
          emit(Answers.headersAndBody(kind.direction, changes, body));
        }
      }
      case Reply.Portion(var changes, var body, var rest) -> {
        release(kind.direction, changes);
        chunks(kind.direction, body, false);
        resting = new Resting(question.goneInPart(), rest);
      }
      case Reply.Respond respond -> {
        untold = untold.and(respond.metadata());
        emit(Answers.immediate(respond));
      }
      case Reply.Fail(var why) -> fail(Status.INTERNAL.withDescription(why));
      case Reply.Later later ->
        fail(Status.INTERNAL.withDescription("an answer that may not be late is late"));
    }
  }

  /** @param instead null leaves the body as it is */
  private void sendBody(Question question, HeaderChanges changes, @Nullable ByteString instead) {
    var direction = question.kind.direction;
    var half = state.half(direction);
    if (half.mode() == BodyMode.FULL_DUPLEX) {
      release(direction, changes);
      chunks(direction, instead == null ? question.body : instead, question.ends);
    } else if (trailers != null) {
      // STREAMED: every chunk was answered, and the trailers' answer takes no body.
      if (instead != null && !instead.isEmpty()) {
        instead(
            question,
            new Failure(Cause.BROKEN, "bytes were held back until the trailers came (STREAMED)"));
      }
    } else if (instead == null) {
      emit(Answers.changed(question.kind, heeded(half, changes)));
    } else if (half.maybeBuffered()) {
      emit(Answers.body(direction, changes, instead, question.last));
    } else {
      emit(Answers.piece(direction, heeded(half, changes), instead));
    }
  }

  /** Under STREAMED the headers have gone, unless bodies do not wait for them: what cannot be heeded is not said. */
  private HeaderChanges heeded(StreamMachine.Half half, HeaderChanges changes) {
    return half.streams() && !state.early() ? HeaderChanges.NONE : changes;
  }

  /** The answer to headers that waited for the body. */
  private void release(Direction direction, HeaderChanges changes) {
    var kept = kept(direction);
    if (kept.headers != null) {
      emit(Answers.changed(Kind.headers(direction), kept.headers.and(changes)));
      kept.headers = null;
    }
  }

  private void chunks(Direction direction, ByteString body, boolean ends) {
    var at = 0;
    while (body.size() - at > Answers.CHUNK_BYTES) {
      emit(Answers.chunk(direction, body.substring(at, at + Answers.CHUNK_BYTES), false));
      at += Answers.CHUNK_BYTES;
    }
    if (ends || at < body.size()) {
      emit(Answers.chunk(direction, body.substring(at), ends));
    }
  }

  /** What a message of Envoy's is answered by; metadata that was not told yet goes with it. */
  private void emit(byte[] answer) {
    var told = untold;
    untold = DynamicMetadata.NONE;
    put(told.isEmpty() ? answer : told.beside(answer));
  }

  private void put(byte[] answer) {
    if (outgoing.isEmpty() && outlet.ready()) {
      outlet.send(answer);
    } else {
      outgoing.add(answer);
    }
  }

  private Kept kept(Direction direction) {
    var kept = direction == Direction.REQUEST ? request : response;
    if (kept != null) {
      return kept;
    }
    var first = new Kept();
    if (direction == Direction.REQUEST) {
      request = first;
    } else {
      response = first;
    }
    return first;
  }

  /** When the rest of a body has been seen to, the trailers behind it are. */
  private void settle() {
    if (trailers == null || working != null || resting != null || closed || state.over()) {
      return;
    }
    var message = trailers;
    trailers = null;
    act(
        Action.ASK_TRAILERS,
        new Question(Kind.of(message), ByteString.EMPTY, true, false),
        message);
  }

  /** Sends what waits; when nothing does, asks for the next message or ends. */
  private void proceed() {
    while (!closed && !outgoing.isEmpty() && outlet.ready()) {
      outlet.send(outgoing.remove());
    }
    if (closed || working != null || !outgoing.isEmpty()) {
      return;
    }
    givesBack(answering);
    if (resting != null) {
      if (outlet.ready()) {
        goOn(resting);
      }
      return;
    }
    if (halfClosed || (state.over() && !state.observed())) {
      close(Status.OK);
    } else if (!asked && outlet.ready()) {
      asked = true;
      outlet.next();
    }
  }

  private void goOn(Resting begun) {
    resting = null;
    work(begun.question, begun.rest);
    if (working == null) { // It could not be taken, or was done at once.
      settle();
      proceed();
    }
  }

  private void work(Question question, Reply.Work work) {
    var job =
        new Job(work, (done, result) -> loop.execute(() -> guarded(() -> worked(done, result))));
    working = new Working(job, question);
    stats.workBegins();
    timer = loop.after(patience.askAfter(), () -> guarded(() -> askForTime(job)));
    try {
      workers.execute(job);
    } catch (RejectedExecutionException e) {
      stopWorking();
      instead(question, new Failure(Cause.BUSY, "too much work is waiting"));
    } catch (RuntimeException e) {
      stopWorking();
      replied(question, broken(question, e));
    }
  }

  /** What is thrown into one of gRPC's calls ends the stream there; on the loop nobody but we would. */
  private void guarded(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException | Error e) {
      fail(Status.INTERNAL.withDescription("it failed: " + e.getClass().getSimpleName()));
      throw e;
    }
  }

  private void askForTime(Job job) {
    if (working == null || working.job != job) {
      return;
    }
    var mode = state.half(working.question.kind.direction).mode();
    if (mode != BodyMode.FULL_DUPLEX && !state.observed()) { // These have no timer.
      put(Answers.moreTime(patience.deadline()));
    }
    timer =
        loop.after(patience.deadline().minus(patience.askAfter()), () -> guarded(() -> late(job)));
  }

  private void late(Job job) {
    if (working == null || working.job != job) {
      return;
    }
    var question = working.question;
    stopWorking();
    job.abandon();
    instead(
        question,
        new Failure(
            Cause.LATE, "it was not done within " + patience.deadline().toMillis() + " ms"));
    settle();
    proceed();
  }

  private void worked(Job job, Job.Result result) {
    if (working == null || working.job != job) {
      return;
    }
    var question = working.question;
    stopWorking();
    var began = System.nanoTime();
    switch (result) {
      case Job.Result.Done(var say) -> {
        var reply = ask(question, () -> say.get()); // It may be null, too.
        if (reply instanceof Reply.Later) {
          instead(question, new Failure(Cause.BROKEN, "late work that leads to more of it"));
        } else {
          replied(question, reply);
        }
      }
      case Job.Result.Thrown(var why) -> replied(question, broken(question, why));
    }
    settle();
    nanos += System.nanoTime() - began;
    proceed();
  }

  private void stopWorking() {
    working = null;
    stats.workEnds();
    timer.run();
    timer = () -> {};
  }

  /** Does what the processor says when it could not do its part. */
  private void instead(Question question, Failure failure) {
    replied(question, unable(question, failure));
  }

  private Reply unable(Question question, Failure failure) {
    var direction = question.kind.direction;
    state = state.passing(direction);
    return failure(question.kind, direction, failure, null);
  }

  /** What the processor says to a failure; if it cannot even say that, the client is told what it is told by default. */
  private Reply failure(
      Kind kind, Direction direction, Failure failure, @Nullable Throwable thrown) {
    failed |=
        failure.cause() != Cause.BODY_TOO_LARGE; // That is the client's doing, or the upstream's.
    stats.failed(kind.name(), failure, thrown);
    try {
      return switch (processor.failed(direction, failure)) {
        case Reply.Continue go -> Reply.Continue.of(go.changes(), BodyWish.UNSEEN);
        case Reply.Respond respond -> respond;
        case Reply.Fail fail -> fail;
        case Reply.NewBody newBody -> failure.answer(direction);
        case Reply.Portion portion -> failure.answer(direction);
        case Reply.Later later -> failure.answer(direction);
      };
    } catch (Exception | StackOverflowError | LinkageError | AssertionError e) {
      var untold = new Failure(Cause.BROKEN, "it failed to say what its failure means");
      stats.failed(kind.name(), untold, e);
      return failure.answer(direction);
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
    if (working != null) {
      working.job.abandon();
      stopWorking();
    }
    outgoing.clear();
    request = null;
    response = null;
    trailers = null;
    resting = null;
    givesBack(gathered);
    if (opened) {
      stats.ended(failed, nanos);
    }
    try {
      processor.ended(new Ending(nanos, failed));
    } catch (Exception | StackOverflowError | LinkageError | AssertionError e) {
      stats.failed("its end", new Failure(Cause.BROKEN, e.getClass().getSimpleName()), e);
    }
  }
}
