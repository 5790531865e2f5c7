package dev.gatehouse.ratelimit.stats;

import com.google.re2j.Matcher;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * A mapping of statsd_exporter ({@code PROMETHEUS_MAPPER_YAML}), as far as it concerns what this service counts: globs in their order, then
 * regular expressions in theirs; name, labels, {@code action}, {@code match_metric_type}, and {@code scale} of times.
 */
public final class MapperFile implements Mapping {
  private static final int MAX_BYTES = 1 << 20;
  private static final Set<String> KEYS = Set.of(
      "match",
      "match_type",
      "name",
      "labels",
      "action",
      "match_metric_type",
      "scale",
      "timer_type",
      "observer_type",
      "help");
  private static final java.util.regex.Pattern REFERENCE =
      java.util.regex.Pattern.compile("\\$\\{?(\\d{1,4})}?");

  private final List<Rule> rules;

  private MapperFile(List<Rule> rules) {
    this.rules = rules;
  }

  /**
   * What came of reading it.
   *
   * @param mapping the file's, or the standard one if the file cannot be used at all
   * @param problems what is not honoured, a sentence each; empty if all is
   */
  public record Loaded(Mapping mapping, List<String> problems) {}

  /** A kind of statistic. */
  private enum Type {
    COUNTER,
    TIMER
  }

  /** @param type null maps both */
  private record Rule(
      Matched matched,
      boolean regex,
      String name,
      Map<String, String> labels,
      boolean drop,
      @Nullable Type type,
      double scale) {
    Series series(IntFunction<String> part) {
      if (drop) {
        return Series.DROPPED;
      }
      var values = new LinkedHashMap<String, String>();
      labels.forEach((label, template) -> values.put(label, filled(template, part)));
      return Series.of(Mapping.unmapped(filled(name, part)).metric(), values);
    }
  }

  /** Finds out whether a name matches. */
  private interface Matched {
    /** @return the name's parts by their number, or null */
    @Nullable
    IntFunction<String> parts(String name);
  }

  public static Loaded read(Path file) {
    try (var in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        return unusable(file, "larger than " + MAX_BYTES + " bytes");
      }
      return rules(file, new YAMLMapper().readTree(bytes));
    } catch (NoSuchFileException e) {
      return unusable(file, "no such file");
    } catch (IOException | JacksonException e) {
      return unusable(file, String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
    }
  }

  private static Loaded unusable(Path file, String why) {
    return new Loaded(
        Mapping.standard(), List.of(file + ": " + why + "; the standard mapping is used"));
  }

  private static Loaded rules(Path file, JsonNode root) {
    var problems = new ArrayList<String>();
    var rules = new ArrayList<Rule>();
    if (!root.path("mappings").isArray()) {
      return unusable(file, "no list \"mappings\" in it");
    }
    for (var key : root.propertyNames()) {
      if (!key.equals("mappings")) {
        problems.add(file + ": " + key + " is not honoured");
      }
    }
    int at = 0;
    for (var entry : root.path("mappings")) {
      var place = file + ": mappings[" + at++ + "]";
      for (var key : entry.propertyNames()) {
        if (!KEYS.contains(key)) {
          problems.add(place + "." + key + " is not honoured");
        }
      }
      var rule = rule(place, entry, problems);
      if (rule != null) {
        rules.add(rule);
      }
    }
    return new Loaded(new MapperFile(List.copyOf(rules)), List.copyOf(problems));
  }

  private static @Nullable Rule rule(String place, JsonNode entry, List<String> problems) {
    var match = entry.path("match").asString("");
    var name = entry.path("name").asString("");
    boolean drop = entry.path("action").asString("map").equals("drop");
    boolean regex = entry.path("match_type").asString("glob").equals("regex");
    if (match.isEmpty() || (name.isEmpty() && !drop)) {
      problems.add(place + ": needs \"match\" and \"name\"; left out");
      return null;
    }
    var wanted = entry.path("match_metric_type").asString("");
    if (wanted.equals("gauge")) {
      return null; // there are none
    }
    var type = switch (wanted) {
      case "counter" -> Type.COUNTER;
      case "observer", "timer" -> Type.TIMER;
      default -> null;
    };
    var labels = new LinkedHashMap<String, String>();
    entry
        .path("labels")
        .properties()
        .forEach(label -> labels.put(label.getKey(), label.getValue().asString("")));
    double scale = entry.path("scale").asDouble(1);
    try {
      return new Rule(
          regex ? regex(Pattern.compile(match)) : glob(match.split("\\.", -1)),
          regex,
          name,
          labels,
          drop,
          type,
          scale);
    } catch (PatternSyntaxException e) {
      problems.add(place + ".match: " + e.getMessage() + "; left out");
      return null;
    }
  }

  private static Matched glob(String[] wanted) {
    return name -> {
      var parts = name.split("\\.", -1);
      if (parts.length != wanted.length) {
        return null;
      }
      var stars = new ArrayList<String>();
      for (int i = 0; i < parts.length; i++) {
        if (wanted[i].equals("*")) {
          stars.add(parts[i]);
        } else if (!wanted[i].equals(parts[i])) {
          return null;
        }
      }
      return number -> number >= 1 && number <= stars.size() ? stars.get(number - 1) : "";
    };
  }

  private static Matched regex(Pattern pattern) {
    return name -> {
      Matcher found = pattern.matcher(name);
      if (!found.find()) {
        return null;
      }
      return number -> {
        var part = number <= found.groupCount() ? found.group(number) : null;
        return part == null ? "" : part;
      };
    };
  }

  private static String filled(String template, IntFunction<String> part) {
    return REFERENCE
        .matcher(template)
        .replaceAll(found ->
            java.util.regex.Matcher.quoteReplacement(part.apply(Integer.parseInt(found.group(1)))));
  }

  @Override
  public Series counter(String name) {
    var mapped = map(name, Type.COUNTER);
    return mapped == null ? Mapping.unmapped(name) : mapped.series();
  }

  @Override
  public Timer timer(String name) {
    var mapped = map(name, Type.TIMER);
    return mapped == null ? new Timer(Mapping.unmapped(name), 1) : mapped;
  }

  private @Nullable Timer map(String name, Type type) {
    var globs = map(name, type, false);
    return globs != null ? globs : map(name, type, true);
  }

  private @Nullable Timer map(String name, Type type, boolean regex) {
    for (var rule : rules) {
      if (rule.regex == regex && (rule.type == null || rule.type == type)) {
        var parts = rule.matched.parts(name);
        if (parts != null) {
          return new Timer(rule.series(parts), rule.scale);
        }
      }
    }
    return null;
  }
}
