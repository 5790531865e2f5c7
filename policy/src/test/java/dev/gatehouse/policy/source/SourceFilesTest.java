package dev.gatehouse.policy.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SourceFilesTest {
  @TempDir
  Path folder;

  private List<String> names(Path... roots) {
    return SourceFiles.read(List.of(roots), Selection.POLICIES).files().stream()
        .map(file -> (file instanceof SourceFile.Unreadable u ? u.why() + " " : "")
            + folder.relativize(Path.of(file.name())))
        .toList();
  }

  private void write(String name) throws IOException {
    Files.createDirectories(folder.resolve(name).getParent());
    Files.writeString(folder.resolve(name), "x");
  }

  @Test
  void yaml_files_are_found_in_the_order_of_their_names_at_any_depth() throws IOException {
    write("b.yml");
    write("a/c.yaml");
    write("a/d/E.YAML");
    write("README.md");

    assertThat(names(folder)).containsExactly("a/c.yaml", "a/d/E.YAML", "b.yml");
  }

  @Test
  void what_begins_with_a_dot_is_passed_over() throws IOException {
    write(".git/a.yaml");
    write(".a.yaml.swp");
    write(".b.yaml");

    assertThat(names(folder)).isEmpty();
  }

  @Test
  void a_file_that_two_names_lead_to_is_read_once() throws IOException {
    write("a.yaml");
    Files.createSymbolicLink(folder.resolve("b.yaml"), Path.of("a.yaml"));
    Files.createSymbolicLink(folder.resolve("loop"), folder);

    assertThat(names(folder, folder)).containsExactly("a.yaml");
  }

  @Test
  void a_file_may_stand_for_a_folder() throws IOException {
    write("a.yaml");

    assertThat(names(folder.resolve("a.yaml"))).containsExactly("a.yaml");
  }

  @Test
  void what_cannot_be_read_is_said() throws IOException {
    Files.createSymbolicLink(folder.resolve("a.yaml"), Path.of("gone"));
    Files.write(folder.resolve("b.yaml"), new byte[] {(byte) 0xff, (byte) 0xfe});
    Files.write(folder.resolve("c.yaml"), new byte[SourceFiles.MAX_FILE_BYTES + 1]);

    assertThat(names(folder, folder.resolve("nowhere")))
        .containsExactly(
            "cannot be read: it is a link to nothing, or was just removed a.yaml",
            "is not UTF-8 b.yaml",
            "is larger than 4194304 bytes; split it c.yaml",
            "there is no such folder nowhere");
  }

  @Test
  void all_files_together_are_bounded() throws IOException {
    for (int i = 0; i < SourceFiles.MAX_BYTES / SourceFiles.MAX_FILE_BYTES; i++) {
      Files.write(folder.resolve("%02d.yaml".formatted(i)), new byte[SourceFiles.MAX_FILE_BYTES]);
    }
    write("z.yaml");

    assertThat(names(folder))
        .last()
        .isEqualTo("the files are larger than 67108864 bytes together z.yaml");
  }

  @Test
  void a_byte_order_mark_is_no_part_of_the_text() throws IOException {
    Files.writeString(folder.resolve("a.yaml"), "\uFEFFkind: A");

    assertThat(SourceFiles.read(List.of(folder), Selection.POLICIES).files())
        .containsExactly(new SourceFile.Text(folder.resolve("a.yaml").toString(), "kind: A"));
  }

  @Test
  void a_state_changes_with_the_target_of_a_link() throws IOException {
    write("..1/a.yaml");
    write("..2/a.yaml");
    Files.createSymbolicLink(folder.resolve("a.yaml"), Path.of("..1/a.yaml"));
    var before = SourceFiles.states(List.of(folder), Selection.POLICIES).states();

    Files.delete(folder.resolve("a.yaml"));
    Files.createSymbolicLink(folder.resolve("a.yaml"), Path.of("..2/a.yaml"));

    assertThat(SourceFiles.states(List.of(folder), Selection.POLICIES).states())
        .hasSize(1)
        .isNotEqualTo(before);
  }

  @Test
  void where_hidden_names_and_any_ending_count_a_file_is_called_by_the_link_in_sight()
      throws IOException {
    write("..2026/basic");
    write(".hidden");
    Files.createSymbolicLink(folder.resolve("..data"), Path.of("..2026"));
    Files.createSymbolicLink(folder.resolve("basic"), Path.of("..data/basic"));

    assertThat(SourceFiles.read(List.of(folder), new Selection(true, false)).files())
        .extracting(file -> folder.relativize(Path.of(file.name())).toString())
        .containsExactly("basic", ".hidden");
  }
}
