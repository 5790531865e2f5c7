package dev.gatehouse.policy.resource;

/**
 * A place in a policy file.
 *
 * @param file as it is shown to the user: the folder as it was named, then the path within it
 * @param line counted from 1; 0 when only the file is known
 * @param column counted from 1; 0 when only the file is known
 */
public record Origin(String file, int line, int column) {
  /** For what no file says, such as a default. */
  public static final Origin NONE = new Origin("", 0, 0);

  @Override
  public String toString() {
    return line == 0 ? file : file + ":" + line + ":" + column;
  }
}
