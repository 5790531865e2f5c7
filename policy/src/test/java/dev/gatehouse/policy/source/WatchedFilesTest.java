package dev.gatehouse.policy.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WatchedFilesTest {
  @TempDir
  Path folder;

  private final LinkedBlockingQueue<List<SourceFile>> changes = new LinkedBlockingQueue<>();
  private WatchedFiles files;

  private List<SourceFile> watch(Path root, Path... above) {
    files = new WatchedFiles(List.of(root), Selection.POLICIES, List.of(above));
    files.start("test-files", changes::add);
    return files.files();
  }

  @AfterEach
  void close() {
    files.close();
  }

  private Path release(String name, String text) throws IOException {
    var release = Files.createDirectories(folder.resolve(name));
    Files.writeString(release.resolve("limits.yaml"), text);
    return release;
  }

  private void point(Path link, Path target) throws IOException {
    var fresh = link.resolveSibling("fresh");
    Files.createSymbolicLink(fresh, target);
    Files.move(fresh, link, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
  }

  private List<String> nextTexts() throws InterruptedException {
    var change = changes.poll(10, TimeUnit.SECONDS);
    assertThat(change).as("a change within ten seconds").isNotNull();
    return change.stream().map(file -> ((SourceFile.Text) file).text()).toList();
  }

  @Test
  void a_link_above_the_folder_that_is_swapped_is_a_change() throws Exception {
    var current = folder.resolve("current");
    point(current, release("1", "one"));
    assertThat(watch(current, folder)).hasSize(1);

    point(current, release("2", "two"));

    assertThat(nextTexts()).containsExactly("two");
  }

  @Test
  void a_new_file_and_one_that_goes_are_changes() throws Exception {
    var release = release("1", "one");
    watch(release);

    Files.writeString(release.resolve("more.yaml"), "more");
    assertThat(nextTexts()).containsExactly("one", "more");

    Files.delete(release.resolve("limits.yaml"));
    assertThat(nextTexts()).containsExactly("more");
  }

  @Test
  void after_the_end_nobody_is_called() throws Exception {
    var release = release("1", "one");
    watch(release);
    files.close();

    Files.writeString(release.resolve("more.yaml"), "more");
    files.poll();

    assertThat(changes).isEmpty();
  }
}
