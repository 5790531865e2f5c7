package dev.gatehouse.ratelimit.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.ratelimit.config.yaml.YamlReader;
import dev.gatehouse.ratelimit.descriptor.Defaults;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What reading must hold for whatever anyone writes: it never fails, and what it refuses it explains. */
class MutationTest {
  private static final String GOOD = """
      domain: shop
      descriptors:
      - key: route
        value: api/*
        shadow_mode: true
        quota_mode: false
        detailed_metric: true
        value_to_metric: true
        share_threshold: true
        metadata: {team: {name: orders, size: 3, tags: [a, null]}}
        rate_limit: {name: api, requests_per_unit: 100, unit: minute, unit_multiplier: 5, algorithm: token_bucket, burst: 20, replaces: [{name: old}]}
        descriptors:
        - key: user
          rate_limit: {unlimited: true}
      - key: remote_address
        rate_limit: {unit: day, requests_per_unit: 4294967295}
      """;
  private static final Pattern WORD = Pattern.compile("[\\w/*]+");
  private static final List<String> OTHER = List.of(
      "",
      "null",
      "~",
      "-1",
      "0",
      "007",
      "1.5",
      "1e400",
      "99999999999999999999",
      "yes",
      "[]",
      "{}",
      "[[]]",
      "{a: b}",
      "'",
      "\"",
      "*a",
      "&a",
      "!!int 5",
      "<<",
      "|",
      "- x",
      "\u0000",
      "\uD800",
      "a: b");

  private static Problems load(String yaml) {
    var problems = new Problems();
    ConfigCompiler.compile(
        YamlReader.read("limits.yaml", yaml, problems), Defaults.REFERENCE, false, problems);
    return problems;
  }

  @Test
  void the_configuration_that_is_changed_is_a_good_one() {
    assertThat(load(GOOD).all()).isEmpty();
  }

  @Test
  void whatever_is_written_is_read_or_explained() {
    for (int seed = 0; seed < 5_000; seed++) {
      var random = new Random(seed);
      var text = GOOD;
      for (int i = random.nextInt(3); i >= 0; i--) {
        text = mutated(text, random);
      }
      var yaml = text;
      assertThatCode(() -> assertThat(load(yaml).all()).allSatisfy(problem -> {
            assertThat(problem.severity()).isEqualTo(Problem.Severity.ERROR);
            assertThat(problem.origin().file()).isEqualTo("limits.yaml");
            assertThat(problem.message()).isNotBlank();
          }))
          .as("seed %d:%n%s", seed, yaml)
          .doesNotThrowAnyException();
    }
  }

  private static String mutated(String text, Random random) {
    return switch (random.nextInt(4)) {
      case 0 -> replaced(text, random, OTHER.get(random.nextInt(OTHER.size())));
      case 1 -> {
        int from = random.nextInt(text.length());
        yield text.substring(0, from)
            + text.substring(Math.min(text.length(), from + random.nextInt(20)));
      }
      case 2 -> {
        int at = random.nextInt(text.length());
        yield text.substring(0, at) + OTHER.get(random.nextInt(OTHER.size())) + text.substring(at);
      }
      default -> {
        var lines = text.split("\n", -1);
        int a = random.nextInt(lines.length);
        int b = random.nextInt(lines.length);
        var line = lines[a];
        lines[a] = lines[b];
        lines[b] = line;
        yield String.join("\n", lines);
      }
    };
  }

  private static String replaced(String text, Random random, String by) {
    var words = WORD.matcher(text).results().toList();
    if (words.isEmpty()) {
      return by;
    }
    var word = words.get(random.nextInt(words.size()));
    return text.substring(0, word.start()) + by + text.substring(word.end());
  }
}
