package dev.gatehouse.testkit;

import dev.gatehouse.testkit.EnvoyStream.Peer;
import dev.gatehouse.testkit.EnvoyStream.StreamFailed;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** A processor of a few lines: what it says to each message, right or wrong. */
final class ScriptedPeer implements Peer {
  /** What the processor may do about a message. */
  final class Answers {
    void say(ProcessingResponse.Builder answer) {
      answers.add(answer.build());
    }

    /** Ends the stream well. */
    void end() {
      ended = true;
    }

    /** Ends it with an error. */
    void fail(String why) {
      failed = why;
    }
  }

  final List<ProcessingRequest> sent = new ArrayList<>();
  private final Queue<ProcessingResponse> answers = new ArrayDeque<>();
  private final BiConsumer<ProcessingRequest, Answers> script;
  private boolean ended;
  private boolean halfClosed;
  private boolean reset;
  private @Nullable String failed;

  ScriptedPeer(BiConsumer<ProcessingRequest, Answers> script) {
    this.script = script;
  }

  boolean wasReset() {
    return reset;
  }

  boolean wasHalfClosed() {
    return halfClosed;
  }

  @Override
  public void send(ProcessingRequest message) {
    sent.add(message);
    if (!ended) {
      script.accept(message, new Answers());
    }
  }

  @Override
  public @Nullable ProcessingResponse receive(Duration patience) {
    var answer = answers.poll();
    if (answer == null && failed != null) {
      throw new StreamFailed(failed);
    }
    return answer;
  }

  @Override
  public boolean ended() {
    return ended && answers.isEmpty();
  }

  @Override
  public void halfClose() {
    halfClosed = true;
  }

  @Override
  public void reset() {
    reset = true;
  }
}
