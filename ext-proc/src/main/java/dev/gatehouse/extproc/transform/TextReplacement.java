package dev.gatehouse.extproc.transform;

import com.google.re2j.Pattern;
import dev.gatehouse.extproc.json.JsonEdits;
import dev.gatehouse.extproc.json.UnprocessableBody;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.TransformPolicy;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Replaces what an RE2 expression finds in a body. One search takes time in proportion to the text, but there are as many as it finds;
 * what all of them together may read is bounded.
 */
record TextReplacement(Pattern regex, String replacement) {
  /** How often a text may be read through by all searches together, where a few times is what ordinary expressions take. */
  private static final int TIMES_READ = 32;

  /** And what may be read beside that, in characters. */
  private static final int MORE_READ = 256 << 10;

  /** Null with the problem said. */
  static @Nullable TextReplacement compile(
      TransformPolicy.Replacement replace, Origin origin, String where, Problems problems) {
    var regex = Re2.compile(replace.regex(), origin, where + ".regex", problems);
    return regex == null
        ? null
        : new TextReplacement(regex, replace.replacement().replace("\\", "\\\\"));
  }

  /** A body as text. */
  static String decode(byte[] body) throws UnprocessableBody {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
    } catch (CharacterCodingException e) {
      throw new UnprocessableBody("it is not UTF-8");
    }
  }

  /**
   * @param most characters that may come of it: an expression that finds every one must not make gigabytes of a small body
   * @throws UnprocessableBody also if the thread is interrupted, which ends a search
   */
  String apply(String text, long most) throws UnprocessableBody {
    try {
      return replaced(text, most);
    } catch (BoundedText.GivenUp e) {
      throw new UnprocessableBody(String.valueOf(e.getMessage()));
    }
  }

  private String replaced(String text, long most) throws UnprocessableBody {
    var matcher = BoundedText.matcher(regex, text, TIMES_READ, MORE_READ);
    if (!matcher.find()) {
      return text;
    }
    var out = new StringBuilder(text.length() + 64);
    do {
      matcher.appendReplacement(out, replacement);
      if (out.length() > most) {
        throw JsonEdits.tooLarge();
      }
    } while (matcher.find());
    return matcher.appendTail(out).toString();
  }
}
