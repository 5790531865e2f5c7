package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.json.JsonEdits;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.Reply;
import dev.gatehouse.policy.expr.EvaluationException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One direction's steps, run in order over one message. What they change of the headers is laid into {@link StreamFacts}; what they
 * want of the body comes back.
 */
final class StepRun {
  /** What the steps came to. */
  sealed interface Came {
    /** A step answers the client; those after it are not run. */
    record Responded(Reply.Respond reply) implements Came {}

    /**
     * All steps were run.
     *
     * @param body what takes the place of the message's own; null leaves that
     * @param edits of that body, in order
     * @param edited what the edits change, for people
     */
    record Went(@Nullable ByteString body, List<JsonEdits> edits, List<String> edited)
        implements Came {}
  }

  private final Direction direction;
  private final StreamFacts facts;
  private final StepTrace trace;
  private final List<String> changes = new ArrayList<>();
  private final List<JsonEdits> edits = new ArrayList<>();
  private final List<String> edited = new ArrayList<>();
  private @Nullable ByteString body;

  StepRun(Direction direction, StreamFacts facts, StepTrace trace) {
    this.direction = direction;
    this.facts = facts;
    this.trace = trace;
  }

  Came run(List<Step> steps) throws EvaluationException {
    for (var step : steps) {
      trace.begins(direction, step, facts);
      try {
        if (!step.holds(facts)) {
          trace.leftOut();
          continue;
        }
        if (step.respond() != null) {
          var reply = step.respond().render(facts);
          trace.responded(reply);
          return new Came.Responded(reply);
        }
        change(step);
      } catch (EvaluationException e) {
        trace.failed(String.valueOf(e.getMessage()));
        throw e;
      }
      trace.done();
    }
    return new Came.Went(body, edits, edited);
  }

  /** What was changed beside JSON, for people. */
  List<String> changes() {
    return changes;
  }

  private void change(Step step) throws EvaluationException {
    step.change(direction, facts);
    changes.addAll(step.changes());
    if (step.body() != null) {
      body = step.body().render(facts);
      trace.replacesBody(body);
      edits.clear();
      edited.clear();
    }
    if (step.json() != null) {
      var made = step.json().edits(facts);
      trace.editsBody(made);
      edits.add(made);
      edited.addAll(step.json().changes());
    }
  }
}
