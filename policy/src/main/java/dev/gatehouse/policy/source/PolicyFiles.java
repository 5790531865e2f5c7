package dev.gatehouse.policy.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Finds and reads the files of policy folders, each real file once: a Kubernetes ConfigMap mount shows {@code a.yaml}, a link to
 * {@code ..data/a.yaml}, where {@code ..data} is a link to a folder with a time in its name. Names that begin with a dot are
 * passed over, so that only the link in sight counts. Bounded in depth, number and bytes.
 */
final class PolicyFiles {
  static final int MAX_FILES = 4096;
  static final long MAX_FILE_BYTES = 4L * 1024 * 1024;
  static final long MAX_BYTES = 64L * 1024 * 1024;
  private static final int MAX_DEPTH = 32;

  private final List<PolicyFile> files = new ArrayList<>();
  private final Set<Path> seen = new HashSet<>();
  private final List<String> states = new ArrayList<>();
  private final boolean contents;
  private long bytes;

  private PolicyFiles(boolean contents) {
    this.contents = contents;
  }

  /** The files' texts, in the order of their names. */
  static List<PolicyFile> read(List<Path> folders) {
    var found = new PolicyFiles(true);
    folders.forEach(found::root);
    return List.copyOf(found.files);
  }

  /** What tells whether a file has changed, without its content: path, real path, size, time, and the file's identity. */
  static List<String> states(List<Path> folders) {
    var found = new PolicyFiles(false);
    folders.forEach(found::root);
    return List.copyOf(found.states);
  }

  private void root(Path folder) {
    if (!Files.exists(folder)) {
      unreadable(folder.toString(), "no such folder");
    } else if (Files.isRegularFile(folder)) {
      file(folder, folder.toString());
    } else {
      walk(folder, folder.toString(), 0);
    }
  }

  private void walk(Path folder, String name, int depth) {
    if (depth > MAX_DEPTH) {
      unreadable(name, "folders are nested more than " + MAX_DEPTH + " deep");
      return;
    }
    for (var path : children(folder, name)) {
      var last = String.valueOf(path.getFileName());
      var shown = name + "/" + last;
      if (last.startsWith(".")) {
        continue;
      }
      if (Files.isDirectory(path)) {
        enter(path, shown, depth);
      } else if (isYaml(last)) {
        file(path, shown);
      }
    }
  }

  private List<Path> children(Path folder, String name) {
    var children = new ArrayList<Path>();
    try (var stream = Files.newDirectoryStream(folder)) {
      stream.forEach(children::add);
    } catch (IOException | DirectoryIteratorException e) {
      unreadable(name, "cannot be listed: " + e.getMessage());
    }
    children.sort(null);
    return children;
  }

  private void enter(Path folder, String name, int depth) {
    try {
      if (seen.add(folder.toRealPath())) {
        walk(folder, name, depth + 1);
      }
    } catch (IOException e) {
      unreadable(name, "cannot be read: " + e.getMessage());
    }
  }

  private static boolean isYaml(String name) {
    var lower = name.toLowerCase(Locale.ROOT);
    return lower.endsWith(".yaml") || lower.endsWith(".yml");
  }

  private void file(Path path, String name) {
    try {
      var real = path.toRealPath();
      if (!seen.add(real)) {
        return;
      }
      var attributes = Files.readAttributes(real, BasicFileAttributes.class);
      states.add(name + " " + real + " " + attributes.size() + " " + attributes.lastModifiedTime()
          + " " + attributes.fileKey());
      if (contents) {
        content(real, name, attributes);
      }
    } catch (NoSuchFileException e) {
      unreadable(name, "is a link to nothing, or was just removed");
    } catch (IOException e) {
      unreadable(name, "cannot be read: " + e.getClass().getSimpleName());
    }
  }

  private void content(Path real, String name, BasicFileAttributes attributes) throws IOException {
    if (!attributes.isRegularFile()) {
      unreadable(name, "is no regular file");
      return;
    }
    if (files.size() >= MAX_FILES) {
      unreadable(name, "there are more than " + MAX_FILES + " files");
      return;
    }
    byte[] content;
    try (InputStream in = Files.newInputStream(real)) {
      content = in.readNBytes((int) MAX_FILE_BYTES + 1);
    }
    bytes += content.length;
    if (content.length > MAX_FILE_BYTES) {
      unreadable(name, "is larger than " + MAX_FILE_BYTES + " bytes; split it");
    } else if (bytes > MAX_BYTES) {
      unreadable(name, "the files are larger than " + MAX_BYTES + " bytes together");
    } else {
      files.add(decode(name, content));
    }
  }

  private static PolicyFile decode(String name, byte[] content) {
    try {
      var text =
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
      return new PolicyFile.Text(name, text.startsWith("\uFEFF") ? text.substring(1) : text);
    } catch (CharacterCodingException e) {
      return new PolicyFile.Unreadable(name, "is not UTF-8");
    }
  }

  private void unreadable(String name, String why) {
    states.add(name + " " + why);
    if (files.size() <= MAX_FILES) {
      files.add(new PolicyFile.Unreadable(name, why));
    }
  }
}
