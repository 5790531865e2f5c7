package dev.gatehouse.extproc;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.Patience;
import dev.gatehouse.extproc.stream.ProcessorStream;
import dev.gatehouse.extproc.stream.StreamStats;
import dev.gatehouse.testkit.EnvoyStream;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * A stream without a network: what a test's Envoy says goes straight into it as soon as it asks for it, work off the loop is done at
 * once unless the test keeps it, and its timers run when the test says so.
 */
public final class DirectPeer implements EnvoyStream.Peer {
  private record Timer(Duration at, Runnable task) {}

  private final Queue<ProcessingRequest> sent = new ArrayDeque<>();
  private final ArrayDeque<ProcessingResponse> answers = new ArrayDeque<>();
  private final List<Timer> timers = new ArrayList<>();
  private final ProcessorStream stream;
  private final StreamStats stats;
  private Duration now = Duration.ZERO;
  private @Nullable Status closed;
  private int taken;
  private boolean asked = true;
  private boolean delivering;
  private boolean ready = true;
  private boolean cancelled;
  private final EnumMap<Direction, Integer> held = new EnumMap<>(Direction.class);
  private final EnumMap<Direction, Integer> unanswered = new EnumMap<>(Direction.class);

  public DirectPeer(ProcessorStream.Opener opener) {
    this(opener, Runnable::run);
  }

  public DirectPeer(ProcessorStream.Opener opener, Executor workers) {
    this(opener, workers, new StreamStats("test"));
  }

  public DirectPeer(ProcessorStream.Opener opener, Executor workers, StreamStats stats) {
    this.stats = stats;
    stream =
        new ProcessorStream(opener, new Outlet(), new Loop(), workers, Patience.DEFAULT, stats);
  }

  @Override
  public void send(ProcessingRequest message) {
    if (cancelled) {
      throw new AssertionError("the test sends a message after a reset");
    }
    sent.add(message);
    deliver();
  }

  @Override
  public @Nullable ProcessingResponse receive(Duration patience) {
    return receive();
  }

  /** Sends a message and takes its answer; null where none has come. */
  public @Nullable ProcessingResponse exchange(ProcessingRequest message) {
    send(message);
    return receive();
  }

  /** The next answer; null if none is there. */
  public @Nullable ProcessingResponse receive() {
    var answer = answers.poll();
    if (answer == null) {
      if (closed != null && !closed.isOk()) {
        throw new EnvoyStream.StreamFailed(closed.toString());
      }
      return null;
    }
    return answer;
  }

  /** Where exactly one answer must come. */
  public ProcessingResponse answerTo(ProcessingRequest message) {
    send(message);
    return answer();
  }

  /** The only answer that is there. */
  public ProcessingResponse answer() {
    var answer = receive();
    if (answer == null) {
      throw new AssertionError("no answer");
    }
    if (!answers.isEmpty()) {
      throw new AssertionError(answers.size() + " more answers");
    }
    return answer;
  }

  /** Messages that the stream has asked for and got. */
  public int taken() {
    return taken;
  }

  /** Messages that the stream has not asked for yet. */
  public int waiting() {
    return sent.size();
  }

  /** Bytes of a body that the stream has taken and not given back, where it gives all back (FULL_DUPLEX_STREAMED). */
  public int held(Direction direction) {
    return held.getOrDefault(direction, 0);
  }

  /** Messages of a direction that the stream has taken and not answered, where it answers each by one. */
  public int unanswered(Direction direction) {
    return unanswered.getOrDefault(direction, 0);
  }

  private void answered(ProcessingResponse answer) {
    switch (answer.getResponseCase()) {
      case REQUEST_HEADERS, REQUEST_BODY, REQUEST_TRAILERS ->
        unanswered.merge(Direction.REQUEST, -1, Integer::sum);
      case RESPONSE_HEADERS, RESPONSE_BODY, RESPONSE_TRAILERS ->
        unanswered.merge(Direction.RESPONSE, -1, Integer::sum);
      case IMMEDIATE_RESPONSE -> unanswered.clear();
      case RESPONSE_NOT_SET -> {}
    }
  }

  private void givenBack(ProcessingResponse answer) {
    var request = answer.getRequestBody().getResponse().getBodyMutation().getStreamedResponse();
    var response = answer.getResponseBody().getResponse().getBodyMutation().getStreamedResponse();
    held.merge(Direction.REQUEST, -request.getBody().size(), Integer::sum);
    held.merge(Direction.RESPONSE, -response.getBody().size(), Integer::sum);
  }

  public @Nullable Status closed() {
    return closed;
  }

  /** Whether answers go out without piling up. */
  public void ready(boolean now) {
    ready = now;
    if (ready) {
      stream.ready();
      deliver();
    }
  }

  /** Time goes by; what is due is done. */
  public void after(Duration time) {
    var until = now.plus(time);
    while (true) {
      var next = timers.stream()
          .filter(timer -> timer.at.compareTo(until) <= 0)
          .min(Comparator.comparing(Timer::at));
      if (next.isEmpty()) {
        now = until;
        deliver();
        return;
      }
      timers.remove(next.get());
      now = next.get().at;
      next.get().task.run();
    }
  }

  public int timers() {
    return timers.size();
  }

  /** Bytes of bodies that are gathered now. */
  public long gathered() {
    return stats.gathered();
  }

  @Override
  public boolean ended() {
    return closed != null && closed.isOk() && answers.isEmpty();
  }

  @Override
  public void halfClose() {
    stream.halfClosed();
  }

  @Override
  public void reset() {
    cancel();
  }

  public void cancel() {
    cancelled = true;
    stream.ended();
  }

  /** What ran elsewhere may have let the stream ask for more. */
  public void deliver() {
    if (delivering) {
      return;
    }
    delivering = true;
    while (asked && !sent.isEmpty() && closed == null) {
      asked = false;
      var message = sent.remove();
      taken++;
      unanswered.merge(
          message.hasRequestHeaders() || message.hasRequestBody() || message.hasRequestTrailers()
              ? Direction.REQUEST
              : Direction.RESPONSE,
          1,
          Integer::sum);
      held.merge(Direction.REQUEST, message.getRequestBody().getBody().size(), Integer::sum);
      held.merge(Direction.RESPONSE, message.getResponseBody().getBody().size(), Integer::sum);
      stream.message(message);
    }
    delivering = false;
  }

  private final class Outlet implements ProcessorStream.Outlet {
    @Override
    public void send(byte[] answer) {
      if (closed != null || cancelled) {
        throw new AssertionError("an answer after the end");
      }
      try {
        answers.add(ProcessingResponse.parseFrom(answer));
      } catch (InvalidProtocolBufferException e) {
        throw new AssertionError("no ProcessingResponse", e);
      }
      givenBack(answers.getLast());
      answered(answers.getLast());
    }

    @Override
    public boolean ready() {
      return ready;
    }

    @Override
    public void next() {
      if (asked || !ready) {
        throw new AssertionError(
            asked ? "asked twice for a message" : "asked for more while answers pile up");
      }
      asked = true;
    }

    @Override
    public void close(Status status) {
      if (closed != null) {
        throw new AssertionError("ended twice");
      }
      closed = status;
    }
  }

  private final class Loop implements ProcessorStream.Loop {
    @Override
    public void execute(Runnable task) {
      task.run();
    }

    @Override
    public Runnable after(Duration time, Runnable task) {
      var timer = new Timer(now.plus(time), task);
      timers.add(timer);
      return () -> timers.remove(timer);
    }
  }
}
