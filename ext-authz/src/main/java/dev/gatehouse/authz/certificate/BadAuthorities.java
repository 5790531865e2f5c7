package dev.gatehouse.authz.certificate;

import java.util.List;

/** A policy's authorities that cannot be honoured. */
public final class BadAuthorities extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient List<String> problems;

  BadAuthorities(List<String> problems) {
    super(String.join("; ", problems));
    this.problems = List.copyOf(problems);
  }

  /** One for each bad certificate, as in {@code certificate 2 (CN=Corp): …}, or one for the whole text. Bounded. */
  public List<String> problems() {
    return problems;
  }
}
