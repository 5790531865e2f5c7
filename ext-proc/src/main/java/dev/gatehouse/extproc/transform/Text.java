package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import dev.gatehouse.policy.expr.EvaluationException;
import dev.gatehouse.policy.expr.Expressions;
import dev.gatehouse.policy.expr.Place;
import dev.gatehouse.policy.expr.Reads;
import dev.gatehouse.policy.expr.RequestFacts;
import dev.gatehouse.policy.expr.Template;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A text of a policy: a constant, or one with CEL in {@code ${…}}. */
sealed interface Text {
  ByteString render(RequestFacts facts) throws EvaluationException;

  Reads reads();

  record Constant(ByteString bytes) implements Text {
    @Override
    public ByteString render(RequestFacts facts) {
      return bytes;
    }

    @Override
    public Reads reads() {
      return Reads.NOTHING;
    }
  }

  record Rendered(Template template) implements Text {
    @Override
    public ByteString render(RequestFacts facts) throws EvaluationException {
      return ByteString.copyFromUtf8(template.render(facts));
    }

    @Override
    public Reads reads() {
      return template.reads();
    }
  }

  /** Whatever a template yields, no CR, LF or NUL reaches Envoy, which would refuse all the changes. */
  record HeaderValue(Template template) implements Text {
    @Override
    public ByteString render(RequestFacts facts) throws EvaluationException {
      var value = template.render(facts);
      if (!isHeaderValue(value)) {
        throw new EvaluationException("a header's value would hold a control character");
      }
      return ByteString.copyFromUtf8(value);
    }

    @Override
    public Reads reads() {
      return template.reads();
    }
  }

  static List<ByteString> render(List<Text> texts, RequestFacts facts) throws EvaluationException {
    if (texts.size() == 1) {
      return List.of(texts.getFirst().render(facts));
    }
    var values = new ArrayList<ByteString>(texts.size());
    for (var text : texts) {
      values.add(text.render(facts));
    }
    return values;
  }

  default boolean isConstant() {
    return this instanceof Constant;
  }

  /** Null with the problem said. */
  static @Nullable Text of(
      String text, Place place, Origin origin, String path, Problems problems) {
    if (!text.contains("${")) {
      return new Constant(ByteString.copyFromUtf8(text));
    }
    var template = Expressions.template(text, place, origin, path, problems);
    return template == null ? null : new Rendered(template);
  }

  /** As {@link #of}, of a header's value. */
  static @Nullable Text ofHeader(
      String text, Place place, Origin origin, String path, Problems problems) {
    if (!text.contains("${") && !isHeaderValue(text)) {
      problems.error(
          origin, path, "a header's value holds a control character such as CR or LF; take it out");
      return null;
    }
    var made = of(text, place, origin, path, problems);
    return made instanceof Rendered(var template) ? new HeaderValue(template) : made;
  }

  /** RFC 9110 section 5.5, as strictly as Envoy: no control character but the tab. */
  private static boolean isHeaderValue(String value) {
    for (var i = 0; i < value.length(); i++) {
      var c = value.charAt(i);
      if ((c < ' ' && c != '\t') || c == 0x7f) {
        return false;
      }
    }
    return true;
  }
}
