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

  /** Lines that are shown beside a change. */
  private static final int CONTEXT = 3;

  private static final JsonMapper PRETTY =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private Diff() {}

  /** Empty if nothing differs. */
  static List<String> of(Message before, Message after) {
    var changes = new ArrayList<>(ofHeaders(before.headers(), after.headers()));
    if (!before.body().equals(after.body())) {
      changes.addAll(ofBodies(before.body(), after.body()));
    }
    return changes;
  }

  static List<String> ofHeaders(List<Message.Header> before, List<Message.Header> after) {
    return of(lines(before), lines(after), false);
  }

  private static List<String> lines(List<Message.Header> headers) {
    return headers.stream().map(header -> header.name() + ": " + header.text()).toList();
  }

  /** JSON is compared value by value, whatever white space it was written with. */
  static List<String> ofBodies(ByteString before, ByteString after) {
    var was = lines(before);
    var is = lines(after);
    if (was == null || is == null || was.size() > MAX_LINES || is.size() > MAX_LINES) {
      return List.of(
          "- a body of " + before.size() + " bytes", "+ a body of " + after.size() + " bytes");
    }
    return near(of(was, is, true));
  }

  /** The lines that differ, and a few that do not on both sides of them. */
  private static List<String> near(List<String> lines) {
    var kept = new ArrayList<String>();
    var left = false;
    for (int i = 0; i < lines.size(); i++) {
      if (nearChange(lines, i)) {
        if (left) {
          kept.add("  …");
        }
        left = false;
        kept.add(lines.get(i));
      } else {
        left = true;
      }
    }
    if (left && !kept.isEmpty()) {
      kept.add("  …");
    }
    return kept;
  }

  private static boolean nearChange(List<String> lines, int at) {
    var end = Math.min(lines.size(), at + CONTEXT + 1);
    for (int i = Math.max(0, at - CONTEXT); i < end; i++) {
      if (!lines.get(i).startsWith(" ")) {
        return true;
      }
    }
    return false;
  }

  /** JSON one value a line; null for what is no text. */
  private static @Nullable List<String> lines(ByteString body) {
    if (body.isEmpty()) {
      return List.of();
    }
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
