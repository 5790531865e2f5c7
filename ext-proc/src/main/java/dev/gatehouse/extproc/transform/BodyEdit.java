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
   * @param most that may come of it, in bytes or characters
   * @return the very same array if nothing changed
   */
  byte[] apply(byte[] body, long most) throws UnprocessableBody;

  /** The edits, if they can be made of a body that comes in pieces; null if it takes the whole. */
  default @Nullable JsonEdits streaming() {
    return null;
  }

  /** Whether it takes time in proportion to the body, so that a small one may be edited on an event loop. */
  default boolean isQuick() {
    return true;
  }

  record Json(JsonEdits edits) implements BodyEdit {
    @Override
    public byte[] apply(byte[] body, long most) throws UnprocessableBody {
      return edits.apply(body, most);
    }

    @Override
    public @Nullable JsonEdits streaming() {
      return edits.needsWholeBody().isEmpty() ? edits : null;
    }
  }

  /** @param isForm whether the message says that its body is one */
  record Form(NamedEdits.Ready fields, boolean isForm) implements BodyEdit {
    private static final String TYPE = "application/x-www-form-urlencoded";

    /** A field takes some hundred bytes of memory, be it a single letter. */
    private static final int MAX_FIELDS = 10_000;

    /** Whether a {@code content-type} is that of a form whose fields stand in one line. */
    static boolean isType(@Nullable String contentType) {
      return contentType != null
          && contentType.regionMatches(true, 0, TYPE, 0, TYPE.length())
          && (contentType.length() == TYPE.length()
              || " ;\t".indexOf(contentType.charAt(TYPE.length())) >= 0);
    }

    @Override
    public byte[] apply(byte[] body, long most) throws UnprocessableBody {
      if (!isForm) {
        throw new UnprocessableBody("it is no form: its content-type is not " + TYPE);
      }
      checkFields(body);
      var before = new String(body, StandardCharsets.ISO_8859_1);
      var after = Parameters.edit(before, fields);
      if (after.length() > most) {
        throw JsonEdits.tooLarge();
      }
      return after.equals(before) ? body : after.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static void checkFields(byte[] body) throws UnprocessableBody {
      var count = 1;
      for (var b : body) {
        if (b == '&' && ++count > MAX_FIELDS) {
          throw new UnprocessableBody("it has more than " + MAX_FIELDS + " fields");
        }
      }
    }
  }

  /** @param replaces in order */
  record Texts(List<TextReplacement> replaces) implements BodyEdit {
    @Override
    public byte[] apply(byte[] body, long most) throws UnprocessableBody {
      var before = TextReplacement.decode(body);
      var after = before;
      for (var replace : replaces) {
        after = replace.apply(after, most);
      }
      return after.equals(before) ? body : after.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public boolean isQuick() {
      return false;
    }
  }
}
