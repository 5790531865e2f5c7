package dev.gatehouse.authz.basic;

import java.util.List;

/** A file of users that cannot be honoured. Says what is wrong with each line, by its number, and quotes none: they hold hashes. */
public final class BadHtpasswd extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient List<String> problems;

  BadHtpasswd(List<String> problems) {
    super(String.join("; ", problems));
    this.problems = List.copyOf(problems);
  }

  /** One for each bad line, as in {@code line 3: …}; a problem of the whole file has no number. Bounded. */
  public List<String> problems() {
    return problems;
  }
}
