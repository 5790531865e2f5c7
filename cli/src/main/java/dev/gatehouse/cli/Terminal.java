package dev.gatehouse.cli;

import java.io.PrintWriter;
import java.util.Map;

/**
 * Where a command writes and what surrounds it.
 *
 * @param interactive whether a person reads {@code out}
 */
record Terminal(PrintWriter out, PrintWriter err, Map<String, String> env, boolean interactive) {
  /** Colours for people only, and not for those who asked for none (no-color.org). */
  boolean color() {
    return interactive
        && env.getOrDefault("NO_COLOR", "").isEmpty()
        && !"dumb".equals(env.get("TERM"));
  }

  String red(String text) {
    return paint("31", text);
  }

  String green(String text) {
    return paint("32", text);
  }

  String yellow(String text) {
    return paint("33", text);
  }

  String bold(String text) {
    return paint("1", text);
  }

  String dim(String text) {
    return paint("2", text);
  }

  private String paint(String code, String text) {
    return color() ? "\u001b[" + code + "m" + text + "\u001b[0m" : text;
  }
}
