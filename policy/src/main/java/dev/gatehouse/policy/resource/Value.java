package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.YamlNode.Kind;
import dev.gatehouse.policy.resource.YamlNode.Mapping;
import dev.gatehouse.policy.resource.YamlNode.Scalar;
import dev.gatehouse.policy.resource.YamlNode.Sequence;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A value in a resource, or in another YAML text ({@link YamlText}), and the path that leads to it. What it cannot be read as it reports, and then gives something harmless, so
 * that reading goes on and finds every problem: who reads a resource asks afterwards whether there were errors, and drops it.
 */
public final class Value {
  /** Longer than any name, pattern or URI that a policy needs; bodies, keys and Secrets have their own bound. */
  static final int MAX_TEXT = 4096;

  private static final Pattern INTEGER = Pattern.compile("-?(0|[1-9][0-9]{0,17})");
  private static final Pattern DURATION =
      Pattern.compile("(?:[0-9]{1,10}(?:\\.[0-9]{1,9})?(?:h|ms|m|s|us|µs|ns)){1,6}");
  private static final Pattern DURATION_PART =
      Pattern.compile("([0-9]+(?:\\.[0-9]+)?)(h|ms|m|s|us|µs|ns)");
  private static final Pattern QUANTITY = Pattern.compile("([0-9]{1,18})([KMGTPE]i|[kMGTPE])?");
  private static final Duration LONGEST = Duration.ofDays(3650);

  private final Context context;
  private final @Nullable YamlNode node;
  private final Origin origin;
  private final String path;

  /** What the values of one resource share. */
  record Context(Problems problems, boolean secret) {}

  /** @param node null for a value that is not there, which was reported: it says nothing more */
  Value(Context context, @Nullable YamlNode node, Origin origin, String path) {
    this.context = context;
    this.node = node;
    this.origin = origin;
    this.path = path;
  }

  /** Where its key stands or, for an item of a list, where it begins. */
  public Origin origin() {
    return origin;
  }

  public String path() {
    return path;
  }

  public void error(String message) {
    context.problems.error(origin, path, message);
  }

  public void warning(String message) {
    context.problems.warning(origin, path, message);
  }

  void notice(String message) {
    context.problems.notice(origin, path, message);
  }

  /** The raw node, for what may be anything; null when it is not there. */
  @Nullable
  YamlNode node() {
    return node;
  }

  /** Not empty, at most {@value #MAX_TEXT} characters. */
  String text() {
    return text(MAX_TEXT);
  }

  /** Not empty. */
  public String text(int max) {
    var text = anyText(max);
    if (text.isEmpty()
        && node instanceof Scalar(var at, var raw, var kind)
        && kind == Kind.STRING
        && raw.isEmpty()) {
      error("is empty");
    }
    return text;
  }

  /** The text of a value as it is written, a number's and a boolean's too; empty where there is no value. */
  public String written(int max) {
    if (!(node instanceof Scalar(var at, var text, var kind))) {
      return wrong("a text", "");
    }
    if (text.length() > max) {
      error("is " + text.length() + " characters long (expected: at most " + max + ")");
      return "";
    }
    return text;
  }

  /** Whether nothing is written there, or {@code null}. */
  public boolean isNull() {
    return node == null
        || (node instanceof Scalar(var at, var text, var kind) && kind == Kind.NULL);
  }

  /** Whatever it is, as Java has it: maps with text keys, lists, texts, doubles, booleans and null. */
  public @Nullable Object any() {
    return node == null ? null : plain(node);
  }

  private static @Nullable Object plain(YamlNode node) {
    return switch (node) {
      case Mapping(var at, var entries, var size) -> {
        var map = new LinkedHashMap<String, @Nullable Object>();
        entries.forEach((name, entry) -> map.put(name, plain(entry.value())));
        yield Collections.unmodifiableMap(map);
      }
      case Sequence(var at, var items, var size) -> {
        var list = new ArrayList<@Nullable Object>(items.size());
        items.forEach(item -> list.add(plain(item)));
        yield Collections.unmodifiableList(list);
      }
      case Scalar(var at, var text, var kind) ->
        switch (kind) {
          case STRING -> text;
          case NUMBER -> number(text);
          case BOOLEAN -> Boolean.valueOf(text);
          case NULL -> null;
        };
    };
  }

