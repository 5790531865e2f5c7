package dev.gatehouse.cli.reference;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The variables for people: in help, and as the tables of docs/ratelimit-compatibility.md. */
public final class Listing {
  private static final String MEANING_INDENT = "        ";
  private static final int MEANING_WIDTH = 88;

  private Listing() {}

  /** Lines for help, in groups. */
  public static List<String> help() {
    var lines = new ArrayList<>(List.of(
        "",
        "Environment of envoyproxy/ratelimit, below the flags and variables above. Its defaults, which stand",
        "behind the names, hold in bin/ratelimit; here only what is set does:"));
    for (var group : Variable.Group.values()) {
      lines.add("");
      lines.add("  " + group.title() + ":");
      for (var variable : of(group)) {
        lines.add("    " + variable + (variable.usual().isEmpty() ? "" : "=" + variable.usual()));
        var text = variable.meaning()
            + switch (variable.honour()) {
              case Honour.Here(var note) -> note.isEmpty() ? "" : " (" + note + ")";
              case Honour.No(var instead) -> " (not honoured: " + instead + ")";
            };
        wrap(text, lines);
      }
    }
    lines.addAll(
        List.of(
            "",
            "Example:",
            "  REDIS_SOCKET_TYPE=tcp REDIS_URL=127.0.0.1:6379 gatehouse ratelimit --policies policies/"));
    return lines;
  }

  private static void wrap(String text, List<String> lines) {
    var line = new StringBuilder();
    for (var word : text.split(" ")) {
      if (line.length() + word.length() >= MEANING_WIDTH) {
        lines.add(MEANING_INDENT + line);
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(MEANING_INDENT + line);
  }

  /** Tables in Markdown, one a group. */
  public static String markdown() {
    var text = new StringBuilder();
    for (var group : Variable.Group.values()) {
      text.append("### ").append(group.title()).append("\n");
      text.append("| Variable | Default | Meaning | Here |\n|---|---|---|---|\n");
      for (var variable : of(group)) {
        text.append("| `").append(variable).append("` | ");
        text.append(variable.usual().isEmpty() ? "" : "`" + variable.usual() + "`")
            .append(" | ");
        text.append(variable.meaning()).append(" | ");
        text.append(
            switch (variable.honour()) {
              case Honour.Here(var note) ->
                note.isEmpty() ? "yes" : note.startsWith("--") ? "yes; " + note : note;
              case Honour.No(var instead) -> "**no:** " + instead;
            });
        text.append(" |\n");
      }
      text.append("\n");
    }
    return text.toString();
  }

  private static List<Variable> of(Variable.Group group) {
    return Arrays.stream(Variable.values()).filter(v -> v.group() == group).toList();
  }
}
