package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.YamlNode.Entry;
import dev.gatehouse.policy.resource.YamlNode.Kind;
import dev.gatehouse.policy.resource.YamlNode.Mapping;
import dev.gatehouse.policy.resource.YamlNode.Scalar;
import dev.gatehouse.policy.resource.YamlNode.Sequence;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.dataformat.yaml.YAMLFactory;
import tools.jackson.dataformat.yaml.YAMLParser;

/**
 * The documents of one YAML text, one after another, each as a tree that keeps line and column. Bounded: the text's length, the
 * depth of nesting, and the number of nodes with aliases followed ("billion laughs").
 */
final class YamlDocuments implements AutoCloseable {
  /** Below the YAML library's own limit of 3 Mi code points. */
  static final int MAX_CHARS = 2 * 1024 * 1024;

  static final int MAX_DEPTH = 64;
  static final int MAX_NODES = 200_000;
  private static final YAMLFactory YAML = YAMLFactory.builder().build();
  private static final Pattern PLACE = Pattern.compile("line (\\d+), column (\\d+)");

  private final String file;
  private final String text;
  private final Problems problems;
  private final YAMLParser parser;
  private final Map<String, YamlNode> anchors = new HashMap<>();
  private final boolean merges;
  private int nodes;
  private boolean ended;
  private boolean broken;

  YamlDocuments(String file, String text, Problems problems) {
    this(file, text, problems, false);
  }

  /** @param merges whether YAML 1.1's merge keys ({@code <<}) are followed; else each is an error */
  YamlDocuments(String file, String text, Problems problems, boolean merges) {
    this.merges = merges;
    this.file = file;
    this.text = text;
    this.problems = problems;
    this.parser = (YAMLParser) YAML.createParser(ObjectReadContext.empty(), text);
  }

  /** The next document that is not empty; null at the end, and where the text is not YAML, which is reported. */
  @Nullable
  YamlNode next() {
    while (!ended) {
      try {
        anchors.clear();
        if (parser.nextToken() == null) {
          ended = true;
          continue;
        }
        var node = read(0);
        if (!(node instanceof Scalar scalar && scalar.kind() == Kind.NULL)) {
          return node;
        }
      } catch (JacksonException e) {
        stop(placeOf(e), "this is not YAML: " + explain(e));
      } catch (Unreadable e) {
        stop(e.origin, e.getMessage());
      }
    }
    return null;
  }

  /** Whether the text could not be read to its end. */
  boolean broken() {
    return broken;
  }

  private YamlNode read(int depth) {
    if (depth > MAX_DEPTH) {
      throw new Unreadable(here(), "nested more than " + MAX_DEPTH + " deep");
    }
    var origin = here();
    var anchor = parser.getObjectId();
    YamlNode node = switch (parser.currentToken()) {
      case START_OBJECT -> mapping(origin, depth);
      case START_ARRAY -> sequence(origin, depth);
      default -> scalar(origin);
    };
    if (anchor != null) {
      anchors.put(anchor, node);
    }
    return node;
  }

