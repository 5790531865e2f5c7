package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.HeaderChanges;
import dev.gatehouse.extproc.stream.Reply;
import dev.gatehouse.policy.expr.Condition;
import dev.gatehouse.policy.expr.EvaluationException;
import dev.gatehouse.policy.expr.RequestFacts;
import dev.gatehouse.policy.resource.Origin;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One compiled step of a policy.
 *
 * @param status as the {@code :status} header says it
 * @param changes what it changes beside JSON, for people, names without values: {@code -server}, {@code x-user=}
 * @param origin where it stands, by which {@code explain} knows it
 */
record Step(
    @Nullable Condition when,
    Headers headers,
    @Nullable PathRewrite path,
    @Nullable QueryEdit query,
    @Nullable ByteString status,
    @Nullable JsonStep json,
    @Nullable Text body,
    @Nullable Respond respond,
    List<String> changes,
    Origin origin) {

  /** In the order in which they happen. */
  record Headers(
      List<String> remove,
      Map<String, String> rename,
      Map<String, Text> set,
      Map<String, Text> add) {
    static final Headers NONE = new Headers(List.of(), Map.of(), Map.of(), Map.of());
  }

  record Respond(int status, Map<String, Text> headers, Text body) {
    Reply.Respond render(RequestFacts facts) throws EvaluationException {
      var changes = HeaderChanges.builder();
      for (var header : headers.entrySet()) {
        changes.overwrite(header.getKey(), header.getValue().render(facts));
      }
      return new Reply.Respond(
          status, changes.build(), body.render(facts), "gatehouse_transform_respond");
    }
  }

  boolean holds(RequestFacts facts) throws EvaluationException {
    return when == null || when.test(facts);
  }

  /** All that it changes but the body. */
  void change(Direction direction, StreamFacts facts) throws EvaluationException {
    var edits = facts.edits(direction);
    for (var name : headers.remove) {
      edits.remove(name);
    }
    for (var rename : headers.rename.entrySet()) {
      edits.rename(rename.getKey(), rename.getValue());
    }
    for (var set : headers.set.entrySet()) {
      edits.set(set.getKey(), set.getValue().render(facts));
    }
    for (var add : headers.add.entrySet()) {
      edits.add(add.getKey(), add.getValue().render(facts));
    }
    if (path != null || query != null) {
      changePath(facts, edits);
    }
    if (status != null) {
      edits.set(":status", status);
    }
  }

  private void changePath(StreamFacts facts, HeaderEdits edits) throws EvaluationException {
    var before = facts.path();
    var after = path == null ? before : path.apply(before);
    if (query != null) {
      after = query.apply(after, facts);
    }
    if (!after.equals(before)) {
      if (after.indexOf('\ufffd') >= 0) {
        throw new EvaluationException("the path is not UTF-8");
      }
      edits.set(":path", ByteString.copyFromUtf8(after));
    }
  }

  /** Whether it does the same to every message, whatever that holds. */
  boolean isFixed() {
    return when == null
        && headers.rename.isEmpty()
        && headers.set.values().stream().allMatch(Text::isConstant)
        && headers.add.values().stream().allMatch(Text::isConstant)
        && path == null
        && query == null
        && body == null
        && respond == null
        && (json == null || json.ready() != null);
  }
}
