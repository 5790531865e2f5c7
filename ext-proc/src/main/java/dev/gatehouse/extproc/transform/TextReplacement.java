package dev.gatehouse.extproc.transform;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.gatehouse.extproc.json.UnprocessableBody;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.TransformPolicy;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Replaces what an RE2 expression finds in a body. RE2/J takes linear time, whatever the expression and the body. */
record TextReplacement(Pattern regex, String replacement) {
  /** How much a text may grow, beside thrice its length: an expression that finds every character must not make gigabytes of a small body. */
  private static final int GROWTH = 1 << 20;

  /** Null with the problem said. */
  static @Nullable TextReplacement compile(
      TransformPolicy.Replacement replace, Origin origin, String where, Problems problems) {
    try {
      return new TextReplacement(
          Pattern.compile(replace.regex()), replace.replacement().replace("\\", "\\\\"));
    } catch (PatternSyntaxException e) {
      problems.error(
          origin,
          where + ".regex",
          "not an RE2 expression: " + e.getMessage()
              + " (RE2 has no look-around and no back references)");
      return null;
    }
  }

  /** A body as text. */
  static String decode(byte[] body) throws UnprocessableBody {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
    } catch (CharacterCodingException e) {
      throw new UnprocessableBody("it is not UTF-8");
    }
  }

  String apply(String text) throws UnprocessableBody {
    var matcher = regex.matcher(text);
    if (!matcher.find()) {
      return text;
    }
    var most = 4L * text.length() + GROWTH;
    var out = new StringBuilder(text.length() + 64);
    do {
      matcher.appendReplacement(out, replacement);
      if (out.length() > most) {
        throw new UnprocessableBody("the changed body would be too large");
      }
    } while (matcher.find());
    return matcher.appendTail(out).toString();
  }
}