  /** As a Struct has numbers; what YAML calls one and is none in decimal digits, such as {@code .inf}, stays a text. */
  private static Object number(String text) {
    try {
      return Double.valueOf(text);
    } catch (NumberFormatException e) {
      return text;
    }
  }

  /** A text that may be empty. */
  public String anyText(int max) {
    if (!(node instanceof Scalar(var at, var text, var kind))) {
      return wrong("a text", "");
    }
    switch (kind) {
      case NUMBER, BOOLEAN -> error("expected a text, got " + node.called() + ": put it in quotes");
      case NULL -> error("has no value");
      case STRING -> {
        if (text.length() <= max) {
          return text;
        }
        error("is " + text.length() + " characters long (expected: at most " + max + ")");
      }
    }
    return "";
  }

  public boolean bool() {
    if (node instanceof Scalar(var at, var text, var kind) && kind == Kind.BOOLEAN) {
      return text.equals("true");
    }
    return wrong("true or false", false);
  }

  /** Reports a flag that is on. */
  void refuseTrue(String message) {
    if (bool()) {
      error(message);
    }
  }

  int integer(int min, int max) {
    return (int) integer((long) min, (long) max);
  }

  public long integer(long min, long max) {
    if (!(node instanceof Scalar(var at, var text, var kind))
        || kind != Kind.NUMBER
        || !INTEGER.matcher(text).matches()) {
      return wrong("a whole number", min);
    }
    long value = Long.parseLong(text);
    if (value < min || value > max) {
      error(show(text) + " is out of range (expected: " + min + " to " + max + ")");
      return min;
    }
    return value;
  }

  /** A duration as the Gateway API (GEP-2257: {@code 1h30m}) and Go ({@code 0.5s}) write it; at most ten years. */
  Duration duration() {
    var text = node instanceof Scalar(var at, var raw, var kind) && kind == Kind.STRING ? raw : "";
    if (!DURATION.matcher(text).matches()) {
      return wrong("a duration such as 300s, 5m or 1h30m", Duration.ofSeconds(1));
    }
    var nanos = BigDecimal.ZERO;
    var parts = DURATION_PART.matcher(text);
    while (parts.find()) {
      nanos = nanos.add(
          new BigDecimal(parts.group(1)).multiply(BigDecimal.valueOf(nanosOf(parts.group(2)))));
    }
    if (nanos.compareTo(BigDecimal.valueOf(LONGEST.toNanos())) > 0) {
      error(show(text) + " is too long (expected: at most " + LONGEST.toDays() * 24 + "h)");
      return Duration.ofSeconds(1);
    }
    return Duration.ofNanos(nanos.longValue());
  }

  private static long nanosOf(String unit) {
    return switch (unit) {
      case "h" -> 3_600_000_000_000L;
      case "m" -> 60_000_000_000L;
      case "s" -> 1_000_000_000L;
      case "ms" -> 1_000_000L;
      case "ns" -> 1L;
      default -> 1_000L;
    };
  }

  /** Bytes, as Kubernetes writes quantities: {@code 10Mi}, {@code 64k}, {@code 1024}. */
  long bytes(long min, long max) {
    var matcher = QUANTITY.matcher(node instanceof Scalar(var at, var raw, var kind) ? raw : "");
    if (!matcher.matches()) {
      return wrong("a number of bytes such as 10Mi, 64Ki or 1024", min);
    }
    var value =
        BigDecimal.valueOf(Long.parseLong(matcher.group(1))).multiply(factor(matcher.group(2)));
    if (value.compareTo(BigDecimal.valueOf(min)) < 0
        || value.compareTo(BigDecimal.valueOf(max)) > 0) {
      error(
          show(matcher.group()) + " is out of range (expected: " + min + " to " + max + " bytes)");
      return min;
    }
    return value.longValue();
  }

