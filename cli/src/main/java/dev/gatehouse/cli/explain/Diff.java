package dev.gatehouse.cli.explain;

import com.google.protobuf.ByteString;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** What differs between two states of a message, line by line: {@code - was}, {@code + is}. */
final class Diff {
  /** Of two bodies with more lines only the sizes are told. */
  private static final int MAX_LINES = 1_000;

  private static final JsonMapper PRETTY =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private Diff() {}

  /** Empty if nothing differs. */
  static List<String> of(Message before, Message after) {
    var changes = new ArrayList<>(of(headers(before), headers(after), false));
    if (!before.body().equals(after.body())) {
      changes.addAll(bodies(before.body(), after.body()));
    }
    return changes;
  }

  private static List<String> headers(Message message) {
    return message.headers().stream()
        .map(header -> header.name() + ": " + header.text())
        .toList();
  }

  private static List<String> bodies(ByteString before, ByteString after) {
    var was = lines(before);
    var is = lines(after);
    if (was == null || is == null || was.size() > MAX_LINES || is.size() > MAX_LINES) {
      return List.of(
          "- a body of " + before.size() + " bytes", "+ a body of " + after.size() + " bytes");
    }
    return of(was, is, true);
  }

  /** JSON one value a line; null for what is no text. */
  private static @Nullable List<String> lines(ByteString body) {
    String text;
    try {
      text = StandardCharsets.UTF_8
          .newDecoder()
          .decode(body.asReadOnlyByteBuffer())
          .toString();
    } catch (CharacterCodingException e) {
      return null;
    }
    try {
      return PRETTY.writeValueAsString(PRETTY.readTree(text)).lines().toList();
    } catch (JacksonException e) {
      return text.lines().toList();
    }
  }

  /** By the longest common sequence. */
  private static List<String> of(List<String> was, List<String> is, boolean context) {
    var common = new int[was.size() + 1][is.size() + 1];
    for (int i = was.size() - 1; i >= 0; i--) {
      for (int j = is.size() - 1; j >= 0; j--) {
        common[i][j] = was.get(i).equals(is.get(j))
            ? common[i + 1][j + 1] + 1
            : Math.max(common[i + 1][j], common[i][j + 1]);
      }
    }
    var changes = new ArrayList<String>();
    int i = 0;
    int j = 0;
    while (i < was.size() || j < is.size()) {
      if (i < was.size() && j < is.size() && was.get(i).equals(is.get(j))) {
        if (context) {
          changes.add("  " + was.get(i));
        }
        i++;
        j++;
      } else if (i < was.size() && (j == is.size() || common[i + 1][j] >= common[i][j + 1])) {
        changes.add("- " + was.get(i++));
      } else {
        changes.add("+ " + is.get(j++));
      }
    }
    return changes;
  }
}
