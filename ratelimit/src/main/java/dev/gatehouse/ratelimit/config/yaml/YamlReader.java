package dev.gatehouse.ratelimit.config.yaml;

import com.google.protobuf.Struct;
import dev.gatehouse.policy.resource.Fields;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.Shown;
import dev.gatehouse.policy.resource.Value;
import dev.gatehouse.policy.resource.YamlText;
import dev.gatehouse.ratelimit.config.DescriptorConfig;
import dev.gatehouse.ratelimit.config.DomainConfig;
import dev.gatehouse.ratelimit.config.LimitConfig;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.Unit;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads envoyproxy/ratelimit's YAML. As there, a text may be written like a number or a boolean ({@code value: 404}), a field without
 * a value is one that is not there, units are in any case, and booleans have YAML 1.1's names. What has a wrong type is left out of
 * what is read, so that it is reported once.
 */
public final class YamlReader {
  private static final int MAX_TEXT = 4096;
  private static final int MAX_ITEMS = 100_000;
  private static final int MAX_DEPTH = 32;
  private static final Pattern DIGITS = Pattern.compile("(0|[1-9][0-9_]{0,24})");
  private static final Set<String> TRUE = Set.of("true", "yes", "on", "y");
  private static final Set<String> FALSE = Set.of("false", "no", "off", "n");
  private static final Map<String, Unit> UNITS = names(Unit.values());
  private static final Map<String, Algorithm> ALGORITHMS = names(Algorithm.values());

  private final String file;
  private final Problems problems;

  private YamlReader(String file, Problems problems) {
    this.file = file;
    this.problems = problems;
  }

  /** Each document of the text is a domain; one at least. */
  public static List<DomainConfig> read(String file, String text, Problems problems) {
    int before = problems.errors();
    var reader = new YamlReader(file, problems);
    var domains = new ArrayList<DomainConfig>();
    for (var document : YamlText.documents(file, text, problems)) {
      var domain = reader.sound(document, (fields, below) -> reader.domain(fields, below));
      if (domain != null) {
        domains.add(domain);
      }
    }
    if (domains.isEmpty() && problems.errors() == before) {
      problems.error(
          new Origin(file, 0, 0), "", "is empty (expected: domain: NAME, and its descriptors)");
    }
    return domains;
  }

  /** How many errors are of what stands below, and leave the value itself sound. */
  private static final class Below {
    int errors;
  }

  private interface Read<T> {
    T read(Fields fields, Below below);
  }

  /** The object, or null where one of its own fields was reported. */
  private <T> @Nullable T sound(Value value, Read<T> read) {
    int before = problems.errors();
    var below = new Below();
    T result = value.object(fields -> read.read(fields, below));
    return problems.errors() - before == below.errors ? result : null;
  }

  private DomainConfig domain(Fields fields, Below below) {
    // Envoy Gateway's dumps have it, and the reference passes it over.
    fields.nullable("name", v -> v.written(MAX_TEXT), "");
    return new DomainConfig(
        file,
        fields.nullable("domain", v -> v.written(MAX_TEXT), ""),
        descriptors(fields, 1, below),
        fields.origin());
  }

  private List<DescriptorConfig> descriptors(Fields fields, int depth, Below below) {
    if (depth > MAX_DEPTH) {
      return fields.nullable("descriptors", YamlReader::tooDeep, List.of());
    }
    return fields.nullable(
        "descriptors",
        list -> list.list(MAX_ITEMS, item -> {
          int before = problems.errors();
          var descriptor = sound(item, (f, b) -> descriptor(f, depth, b));
          below.errors += problems.errors() - before;
          return descriptor;
        }),
        List.of());
  }

  private static List<DescriptorConfig> tooDeep(Value value) {
    value.error("descriptors are nested more than " + MAX_DEPTH + " deep");
    return List.of();
  }

  private DescriptorConfig descriptor(Fields fields, int depth, Below below) {
    return new DescriptorConfig(
        fields.nullable("key", v -> v.written(MAX_TEXT), ""),
        fields.nullable("value", v -> v.written(MAX_TEXT), ""),
        fields.nullable("rate_limit", v -> v.object(YamlReader::limit)),
        descriptors(fields, depth + 1, below),
        flag(fields, "shadow_mode"),
        flag(fields, "quota_mode"),
        flag(fields, "detailed_metric"),
        flag(fields, "value_to_metric"),
        flag(fields, "share_threshold"),
        fields.nullable("metadata", YamlReader::metadata),
        fields.origin());
  }

  private static LimitConfig limit(Fields fields) {
    return new LimitConfig(
        fields.nullable("requests_per_unit", v -> number(v, Limit.Terms.MAX_REQUESTS), 0L),
        fields.nullable("unit", v -> named(v, UNITS)),
        fields
            .nullable("unit_multiplier", v -> number(v, Integer.MAX_VALUE), 1L)
            .intValue(),
        flag(fields, "unlimited"),
        fields.nullable("name", v -> v.written(MAX_TEXT), ""),
        fields.nullable("replaces", list -> list.list(MAX_ITEMS, YamlReader::replaced), List.of()),
        fields.nullable("algorithm", v -> named(v, ALGORITHMS)),
        fields.nullable("burst", v -> number(v, Long.MAX_VALUE)),
        fields.origin());
  }

  private static String replaced(Value item) {
    return item.object(fields -> fields.nullable("name", v -> v.written(MAX_TEXT), ""));
  }

  private static boolean flag(Fields fields, String name) {
    return fields.nullable(name, YamlReader::bool, false);
  }

  private static boolean bool(Value value) {
    var text = value.written(MAX_TEXT).toLowerCase(Locale.ROOT);
    if (!TRUE.contains(text) && !FALSE.contains(text)) {
      value.error(value.show(text) + " is not true or false");
    }
    return TRUE.contains(text);
  }

  /** YAML 1.1 allows underscores. What begins with 0 it takes for octal, and others for decimal: neither is taken here. */
  private static long number(Value value, long max) {
    var text = value.written(MAX_TEXT);
    if (!DIGITS.matcher(text).matches()) {
      value.error(value.show(text) + " is not a whole number in decimal digits (expected: 0 to "
          + max + ")");
      return 0;
    }
    var digits = text.replace("_", "");
    if (new BigInteger(digits).compareTo(BigInteger.valueOf(max)) > 0) {
      value.error(value.show(text) + " is out of range (expected: 0 to " + max + ")");
      return 0;
    }
    return Long.parseLong(digits);
  }

  private static <T> @Nullable T named(Value value, Map<String, T> choices) {
    var text = value.written(MAX_TEXT);
    var choice = choices.get(text.toLowerCase(Locale.ROOT));
    if (choice == null && !text.isEmpty()) {
      var meant = Shown.closest(text, choices.keySet());
      value.error(value.show(text) + " is not one of " + String.join(", ", choices.keySet())
          + (meant == null ? "" : " (did you mean \"" + meant + "\"?)"));
    }
    return choice;
  }

  private static @Nullable Struct metadata(Value value) {
    if (value.any() instanceof Map<?, ?> map) {
      return map.isEmpty() ? null : Structs.of(map);
    }
    value.error("expected a mapping of names to anything");
    return null;
  }

  private static <E extends Enum<E>> Map<String, E> names(E[] values) {
    var names = new LinkedHashMap<String, E>();
    for (var value : values) {
      names.put(value.name().toLowerCase(Locale.ROOT), value);
    }
    return names;
  }
}
