package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.stream.HeaderChanges;
import dev.gatehouse.extproc.stream.Reply;
import dev.gatehouse.policy.expr.Condition;
import dev.gatehouse.policy.expr.EvaluationException;
import dev.gatehouse.policy.expr.RequestFacts;
import dev.gatehouse.policy.resource.Origin;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One compiled step of a policy.
 *
 * @param needs what it looks at, and where it stands
 * @param skipOnError whether a step whose condition or templates cannot be evaluated is left out; else it fails the message
 * @param status as the {@code :status} header says it
 * @param changes what it changes beside the body, for people, names without values: {@code -server}, {@code x-user=}
 * @param waits what of it cannot be evaluated before its direction's body is there
 */
record Step(
    StepNeeds needs,
    @Nullable Condition when,
    boolean skipOnError,
    NamedEdits headers,
    @Nullable PathRewrite path,
    @Nullable NamedEdits query,
    @Nullable ByteString status,
    @Nullable BodyStep body,
    Map<String, Text> metadata,
    @Nullable Respond respond,
    List<String> changes,
    Waits waits) {
  /** Statuses that take away a body that has come: whether one has, only the message tells (RFC 9110 section 6.4.1). */
  private static final Set<ByteString> BODILESS =
      Set.of(ByteString.copyFromUtf8("204"), ByteString.copyFromUtf8("304"));

  /** What of a step cannot be evaluated before the body is there. */
  enum Waits {
    NOTHING,
    /** A template, or more of them. */
    TEMPLATES,
    CONDITION,
    /** All of it: it is none of the policy's steps, but keeps a request's body for the steps of the response. */
    KEEPS_BODY
  }

  /** What comes after a request's steps where steps of the response read the request's body. */
  static Step keepingBody(Step reader) {
    return new Step(
        reader.needs,
        null,
        false,
        NamedEdits.NONE,
        null,
        null,
        null,
        null,
        Map.of(),
        null,
        List.of(),
        Waits.KEEPS_BODY);
  }

  record Respond(int status, Map<String, List<Text>> headers, Text body) {
    Reply.Respond render(RequestFacts facts) throws EvaluationException {
      try {
        return rendered(facts);
      } catch (EvaluationException e) {
        throw in("respond", e);
      }
    }

    private Reply.Respond rendered(RequestFacts facts) throws EvaluationException {
      var changes = HeaderChanges.builder();
      for (var header : headers.entrySet()) {
        var values = Text.render(header.getValue(), facts);
        for (var i = 0; i < values.size(); i++) {
          if (i == 0) {
            changes.overwrite(header.getKey(), values.get(i));
          } else {
            changes.append(header.getKey(), values.get(i));
          }
        }
      }
      return new Reply.Respond(
          status, changes.build(), body.render(facts), "gatehouse_transform_respond");
    }
  }

  /** What a step does to one message, all of it rendered: from here on nothing can fail, so a step happens as a whole or not at all. */
  record Rendered(
      NamedEdits.Ready headers,
      @Nullable ByteString path,
      @Nullable ByteString body,
      @Nullable BodyEdit edit,
      Map<String, String> metadata) {}

  /** What people call it: its name, or its place in the policy. */
  String name() {
    return needs.title();
  }

  /** Where it stands, by which {@code explain} knows it. */
  Origin origin() {
    return needs.origin();
  }

  boolean holds(RequestFacts facts) throws EvaluationException {
    return when == null || when.test(facts);
  }

  /**
   * All that it does unless it responds; it sees the message as it was before the step.
   *
   * @throws EvaluationException says which part of the step it is of
   */
  Rendered render(StreamFacts facts) throws EvaluationException {
    var part = body == null ? "" : body.part();
    try {
      var text = body instanceof BodyStep.Template(var template) ? template.render(facts) : null;
      var edit = body instanceof BodyStep.Edit some ? some.edit(facts) : null;
      part = "headers";
      var ready = headers.ready(facts);
      part = "path";
      var rewritten = path == null ? null : path.apply(facts.path(), facts);
      part = "query";
      var changed = query == null
          ? rewritten
          : Parameters.editQuery(rewritten == null ? facts.path() : rewritten, query.ready(facts));
      var sent = changed == null ? null : changedPath(facts.path(), changed);
      part = "metadata";
      var told = metadata.isEmpty() ? Map.<String, String>of() : metadata(facts);
      return new Rendered(ready, sent, text, edit, told);
    } catch (EvaluationException e) {
      throw in(part, e);
    }
  }

  private static EvaluationException in(String part, EvaluationException e) {
    return new EvaluationException(part + ": " + e.getMessage());
  }

  private Map<String, String> metadata(StreamFacts facts) throws EvaluationException {
    var texts = new LinkedHashMap<String, String>();
    for (var entry : metadata.entrySet()) {
      texts.put(entry.getKey(), entry.getValue().render(facts).toStringUtf8());
    }
    return texts;
  }

  /** Null if it stays. */
  private static @Nullable ByteString changedPath(String before, String after)
      throws EvaluationException {
    if (after.equals(before)) {
      return null;
    }
    if (after.indexOf('\ufffd') >= 0) {
      throw new EvaluationException("the path is not UTF-8");
    }
    return ByteString.copyFromUtf8(after);
  }

  /** Whether it does the same to every message, whatever that holds. */
  boolean isFixed() {
    return waits == Waits.NOTHING
        && when == null
        && (status == null || !BODILESS.contains(status))
        && headers.fixed() != null
        && path == null
        && query == null
        && (body == null || (body instanceof BodyStep.Edit edit && edit.fixed() != null))
        && metadata.isEmpty()
        && respond == null;
  }
}
