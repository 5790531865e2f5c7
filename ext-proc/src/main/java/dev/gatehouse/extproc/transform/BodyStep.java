package dev.gatehouse.extproc.transform;

import dev.gatehouse.policy.expr.EvaluationException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a step makes of a body, compiled. */
sealed interface BodyStep {
  /** What of the policy's step it is: {@code json}. */
  String part();

  /** A text in place of the body, whatever that was. */
  record Template(Text text) implements BodyStep {
    @Override
    public String part() {
      return "body";
    }
  }

  /** A change of the body. */
  sealed interface Edit extends BodyStep {
    /** The edit, if it is the same for each message. */
    @Nullable
    BodyEdit fixed();

    BodyEdit edit(StreamFacts facts) throws EvaluationException;

    /** For people: {@code masked /card}. */
    List<String> changes();
  }

  record Json(JsonStep json, String part) implements Edit {
    @Override
    public @Nullable BodyEdit fixed() {
      var ready = json.ready();
      return ready == null ? null : new BodyEdit.Json(ready);
    }

    @Override
    public BodyEdit edit(StreamFacts facts) throws EvaluationException {
      return new BodyEdit.Json(json.edits(facts));
    }

    @Override
    public List<String> changes() {
      return json.changes();
    }
  }

  record Texts(BodyEdit.Texts edit, List<String> changes) implements Edit {
    @Override
    public String part() {
      return "body";
    }

    @Override
    public BodyEdit fixed() {
      return edit;
    }

    @Override
    public BodyEdit edit(StreamFacts facts) {
      return edit;
    }
  }

  /** Of a request. */
  record Form(NamedEdits fields, List<String> changes) implements Edit {
    @Override
    public String part() {
      return "form";
    }

    @Override
    public @Nullable BodyEdit fixed() {
      return null; // The media type is the message's.
    }

    @Override
    public BodyEdit edit(StreamFacts facts) throws EvaluationException {
      return new BodyEdit.Form(
          fields.ready(facts), BodyEdit.Form.isType(facts.header("content-type")));
    }
  }
}
