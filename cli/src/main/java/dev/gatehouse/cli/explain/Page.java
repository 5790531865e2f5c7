package dev.gatehouse.cli.explain;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** An explanation as people read it: lines with nothing secret in them, and nothing that could steer a terminal. */
public final class Page {
  public enum Style {
    HEADING,
    PLAIN,
    DIM,
    GOOD,
    BAD,
    ADDED,
    REMOVED
  }

  public record Line(Style style, String text) {}

  private static final JsonMapper PRETTY =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private final Secrets secrets;
  private final List<Line> lines = new ArrayList<>();

  Page(Secrets secrets) {
    this.secrets = secrets;
  }

  public List<Line> lines() {
    return List.copyOf(lines);
  }

  void heading(String text) {
    if (!lines.isEmpty()) {
      lines.add(new Line(Style.PLAIN, ""));
    }
    line(Style.HEADING, text);
  }

  void plain(String text) {
    line(Style.PLAIN, "  " + text);
  }

  void dim(String text) {
    line(Style.DIM, "  " + text);
  }

  void verdict(boolean good, String text) {
    line(good ? Style.GOOD : Style.BAD, "  " + text);
  }

  void diff(List<String> changes) {
    for (var change : changes) {
      line(
          change.startsWith("+") ? Style.ADDED : change.startsWith("-") ? Style.REMOVED : Style.DIM,
          "    " + change);
    }
  }

  /** Nothing secret is in it before it is written: what JSON escapes would not be recognised. */
  void json(Object json) {
    PRETTY
        .writeValueAsString(secrets.masked(json))
        .lines()
        .forEach(each -> line(Style.DIM, "    " + each));
  }

  private void line(Style style, String text) {
    var clean = new StringBuilder();
    secrets
        .mask(text)
        .codePoints()
        .forEach(c -> clean.appendCodePoint(Character.isISOControl(c) ? '\uFFFD' : c));
    lines.add(new Line(style, clean.toString()));
  }
}
