package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.UnsafeByteOperations;
import com.google.protobuf.Value;
import dev.gatehouse.extproc.json.JsonEdits;
import dev.gatehouse.extproc.json.UnprocessableBody;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.DynamicMetadata;
import dev.gatehouse.extproc.stream.Reply;
import dev.gatehouse.extproc.transform.Step.Waits;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.policy.expr.EvaluationException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One direction's steps, run in order over one message. What they change of the headers is laid into {@link StreamFacts}; what they
 * want of the body comes back.
 *
 * <p>A step that reads the body is late: it waits for all of the body, and so do all after it. Who has the body then runs them on a new
 * run over {@linkplain StreamFacts#later facts of their own}, on whatever thread.
 */
final class StepRun {
  /** Of one message; more fails the step that would add it. */
  private static final int MAX_METADATA_KEYS = 32;

  /** Keys and values together, in bytes. */
  private static final int MAX_METADATA_BYTES = 4096;

  /** What the steps came to. */
  sealed interface Came {
    /** A step answers the client; those after it are not run. */
    record Responded(Reply.Respond reply) implements Came {}

    /**
     * All steps were run, but for the late ones.
     *
     * @param body what takes the place of the message's own; null leaves that
     * @param edits of the message's own body, in order; none where it is known already
     * @param edited what the edits change, for people
     * @param late the steps that wait for the body, after the edits are made
     */
    record Went(
        @Nullable ByteString body, List<BodyEdit> edits, List<String> edited, List<Step> late)
        implements Came {}
  }

  private final Direction direction;
  private final StreamFacts facts;
  private final StepTrace trace;
  private final List<String> changes = new ArrayList<>();
  private final List<String> leftOut = new ArrayList<>();
  private final List<BodyEdit> edits = new ArrayList<>();
  private final List<String> edited = new ArrayList<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  /** The body as far as the steps have come; null while it is to come. */
  private byte @Nullable [] body;

  /** Bytes that the edits may make of it, all together. */
  private long most;

  /** No body comes. Edits are kept nevertheless: headers may speak of a body that is not sent (HEAD). */
  private boolean absent;

  private boolean passes;
  private boolean replaced;
  private boolean parsed;

  StepRun(Direction direction, StreamFacts facts, StepTrace trace) {
    this.direction = direction;
    this.facts = facts;
    this.trace = trace;
  }

  /** At the headers, with a body to come. */
  Came beforeBody(List<Step> steps) throws EvaluationException {
    try {
      return run(steps);
    } catch (UnprocessableBody e) {
      throw new EvaluationException("the template's body is unreadable: " + e.getMessage());
    }
  }

  /** At the headers, where no body comes. */
  Came withoutBody(List<Step> steps) throws EvaluationException {
    body = new byte[0];
    absent = true;
    return beforeBody(steps);
  }

  /** With a body that passes although it cannot be read: steps that read it are left out, and it is not edited. */
  Came withoutReading(List<Step> steps) throws EvaluationException {
    passes = true;
    return beforeBody(steps);
  }

  /**
   * With the whole body there.
   *
   * @param before what steps want made of it that were run before
   * @throws UnprocessableBody if a step cannot read it, or an edit cannot be made
   */
  Came withBody(byte[] whole, List<BodyEdit> before, List<Step> steps)
      throws EvaluationException, UnprocessableBody {
    body = whole;
    most = JsonEdits.most(whole.length);
    for (var edit : before) {
      edit(edit);
    }
    return run(steps);
  }

  /** What was changed beside the body's content, for people. */
  List<String> changes() {
    return changes;
  }

  /** The steps that could not be evaluated, or would have read a body that passes. */
  List<String> leftOut() {
    return leftOut;
  }

  DynamicMetadata metadata() {
    if (metadata.isEmpty()) {
      return DynamicMetadata.NONE;
    }
    var fields = Struct.newBuilder();
    metadata.forEach((key, text) ->
        fields.putFields(key, Value.newBuilder().setStringValue(text).build()));
    return DynamicMetadata.of(Bindings.PROCESSOR_NAMESPACE, fields.build());
  }

  StreamFacts facts() {
    return facts;
  }

  private Came run(List<Step> steps) throws EvaluationException, UnprocessableBody {
    for (var i = 0; i < steps.size(); i++) {
      var step = steps.get(i);
      if (step.waits() == Waits.KEEPS_BODY) {
        return !passes && isToCome() ? went(steps.subList(i, steps.size())) : went(List.of());
      }
      trace.begins(direction, step, facts);
      try {
        if (step.waits() == Waits.CONDITION && isToCome()) {
          if (!passes) {
            return waiting(steps, i);
          }
          leaveOut(step);
          continue;
        }
        if (!step.holds(facts)) {
          trace.leftOut();
          continue;
        }
        trace.holds();
        if (step.waits() == Waits.TEMPLATES && isToCome()) {
          if (!passes) {
            return waiting(steps, i);
          }
          leaveOut(step);
          continue;
        }
        if (step.respond() != null) {
          var reply = step.respond().render(facts);
          trace.responded(reply);
          return new Came.Responded(reply);
        }
        var rendered = step.render(facts);
        checkMetadata(rendered.metadata());
        change(step, rendered);
        trace.done();
      } catch (EvaluationException e) {
        trace.failed(String.valueOf(e.getMessage()));
        if (!step.skipOnError()) {
          throw new EvaluationException(step.name() + ": " + e.getMessage());
        }
        leftOut.add(step.name());
      }
    }
    return went(List.of());
  }

  private void leaveOut(Step step) {
    trace.leftOutUnread();
    leftOut.add(step.name());
  }

  private Came waiting(List<Step> steps, int from) {
    trace.waits();
    return went(steps.subList(from, steps.size()));
  }

  /** Whether the body is still to come; else it is read now. */
  private boolean isToCome() throws UnprocessableBody {
    if (body == null) {
      return true;
    }
    if (!parsed) {
      facts.read(direction, BodyJson.parse(body));
      parsed = true;
    }
    return false;
  }

  private Came went(List<Step> late) {
    return new Came.Went(
        replaced && body != null ? UnsafeByteOperations.unsafeWrap(body) : null,
        edits,
        edited,
        late);
  }

  private void change(Step step, Step.Rendered rendered) throws UnprocessableBody {
    var headers = facts.edits(direction);
    rendered.headers().applyTo(headers);
    if (rendered.path() != null) {
      headers.set(":path", rendered.path());
    }
    if (step.status() != null) {
      headers.set(":status", step.status());
    }
    changes.addAll(step.changes());
    if (rendered.body() != null) {
      trace.replacesBody(rendered.body());
      body = rendered.body().toByteArray();
      most = Math.max(most, JsonEdits.most(body.length));
      replaced = true;
      absent = false;
      parsed = false;
      edits.clear();
      edited.clear();
    }
    if (rendered.edit() != null && step.body() instanceof BodyStep.Edit edit) {
      trace.editsBody(rendered.edit());
      if (body == null || absent) {
        edits.add(rendered.edit());
        edited.addAll(edit.changes());
      } else if (edit(rendered.edit())) {
        changes.addAll(edit.changes());
      }
    }
    if (!rendered.metadata().isEmpty()) {
      trace.writes(rendered.metadata());
      metadata.putAll(rendered.metadata());
      facts.tell(rendered.metadata());
    }
  }

  /** Whether it changed the body; where there is none there is nothing to edit. */
  private boolean edit(BodyEdit edit) throws UnprocessableBody {
    var before = body;
    if (before == null || before.length == 0) {
      return false;
    }
    var after = edit.apply(before, most);
    if (Arrays.equals(after, before)) {
      return false;
    }
    body = after;
    replaced = true;
    parsed = false;
    return true;
  }

  private void checkMetadata(Map<String, String> more) throws EvaluationException {
    if (more.isEmpty()) {
      return;
    }
    var all = new LinkedHashMap<>(metadata);
    all.putAll(more);
    var bytes = 0L;
    for (var entry : all.entrySet()) {
      bytes +=
          entry.getKey().length() + ByteString.copyFromUtf8(entry.getValue()).size();
    }
    if (all.size() > MAX_METADATA_KEYS || bytes > MAX_METADATA_BYTES) {
      throw new EvaluationException("metadata: more than " + MAX_METADATA_KEYS + " keys and "
          + MAX_METADATA_BYTES + " bytes would be written for one message");
    }
  }
}
