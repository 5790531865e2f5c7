package dev.gatehouse.extproc.transform;

import dev.gatehouse.extproc.json.JsonEdits;
import dev.gatehouse.extproc.json.UnprocessableBody;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A change of a body, ready to be made for one message. Thread-safe. */
sealed interface BodyEdit {
  /**
   * The changed body.
   *
   * @return the very same array if nothing changed
   */
  byte[] apply(byte[] body) throws UnprocessableBody;

  /** The edits, if they can be made of a body that comes in pieces; null if it takes the whole. */
  default @Nullable JsonEdits streaming() {
    return null;
  }

  record Json(JsonEdits edits) implements BodyEdit {
    @Override
    public byte[] apply(byte[] body) throws UnprocessableBody {
      return edits.apply(body);
    }

    @Override
    public @Nullable JsonEdits streaming() {
      return edits.needsWholeBody().isEmpty() ? edits : null;
    }
  }

  /** @param isForm whether the message says that its body is one */
  record Form(NamedEdits.Ready fields, boolean isForm) implements BodyEdit {
    private static final String TYPE = "application/x-www-form-urlencoded";

    /** Whether a {@code content-type} is that of a form whose fields stand in one line. */
    static boolean isType(@Nullable String contentType) {
      return contentType != null
          && contentType.regionMatches(true, 0, TYPE, 0, TYPE.length())
          && (contentType.length() == TYPE.length()
              || " ;\t".indexOf(contentType.charAt(TYPE.length())) >= 0);
    }

    @Override
    public byte[] apply(byte[] body) throws UnprocessableBody {
      if (!isForm) {
        throw new UnprocessableBody("it is no form: its content-type is not " + TYPE);
      }
      var before = new String(body, StandardCharsets.ISO_8859_1);
      var after = Parameters.edit(before, fields);
      return after.equals(before) ? body : after.getBytes(StandardCharsets.ISO_8859_1);
    }
  }

  /** @param replaces in order */
  record Texts(List<TextReplacement> replaces) implements BodyEdit {
    @Override
    public byte[] apply(byte[] body) throws UnprocessableBody {
      var before = TextReplacement.decode(body);
      var after = before;
      for (var replace : replaces) {
        if (Thread.currentThread().isInterrupted()) {
          throw new UnprocessableBody("nobody waits for it any more");
        }
        after = replace.apply(after);
      }
      return after.equals(before) ? body : after.getBytes(StandardCharsets.UTF_8);
    }
  }
}
