package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.json.UnprocessableBody;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.DynamicMetadata;
import dev.gatehouse.extproc.stream.HeaderChanges;
import dev.gatehouse.extproc.stream.Reply;
import dev.gatehouse.policy.expr.EvaluationException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The steps of one direction that wait for the whole body. They see what the steps before have made of the headers, which Envoy has been
 * told, so what they change of these is said alone. They may run on any thread: nothing of the stream's is touched.
 *
 * @param facts theirs alone; not changed
 * @param passes a body that cannot be read goes on, instead of being refused
 */
record LateSteps(
    Direction direction, StreamFacts facts, List<Step> steps, boolean passes, StepTrace trace) {
  /**
   * What came of them.
   *
   * @param facts as they have left them
   * @param changes of the headers, since Envoy was told of them
   * @param body the new one; null if it stays
   * @param response what answers the client instead; null if nothing does
   * @param tell what was changed, for people
   * @param leftOut the steps that were left out, for people
   * @param failed why one of them could not be evaluated; null if all could
   * @param unreadable why the body passes without having been read; null if it was
   */
  record Ran(
      StreamFacts facts,
      HeaderChanges changes,
      @Nullable ByteString body,
      DynamicMetadata metadata,
      Reply.@Nullable Respond response,
      List<String> tell,
      List<String> leftOut,
      @Nullable String failed,
      @Nullable String unreadable) {}

  /** In bytes. What a condition does may take time by the square of the body: {@code a.all(x, x in b)} where both are lists of it. */
  private static final int QUICK_BODY = 4 << 10;

  /** Whether one of them may take longer than an event loop may be held. */
  boolean isSlow(ByteString whole) {
    return whole.size() > QUICK_BODY
        || steps.stream().anyMatch(step -> step.body() instanceof BodyStep.Texts);
  }

  /**
   * @param body all of it, decoded; empty if none came
   * @param before what steps before these want made of it
   */
  Ran run(byte[] body, List<BodyEdit> before) throws UnprocessableBody {
    var later = facts.later(direction);
    // What is longer was not decoded on an event loop, either.
    var run = new StepRun(direction, body.length > QUICK_BODY ? later.onWorker() : later, trace);
    try {
      return ran(run, run.withBody(body, before, steps), null, null);
    } catch (EvaluationException e) {
      return ran(run, null, String.valueOf(e.getMessage()), null);
    }
  }

  /** Where the body passes as it comes: those that read it are left out, the others are run. */
  Ran unreadable(String why) {
    var run = new StepRun(direction, facts.later(direction), trace);
    try {
      return ran(run, run.withoutReading(steps), null, why);
    } catch (EvaluationException e) {
      return ran(run, null, String.valueOf(e.getMessage()), why);
    }
  }

  private Ran ran(
      StepRun run,
      StepRun.@Nullable Came came,
      @Nullable String failed,
      @Nullable String unreadable) {
    return new Ran(
        run.facts(),
        run.facts().edits(direction).changes(),
        came instanceof StepRun.Came.Went went ? went.body() : null,
        run.metadata(),
        came instanceof StepRun.Came.Responded(var reply) ? reply : null,
        run.changes(),
        run.leftOut(),
        failed,
        unreadable);
  }
}
