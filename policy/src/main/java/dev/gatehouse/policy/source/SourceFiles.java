package dev.gatehouse.policy.source;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Finds and reads the files of some folders, each real file once. A Kubernetes ConfigMap mount shows {@code a.yaml}, a link to
 * {@code ..data/a.yaml}, where {@code ..data} is a link to a folder with a time in its name: names that begin with a dot are passed
 * over or, where they count, come last, so that a file is called by the link in sight. Bounded in depth, number and bytes.
 */
final class SourceFiles {
  static final int MAX_FILES = 4096;
  static final int MAX_FILE_BYTES = 4 * 1024 * 1024;
  static final int MAX_BYTES = 64 * 1024 * 1024;
  private static final int MAX_DEPTH = 32;
  private static final int MAX_FOLDERS = 4096;
  private static final int TRIES = 5;

  private static final Comparator<Path> HIDDEN_LAST = Comparator.<Path, Boolean>comparing(
          path -> String.valueOf(path.getFileName()).startsWith("."))
      .thenComparing(Comparator.naturalOrder());

  private final Selection selection;
  private final boolean contents;
  private final List<SourceFile> files = new ArrayList<>();
  private final List<String> states = new ArrayList<>();
  private final List<Path> folders = new ArrayList<>();
  private final Set<Path> seen = new HashSet<>();
  private FileTime newest = FileTime.fromMillis(0);
  private long bytes;

  /**
   * What was found.
   *
   * @param files in the order of their names; empty when only the states were asked for
   * @param states what changes when a file does: its path, real path, size, time, and identity (inode)
   * @param folders those that were walked
   * @param newest when the file that changed last did
   */
  record Scan(List<SourceFile> files, List<String> states, List<Path> folders, FileTime newest) {}

  private SourceFiles(Selection selection, boolean contents) {
    this.selection = selection;
    this.contents = contents;
  }

  /** Reads the files; once more where they changed meanwhile, so that a mount is not read half old and half new. */
  static Scan read(List<Path> roots, Selection selection) {
    var scan = scan(roots, selection, true);
    for (int i = 1; i < TRIES && !scan.states().equals(states(roots, selection).states()); i++) {
      scan = scan(roots, selection, true);
    }
    return scan;
  }

  /** Looks at the files without reading them. */
  static Scan states(List<Path> roots, Selection selection) {
    return scan(roots, selection, false);
  }

  private static Scan scan(List<Path> roots, Selection selection, boolean contents) {
    var found = new SourceFiles(selection, contents);
    roots.forEach(found::root);
    return new Scan(
        List.copyOf(found.files),
        List.copyOf(found.states),
        List.copyOf(found.folders),
        found.newest);
  }

  private void root(Path root) {
    var name = root.toString();
    if (!Files.exists(root)) {
      unreadable(name, "there is no such folder");
    } else if (Files.isDirectory(root)) {
      enter(root, name, 0);
    } else {
      file(root, name);
    }
  }

  private void enter(Path folder, String name, int depth) {
    try {
      if (depth > MAX_DEPTH || folders.size() >= MAX_FOLDERS) {
        unreadable(
            name,
            "there are more than " + MAX_FOLDERS + " folders, or they are nested more than "
                + MAX_DEPTH + " deep");
      } else if (seen.add(folder.toRealPath())) {
        folders.add(folder);
        walk(folder, name, depth);
      }
    } catch (IOException e) {
      unreadable(name, "cannot be read: " + reason(e));
    }
  }

  private void walk(Path folder, String name, int depth) {
    for (var path : children(folder, name)) {
      var last = String.valueOf(path.getFileName());
      var shown = name.endsWith("/") ? name + last : name + "/" + last;
      if (!selection.has(last)) {
        continue;
      }
      if (Files.isDirectory(path)) {
        enter(path, shown, depth + 1);
      } else if (selection.hasFile(last)) {
        file(path, shown);
      }
    }
  }

  private List<Path> children(Path folder, String name) {
    var children = new ArrayList<Path>();
    try (var stream = Files.newDirectoryStream(folder)) {
      stream.forEach(children::add);
    } catch (IOException e) {
      unreadable(name, "cannot be listed: " + reason(e));
    } catch (DirectoryIteratorException e) {
      unreadable(name, "cannot be listed: it changed meanwhile, or is out of reach");
    }
    children.sort(HIDDEN_LAST);
    return children;
  }

  private void file(Path path, String name) {
    try {
      var real = path.toRealPath();
      if (!seen.add(real)) {
        return;
      }
      if (states.size() >= MAX_FILES) {
        unreadable(name, "there are more than " + MAX_FILES + " files");
        return;
      }
      var attributes = Files.readAttributes(real, BasicFileAttributes.class);
      var changed = attributes.lastModifiedTime();
      newest = changed.compareTo(newest) > 0 ? changed : newest;
      states.add(
          name + " " + real + " " + attributes.size() + " " + changed + " " + attributes.fileKey());
      if (!attributes.isRegularFile()) {
        unreadable(name, "is no regular file");
      } else if (contents) {
        files.add(content(real, name));
      }
    } catch (IOException e) {
      unreadable(name, "cannot be read: " + reason(e));
    }
  }

  private SourceFile content(Path real, String name) throws IOException {
    byte[] content;
    try (var in = Files.newInputStream(real)) {
      content = in.readNBytes(MAX_FILE_BYTES + 1);
    }
    bytes += content.length;
    if (content.length > MAX_FILE_BYTES) {
      return new SourceFile.Unreadable(
          name, "is larger than " + MAX_FILE_BYTES + " bytes; split it");
    }
    if (bytes > MAX_BYTES) {
      return new SourceFile.Unreadable(
          name, "the files are larger than " + MAX_BYTES + " bytes together");
    }
    try {
      var text =
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
      return new SourceFile.Text(name, text.startsWith("\uFEFF") ? text.substring(1) : text);
    } catch (CharacterCodingException e) {
      return new SourceFile.Unreadable(name, "is not UTF-8");
    }
  }

  private void unreadable(String name, String why) {
    if (states.size() > MAX_FILES + 1) {
      return;
    }
    states.add(name + " " + why);
    if (contents) {
      files.add(new SourceFile.Unreadable(name, why));
    }
  }

  private static String reason(IOException e) {
    return e instanceof NoSuchFileException
        ? "it is a link to nothing, or was just removed"
        : e.getClass().getSimpleName();
  }
}