  private static BigDecimal factor(@Nullable String suffix) {
    if (suffix == null) {
      return BigDecimal.ONE;
    }
    int power = "kMGTPE".indexOf(suffix.replace('K', 'k').charAt(0)) + 1;
    return BigDecimal.valueOf(suffix.endsWith("i") ? 1024 : 1000).pow(power);
  }

  /** One of the names; the message lists them. The map is not empty. */
  public <T> T oneOf(Map<String, T> choices) {
    var names = new TreeSet<>(choices.keySet());
    var text = node instanceof Scalar(var at, var raw, var kind) && kind != Kind.NULL ? raw : "";
    var choice = choices.get(text);
    if (choice != null) {
      return choice;
    }
    var any = choices.values().iterator().next();
    if (text.isEmpty()) {
      return wrong("one of " + String.join(", ", names), any);
    }
    error(show(text) + " is not one of " + String.join(", ", names)
        + (context.secret ? "" : Shown.didYouMean(text, names)));
    return any;
  }

  /** The items; one that is read as null is left out. */
  public <T> List<T> list(int max, Function<Value, ? extends @Nullable T> item) {
    if (!(node instanceof Sequence(var at, var items, var size))) {
      return wrong("a list", List.of());
    }
    if (items.size() > max) {
      error("has " + items.size() + " items (expected: at most " + max + ")");
      return List.of();
    }
    var read = new ArrayList<T>(items.size());
    for (int i = 0; i < items.size(); i++) {
      var value =
          item.apply(new Value(context, items.get(i), items.get(i).origin(), path + "[" + i + "]"));
      if (value != null) {
        read.add(value);
      }
    }
    return List.copyOf(read);
  }

  /** A mapping of names to values, in the order of the file. */
  <T> Map<String, T> map(int max, Function<Value, T> value) {
    if (!(node instanceof Mapping(var at, var entries, var size))) {
      return wrong("a mapping", Map.of());
    }
    if (entries.size() > max) {
      error("has " + entries.size() + " entries (expected: at most " + max + ")");
      return Map.of();
    }
    var read = new LinkedHashMap<String, T>();
    entries.forEach((name, entry) -> read.put(
        name,
        value.apply(
            new Value(context, entry.value(), entry.key(), path + "[" + Shown.of(name) + "]"))));
    return Collections.unmodifiableMap(read);
  }

  /** An object; the fields that {@code read} does not ask for are reported as unknown. */
  public <T> T object(Function<Fields, T> read) {
    if (node != null && !(node instanceof Mapping)) {
      wrong("a mapping", "");
    }
    var fields =
        new Fields(context, node instanceof Mapping mapping ? mapping : null, origin, path);
    var result = read.apply(fields);
    fields.done();
    return result;
  }

  /** Looks at some fields of an object and leaves the others to somebody else. */
  void inspect(Consumer<Fields> look) {
    object(fields -> {
      fields.others();
      look.accept(fields);
      return fields;
    });
  }

  /** Reports that the value is not what was expected, unless it is not there at all. */
  private <T> T wrong(String expected, T harmless) {
    if (node == null) {
      return harmless;
    }
    if (node instanceof Scalar(var at, var text, var kind) && kind == Kind.NULL) {
      error("has no value (expected: " + expected + ")");
    } else if (node instanceof Scalar(var at, var text, var kind) && !context.secret) {
      error(show(text) + " is not " + expected);
    } else {
      error("expected " + expected + ", got " + node.called());
    }
    return harmless;
  }

  /** The offending text in quotes, unless it may be a secret. */
  public String show(String text) {
    return context.secret ? "the value" : "\"" + Shown.of(text) + "\"";
  }
}
