package dev.gatehouse.ratelimit.config.yaml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.ratelimit.config.ConfigListener;
import dev.gatehouse.ratelimit.config.DomainConfig;
import dev.gatehouse.ratelimit.config.Sources;
import dev.gatehouse.ratelimit.descriptor.Defaults;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class YamlSourceTest {
  @TempDir
  Path folder;

  private final List<String> refused = Collections.synchronizedList(new ArrayList<>());
  private PolicySource policies;
  private Sources sources;
  private YamlSource source;

  @BeforeEach
  void join() {
    policies = PolicySource.folders(List.of(), false);
    sources = Sources.of(policies, Defaults.REFERENCE, false);
    sources.listen(new ConfigListener() {
      @Override
      public void inForce(LimitTree config, List<Problem> warnings) {}

      @Override
      public void refused(List<Problem> problems) {
        problems.forEach(problem -> refused.add(problem.toString()));
      }
    });
    policies.start();
  }

  @AfterEach
  void close() {
    if (source != null) {
      source.close();
    }
    policies.close();
  }

  private void start(Path root, String subdirectory, boolean ignoreDotFiles) {
    source = YamlSource.start(
        new RuntimeFolderSettings(root, subdirectory, "config", ignoreDotFiles), sources);
  }

  private void write(String name, String text) {
    try {
      var file = folder.resolve(name);
      Files.createDirectories(file.getParent());
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void point(Path link, Path target) throws IOException {
    var fresh = link.resolveSibling("fresh-link");
    Files.createSymbolicLink(fresh, target);
    Files.move(fresh, link, StandardCopyOption.ATOMIC_MOVE);
  }

  private boolean has(String domain) {
    return sources.live().current().domains().contains(domain);
  }

  @Test
  void the_folder_is_root_subdirectory_and_app_directory() {
    assertThat(new RuntimeFolderSettings(Path.of("/data"), "ratelimit", "config", true).folder())
        .isEqualTo(Path.of("/data/ratelimit/config"));
    assertThat(new RuntimeFolderSettings(Path.of("/data"), "", "/config/", true).folder())
        .isEqualTo(Path.of("/data/config"));
    assertThat(RuntimeFolderSettings.DEFAULT.folder())
        .isEqualTo(Path.of("/srv/runtime_data/current/config"));
  }

  @Test
  void every_file_below_the_folder_is_read_whatever_its_ending_and_none_beside_it() {
    write("ratelimit/config/a.yaml", "domain: a");
    write("ratelimit/config/b", "domain: b");
    write("ratelimit/config/deep/c.conf", "domain: c");
    write("ratelimit/other.yaml", "domain: d");

    start(folder, "ratelimit", false);

    assertThat(sources.loaded()).isTrue();
    assertThat(List.of("a", "b", "c")).allMatch(this::has);
    assertThat(has("d")).isFalse();
  }

  @Test
  void names_with_a_dot_are_read_unless_they_are_to_be_ignored() {
    write("config/.hidden", "domain: a");
    start(folder, "", false);
    assertThat(has("a")).isTrue();
    source.close();

    start(folder, "", true);
    assertThat(has("a")).isFalse();
  }

  @Test
  void a_kubernetes_config_map_is_read_once_and_followed_whether_dot_files_count_or_not()
      throws IOException {
    for (boolean ignore : List.of(true, false)) {
      var mount = "mount-" + ignore + "/";
      write(mount + "config/..1/a.yaml", "domain: old-" + ignore);
      Files.createSymbolicLink(folder.resolve(mount + "config/..data"), Path.of("..1"));
      Files.createSymbolicLink(folder.resolve(mount + "config/a.yaml"), Path.of("..data/a.yaml"));
      start(folder.resolve(mount), "", ignore);
      assertThat(has("old-" + ignore)).isTrue();

      write(mount + "config/..2/a.yaml", "domain: new-" + ignore);
      point(folder.resolve(mount + "config/..data"), Path.of("..2"));
      if (!ignore) {
        Files.delete(folder.resolve(mount + "config/..1/a.yaml"));
      }

      await().until(() -> has("new-" + ignore) && !has("old-" + ignore));
      source.close();
    }
  }

  @Test
  void a_root_that_is_pointed_to_another_release_is_read_anew_as_a_whole() throws IOException {
    write("releases/1/ratelimit/config/a.yaml", "domain: a");
    write("releases/1/ratelimit/config/b.yaml", "domain: b");
    write("releases/2/ratelimit/config/a.yaml", "domain: a2");
    var current = folder.resolve("current");
    point(current, Path.of("releases/1"));
    start(current, "ratelimit", false);
    assertThat(has("a") && has("b")).isTrue();

    point(current, Path.of("releases/2"));

    await().until(() -> has("a2") && !has("a") && !has("b"));
  }

  @Test
  void a_bad_file_keeps_the_last_good_configuration_and_is_told_with_its_place() {
    write("config/a.yaml", "domain: a");
    write("config/b.yaml", "domain: b");
    start(folder, "", false);

    write("config/a.yaml", "domain: new");
    write("config/b.yaml", "domain: b\ndescriptors: [{key: x, rate_limit: {unit: secnd}}]\n");
    source.poll();

    assertThat(has("a") && has("b")).isTrue();
    assertThat(has("new")).isFalse();
    assertThat(refused)
        .last()
        .asString()
        .isEqualTo(folder + "/config/b.yaml:2:37: descriptors[0].rate_limit.unit: \"secnd\" is not"
            + " one of second, minute, hour, day, week, month, year (did you mean \"second\"?)");

    write("config/b.yaml", "domain: b");
    source.poll();
    assertThat(has("new")).isTrue();
  }

  @Test
  void one_domain_in_two_files_is_an_error_that_names_both() {
    write("config/a.yaml", "domain: shop");
    write("config/b.yaml", "domain: shop");

    start(folder, "", false);

    assertThat(refused)
        .singleElement()
        .asString()
        .startsWith(folder + "/config/b.yaml:1:1: domain: \"shop\" is in " + folder
            + "/config/a.yaml already");
    assertThat(sources.loaded()).isFalse();
  }

  @Test
  void a_folder_that_is_not_there_yet_is_told_and_waited_for() {
    start(folder, "", false);
    assertThat(refused).containsExactly(folder + "/config: there is no such folder");
    assertThat(sources.firstCame().toCompletableFuture()).isDone();

    write("config/a.yaml", "domain: a");

    await().until(() -> has("a"));
  }

  @Test
  void an_empty_folder_is_a_configuration_without_domains() throws IOException {
    Files.createDirectories(folder.resolve("config"));

    start(folder, "", false);

    assertThat(sources.loaded()).isTrue();
    assertThat(sources.hasDomains()).isFalse();
  }

  @Test
  void a_folder_can_be_read_without_serving_it() {
    write("config/a.yaml", "domain: a");
    write("config/b.yaml", "domain: [");
    var problems = new Problems();

    assertThat(YamlSource.read(folder.resolve("config"), true, problems))
        .extracting(DomainConfig::domain)
        .containsExactly("a");
    assertThat(problems.all()).hasSize(1);
  }
}
