package dev.gatehouse.extproc;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.gatehouse.extproc.stream.ProcessorStream;
import dev.gatehouse.testkit.EnvoyStream;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import io.grpc.Status;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** A stream without a network: what a test's Envoy says goes straight into it, and work off the loop is done at once. */
public final class DirectPeer implements EnvoyStream.Peer {
  private final Queue<byte[]> answers = new ArrayDeque<>();
  private final ProcessorStream stream;
  private @Nullable Status closed;
  private int asked = 1;

  public DirectPeer(ProcessorStream.Opener opener) {
    this(opener, Runnable::run);
  }

  public DirectPeer(ProcessorStream.Opener opener, Executor workers) {
    stream = new ProcessorStream(
        opener,
        new ProcessorStream.Outlet() {
          @Override
          public void send(byte[] answer) {
            if (closed != null) {
              throw new AssertionError("an answer after the end");
            }
            answers.add(answer);
          }

          @Override
          public void next() {
            asked++;
          }

          @Override
          public void close(Status status) {
            if (closed != null) {
              throw new AssertionError("ended twice");
            }
            closed = status;
          }
        },
        Runnable::run,
        workers);
  }

  @Override
  public @Nullable ProcessingResponse exchange(ProcessingRequest message) {
    if (asked-- <= 0) {
      throw new AssertionError("the stream did not ask for another message");
    }
    stream.message(message);
    return answer();
  }

  /** Where an answer must come. */
  public ProcessingResponse answerTo(ProcessingRequest message) {
    var answer = exchange(message);
    if (answer == null) {
      throw new AssertionError("no answer");
    }
    return answer;
  }

  /** What was answered, if anything was. */
  public @Nullable ProcessingResponse answer() {
    if (answers.size() > 1) {
      throw new AssertionError(answers.size() + " answers to one message");
    }
    var answer = answers.poll();
    if (answer == null) {
      if (closed != null && !closed.isOk()) {
        throw new EnvoyStream.StreamFailed(closed.toString());
      }
      return null;
    }
    try {
      return ProcessingResponse.parseFrom(answer);
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError("no ProcessingResponse", e);
    }
  }

  public @Nullable Status closed() {
    return closed;
  }

  public void halfClose() {
    stream.halfClosed();
  }

  public void cancel() {
    stream.ended();
  }
}
