package dev.gatehouse.extproc.transform;

import dev.gatehouse.extproc.json.JsonEdit;
import dev.gatehouse.extproc.json.JsonEdits;
import dev.gatehouse.extproc.json.JsonPath;
import dev.gatehouse.extproc.json.JsonTemplate;
import dev.gatehouse.policy.expr.EvaluationException;
import dev.gatehouse.policy.expr.RequestFacts;
import dev.gatehouse.policy.expr.Template;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A step's JSON operations: ready-made edits, unless a value holds templates.
 *
 * @param changes for people: {@code masked /card}
 */
record JsonStep(List<Op> ops, @Nullable JsonEdits ready, List<String> changes) {
  sealed interface Op {}

  record Ready(JsonEdit edit) implements Op {}

  /** A value whose strings hold templates. */
  record SetRendered(JsonPath at, List<Piece> pieces) implements Op {
    JsonEdit render(RequestFacts facts) throws EvaluationException {
      var value = new StringBuilder();
      for (var piece : pieces) {
        value.append(
            switch (piece) {
              case Raw(var json) -> json;
              case Rendered(var template) -> JsonTemplate.quote(template.render(facts));
            });
      }
      return new JsonEdit.Set(at, value.toString());
    }
  }

  sealed interface Piece {}

  record Raw(String json) implements Piece {}

  /** A string of the value. */
  record Rendered(Template template) implements Piece {}

  static JsonStep of(List<Op> ops, List<String> changes) {
    var edits = new ArrayList<JsonEdit>();
    for (var op : ops) {
      if (op instanceof Ready(var edit)) {
        edits.add(edit);
      }
    }
    return new JsonStep(
        List.copyOf(ops),
        edits.size() == ops.size() ? JsonEdits.of(edits) : null,
        List.copyOf(changes));
  }

  /** The edits for this request. */
  JsonEdits edits(RequestFacts facts) throws EvaluationException {
    if (ready != null) {
      return ready;
    }
    var edits = new ArrayList<JsonEdit>(ops.size());
    for (var op : ops) {
      edits.add(
          switch (op) {
            case Ready(var edit) -> edit;
            case SetRendered rendered -> rendered.render(facts);
          });
    }
    return JsonEdits.of(edits);
  }
}