  private Mapping mapping(Origin origin, int depth) {
    count(origin, 1);
    checkTag(origin);
    var entries = new LinkedHashMap<String, Entry>();
    var merged = new ArrayList<Mapping>();
    int size = 1;
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      var at = here();
      var name = parser.currentName();
      parser.nextToken();
      var value = read(depth + 1);
      size += value.size();
      if (name.equals("<<")) {
        merge(at, value, merged);
        continue;
      }
      var before = entries.putIfAbsent(name, new Entry(at, value));
      if (before != null) {
        problems.error(
            at,
            "",
            "duplicate key \"" + Shown.of(name) + "\", first at line "
                + before.key().line());
      }
    }
    for (var mapping : merged) {
      mapping.entries().forEach(entries::putIfAbsent);
    }
    return new Mapping(origin, entries, size);
  }

  /** What is written out goes before what is merged, and of several the first one. */
  private void merge(Origin at, YamlNode value, List<Mapping> merged) {
    if (!merges) {
      problems.error(at, "", "merge keys (<<) are not supported; write the fields out");
      return;
    }
    var sources = value instanceof Sequence sequence ? sequence.items() : List.of(value);
    for (var source : sources) {
      if (source instanceof Mapping mapping) {
        merged.add(mapping);
      } else {
        problems.error(at, "", "a merge key (<<) takes a mapping or a list of mappings");
      }
    }
  }

  private Sequence sequence(Origin origin, int depth) {
    count(origin, 1);
    checkTag(origin);
    var items = new ArrayList<YamlNode>();
    int size = 1;
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      var item = read(depth + 1);
      size += item.size();
      items.add(item);
    }
    return new Sequence(origin, List.copyOf(items), size);
  }

  private YamlNode scalar(Origin origin) {
    var text = parser.getString();
    if (parser.isCurrentAlias()) {
      var target = anchors.get(text);
      if (target == null) {
        throw new Unreadable(
            origin,
            "no mapping or list with the anchor &" + Shown.of(text) + " stands before the alias *"
                + Shown.of(text) + " (a single value cannot be referred to; repeat it)");
      }
      count(origin, target.size());
      return target;
    }
    count(origin, 1);
    checkTag(origin);
    return switch (parser.currentToken()) {
      case VALUE_NULL -> new Scalar(origin, "", Kind.NULL);
      case VALUE_TRUE, VALUE_FALSE -> new Scalar(origin, text, Kind.BOOLEAN);
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> new Scalar(origin, text, Kind.NUMBER);
      default -> new Scalar(origin, text, Kind.STRING);
    };
  }

  private void count(Origin origin, int more) {
    nodes += more;
    if (nodes > MAX_NODES) {
      throw new Unreadable(
          origin, "more than " + MAX_NODES + " values in one file, aliases followed");
    }
  }

  /** The core schema's tags say what a value is anyway; others would change how a value is read. */
  private void checkTag(Origin origin) {
    var tag = parser.getRawTag();
    if (tag != null && !tag.equals("!") && !tag.equals("tag:yaml.org,2002:str")) {
      throw new Unreadable(origin, "YAML tags are not supported (" + Shown.of(tag) + ")");
    }
  }

  private Origin here() {
    var at = parser.currentTokenLocation();
    return new Origin(file, at.getLineNr(), at.getColumnNr());
  }

  private void stop(Origin origin, String message) {
    problems.error(origin, "", message);
    ended = true;
    broken = true;
  }

  /** The last place that the message names is where the parser stood; the exception's own location is a token earlier. */
  private Origin placeOf(JacksonException e) {
    Origin origin = null;
    var places = PLACE.matcher(e.getOriginalMessage());
    while (places.find()) {
      origin =
          new Origin(file, Integer.parseInt(places.group(1)), Integer.parseInt(places.group(2)));
    }
    if (origin != null) {
      return origin;
    }
    var at = e.getLocation();
    return at == null || at.getLineNr() <= 1
        ? firstControl()
        : new Origin(file, at.getLineNr(), at.getColumnNr());
  }

  /** The parser does not say where a character stands that YAML forbids. */
  private Origin firstControl() {
    int line = 1;
    int column = 1;
    for (int i = 0; i < text.length(); i++, column++) {
      char c = text.charAt(i);
      if (c == '\n') {
        line++;
        column = 0;
      } else if (Character.isISOControl(c) && c != '\t' && c != '\r' && c != 0x85) {
        return new Origin(file, line, column);
      }
    }
    return new Origin(file, 1, 1);
  }

  /** The message without the lines that quote the file: they may hold a secret. */
  private static String explain(JacksonException e) {
    var kept = new ArrayList<String>();
    for (var line : e.getOriginalMessage().split("\n", -1)) {
      if (!line.startsWith(" ") && !line.startsWith("in \"") && !line.isBlank()) {
        kept.add(line.strip());
      }
    }
    var message = String.join(", ", kept);
    return message + advice(message);
  }

  /** Two mistakes have many faces: a line that is indented otherwise, and a text that YAML takes for more than a text. */
  private static String advice(String message) {
    if (message.contains("mapping values are not allowed")) {
      return " (is the line indented as its neighbours are? a text with \": \" in it stands in quotes)";
    }
    return message.contains("expected <block end>")
        ? " (is the line indented as its neighbours are?)"
        : "";
  }

  @Override
  public void close() {
    parser.close();
  }

  private static final class Unreadable extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final transient Origin origin;

    Unreadable(Origin origin, String message) {
      super(message, null, false, false);
      this.origin = origin;
    }

    @Override
    public String getMessage() {
      return String.valueOf(super.getMessage());
    }
  }
}
