package dev.gatehouse.extproc.transform;

import dev.gatehouse.extproc.json.JsonEdit;
import dev.gatehouse.extproc.json.JsonEdits;
import dev.gatehouse.extproc.json.JsonTemplate;
import dev.gatehouse.policy.expr.EvaluationException;
import dev.gatehouse.policy.expr.RequestFacts;
import dev.gatehouse.policy.expr.Template;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * A step's JSON operations, compiled.
 *
 * @param rendered the values that hold templates, in the order in which the edits want them
 * @param changes for people: {@code masked /card}
 */
record JsonStep(JsonEdits compiled, List<Value> rendered, List<String> changes) {
  /**
   * One edit.
   *
   * @param edit is given the number of its first value
   * @param values that it puts in and whose strings hold templates
   */
  record Op(IntFunction<JsonEdit> edit, List<Value> values) {
    static Op ready(JsonEdit edit) {
      return new Op(first -> edit, List.of());
    }

    boolean needsWholeBody() {
      return edit.apply(0).needsWholeBody().isPresent();
    }
  }

  /** A JSON text whose strings hold templates. */
  record Value(List<Piece> pieces) {
    boolean isTemplate() {
      return pieces.stream().anyMatch(Rendered.class::isInstance);
    }

    String render(RequestFacts facts) throws EvaluationException {
      var value = new StringBuilder();
      for (var piece : pieces) {
        value.append(
            switch (piece) {
              case Raw(var json) -> json;
              case Rendered(var template) -> JsonTemplate.quote(template.render(facts));
            });
      }
      return value.toString();
    }
  }

  sealed interface Piece {}

  record Raw(String json) implements Piece {}

  /** A string of the value. */
  record Rendered(Template template) implements Piece {}

  static JsonStep of(List<Op> ops, List<String> changes) {
    var edits = new ArrayList<JsonEdit>();
    var rendered = new ArrayList<Value>();
    for (var op : ops) {
      edits.add(op.edit.apply(rendered.size()));
      rendered.addAll(op.values);
    }
    return new JsonStep(JsonEdits.of(edits), List.copyOf(rendered), List.copyOf(changes));
  }

  /** The edits, if they are the same for each request. */
  @Nullable
  JsonEdits ready() {
    return rendered.isEmpty() ? compiled : null;
  }

  /** The edits for this request. */
  JsonEdits edits(RequestFacts facts) throws EvaluationException {
    if (rendered.isEmpty()) {
      return compiled;
    }
    var values = new ArrayList<String>(rendered.size());
    for (var value : rendered) {
      values.add(value.render(facts));
    }
    return compiled.with(values);
  }
}
