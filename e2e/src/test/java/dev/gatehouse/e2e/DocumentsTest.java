package dev.gatehouse.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.source.Load;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What the documents say is true: their policies load, their links lead somewhere, and what they show a command print it prints. */
class DocumentsTest {
  private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
  private static final Pattern YAML = Pattern.compile("```yaml\n(.*?)```", Pattern.DOTALL);
  private static final Pattern SHOWN = Pattern.compile("```(java|yaml)\n(.*?)```", Pattern.DOTALL);
  private static final Pattern QUOTED = Pattern.compile("`([^`]+)`");
  private static final Pattern LINK = Pattern.compile("\\]\\((?!https?:|#)([^)#]+)");

  @TestFactory
  Stream<DynamicTest> every_policy_in_the_documents_loads() throws IOException {
    var tests = new ArrayList<DynamicTest>();
    for (var document : documents()) {
      var yaml = YAML.matcher(Files.readString(document));
      var count = 0;
      while (yaml.find()) {
        var text = yaml.group(1);
        if (text.contains("apiVersion:")) {
          var name = ROOT.relativize(document) + " #" + ++count;
          tests.add(DynamicTest.dynamicTest(name, () -> loads(name, text)));
        }
      }
    }
    assertThat(tests).isNotEmpty();
    return tests.stream();
  }

  /** So it compiles, and what it says of itself is tested. */
  @Test
  void what_the_kits_page_shows_stands_in_the_example_or_in_the_kits_tests() throws IOException {
    var page = Files.readString(ROOT.resolve("docs/kit.md"));
    var shown = SHOWN.matcher(page);
    var sources = kitSources();
    var count = 0;
    while (shown.find()) {
      if (!shown.group(2).contains("apiVersion:")) {
        count++;
        assertThat(sources.get(shown.group(1))).as(shown.group()).contains(bare(shown.group(2)));
      }
    }
    assertThat(count).isGreaterThan(5);
  }

  @Test
  void the_project_that_the_kits_page_begins_with_asks_for_what_there_is() throws IOException {
    var page = Files.readString(ROOT.resolve("docs/kit.md"));
    var ours = Files.readString(ROOT.resolve("pom.xml"));
    var project = page.substring(page.indexOf("<project>"), page.indexOf("</project>"));
    var asked = Pattern.compile(
            "<groupId>dev.gatehouse</groupId><artifactId>[a-z-]+</artifactId>(<version>.*?</version>)?")
        .matcher(project);
    var count = 0;
    while (asked.find()) {
      count++;
      assertThat(bare(ours)).contains(asked.group());
    }
    assertThat(count).isEqualTo(3);
  }

  /** By the language of a block, all of it without blanks. */
  private static Map<String, String> kitSources() throws IOException {
    var example = ROOT.resolve("examples/processor");
    var java = new StringBuilder();
    for (var folder : List.of(
        example.resolve("src"), ROOT.resolve("ext-proc/src/test/java/dev/gatehouse/extproc/kit"))) {
      try (var files = Files.walk(folder)) {
        for (var file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
          java.append(Files.readString(file));
        }
      }
    }
    return Map.of(
        "java", bare(java.toString()),
        "yaml", bare(Files.readString(example.resolve("envoy.yaml"))));
  }

  private static String bare(String text) {
    return text.replaceAll("\\s", "");
  }

  @Test
  void every_link_leads_to_a_file() throws IOException {
    var broken = new ArrayList<String>();
    for (var document : documents()) {
      var link = LINK.matcher(Files.readString(document));
      while (link.find()) {
        if (!Files.exists(document.resolveSibling(link.group(1)))) {
          broken.add(ROOT.relativize(document) + ": " + link.group(1));
        }
      }
    }
    assertThat(broken).isEmpty();
  }

  @Test
  void every_attack_in_the_list_has_its_tests() throws IOException {
    haveTests("docs/security.md", "## Attacks that are tests", "### Fuzzing", 15);
  }

  @Test
  void every_trap_of_envoys_has_its_tests() throws IOException {
    haveTests("docs/ext-proc.md", "## Envoy's traps", "## Bad input", 18);
  }

