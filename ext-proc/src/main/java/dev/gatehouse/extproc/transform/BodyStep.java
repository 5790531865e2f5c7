package dev.gatehouse.extproc.transform;

import dev.gatehouse.extproc.transform.BodyUse.How;
import dev.gatehouse.policy.expr.EvaluationException;
import dev.gatehouse.policy.expr.Reads;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a step makes of a body, compiled. */
sealed interface BodyStep {
  Reads reads();

  /** A text in place of the body, whatever that was. */
  record Template(Text text) implements BodyStep {
    @Override
    public Reads reads() {
      return text.reads();
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

    /**
     * What it needs of the body if its templates do not read that.
     *
     * @param step how the step is called
     */
    BodyUse use(String step);
  }

  record Json(JsonStep json) implements Edit {
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

    @Override
    public BodyUse use(String step) {
      return json.needsWholeBody()
          .map(why -> new BodyUse(How.WHOLE, step + ": " + why))
          .orElseGet(() -> new BodyUse(How.STREAM, step + ": JSON is edited as it comes"));
    }

    @Override
    public Reads reads() {
      return json.reads();
    }
  }

  record Texts(BodyEdit.Texts edit, List<String> changes) implements Edit {
    @Override
    public BodyEdit fixed() {
      return edit;
    }

    @Override
    public BodyEdit edit(StreamFacts facts) {
      return edit;
    }

    @Override
    public BodyUse use(String step) {
      return new BodyUse(
          How.WHOLE, step + ": what a regular expression finds may be anywhere in the body");
    }

    @Override
    public Reads reads() {
      return Reads.NOTHING;
    }
  }

  /** Of a request. */
  record Form(NamedEdits fields, List<String> changes) implements Edit {
    @Override
    public @Nullable BodyEdit fixed() {
      return null; // The media type is the message's.
    }

    @Override
    public BodyEdit edit(StreamFacts facts) throws EvaluationException {
      return new BodyEdit.Form(
          fields.ready(facts), BodyEdit.Form.isType(facts.header("content-type")));
    }

    @Override
    public BodyUse use(String step) {
      return new BodyUse(How.WHOLE, step + ": the fields of a form may come in any order");
    }

    @Override
    public Reads reads() {
      return fields.reads();
    }
  }
}