  @Test
  void every_bad_input_has_its_tests() throws IOException {
    haveTests("docs/ext-proc.md", "## Bad input", "## Weak spots", 15);
  }

  /** Rows of a table whose last column names test classes, methods of these, or policy cases. */
  private static void haveTests(String document, String from, String to, int atLeast)
      throws IOException {
    var text = Files.readString(ROOT.resolve(document));
    var rows = text.substring(text.indexOf(from), text.indexOf(to))
        .lines()
        .filter(line -> line.startsWith("| ") && line.endsWith("` |"))
        .toList();
    assertThat(rows).hasSizeGreaterThanOrEqualTo(atLeast);
    var sources = testSources();
    for (var row : rows) {
      var tests = QUOTED.matcher(row.substring(row.lastIndexOf(" | `")));
      while (tests.find()) {
        var name = tests.group(1).split("\\.", 2);
        var folder = ROOT.resolve("e2e/src/test/cases").resolve(name[0]);
        assertThat(sources.containsKey(name[0]) || Files.exists(folder.resolve("requests.yaml")))
            .as("\"%s\" of: %s", name[0], row)
            .isTrue();
        if (name.length == 2) {
          assertThat(sources.get(name[0])).as(row).containsPattern("\\b" + name[1] + "\\b");
        }
      }
    }
  }

  /** By the class's name; of several classes of one name all. */
  private static Map<String, String> testSources() throws IOException {
    var sources = new HashMap<String, String>();
    try (var modules = Files.list(ROOT)) {
      for (var tests : modules
          .map(m -> m.resolve("src/test/java"))
          .filter(Files::isDirectory)
          .toList()) {
        try (var files = Files.walk(tests)) {
          for (var file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
            sources.merge(
                file.getFileName().toString().replace(".java", ""),
                Files.readString(file),
                String::concat);
          }
        }
      }
    }
    return sources;
  }

  /** A line that is {@code …} alone stands for any lines; what differs from run to run is not compared. */
  @Test
  void the_example_of_explain_prints_what_stands_below_it() throws Exception {
    var document = Files.readString(ROOT.resolve("docs/explain.md"));
    var example =
        Pattern.compile("```sh\n(.*?)```\n\n```\n(.*?)```", Pattern.DOTALL).matcher(document);
    assertThat(example.find()).isTrue();

    var shell = new ProcessBuilder("sh", "-c", example.group(1)).directory(ROOT.toFile());
    var path = shell.environment().get("PATH");
    shell.environment().put("PATH", Distribution.HOME.resolve("bin") + ":" + path);
    shell.environment().put("JAVA_HOME", System.getProperty("java.home"));
    shell.environment().remove("REDIS_URL");
    var process = shell.redirectErrorStream(true).start();
    var printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(process.waitFor()).as(printed).isZero();
    var expected = Stream.of(alike(example.group(2)).split("\\s*\n\\s*…\n"))
        .map(Pattern::quote)
        .collect(Collectors.joining("\n.*?"));
    assertThat(alike(printed)).matches(Pattern.compile(expected + "\\s*", Pattern.DOTALL));
  }

  private static String alike(String printed) {
    return printed
        .replaceAll("Bearer eyJh….{4}", "Bearer eyJh…")
        .replaceAll("a token of \\d+ bytes", "a token of N bytes")
        .replaceAll("generation \\d+", "generation N")
        .replaceAll("a new window in \\d+ s", "a new window in N s")
        .strip();
  }

  private static void loads(String name, String yaml) {
    var errors = Load.text(name, yaml).problems().all().stream()
        .filter(problem -> problem.severity() == Problem.Severity.ERROR)
        .toList();
    assertThat(errors).isEmpty();
  }

  private static List<Path> documents() throws IOException {
    var documents = new ArrayList<>(List.of(
        ROOT.resolve("README.md"),
        ROOT.resolve("CONTRIBUTING.md"),
        ROOT.resolve("examples/processor/README.md")));
    try (var files = Files.list(ROOT.resolve("docs"))) {
      files.filter(file -> file.toString().endsWith(".md")).sorted().forEach(documents::add);
    }
    return documents;
  }
}
