package dev.gatehouse.policy.source;

import java.util.Locale;

/**
 * Which names in a folder count.
 *
 * @param hidden whether files and folders whose names begin with a dot do
 * @param yamlOnly whether only files do that end in {@code .yaml} or {@code .yml}
 */
public record Selection(boolean hidden, boolean yamlOnly) {
  /** What a policy folder is read by. */
  public static final Selection POLICIES = new Selection(false, true);

  boolean has(String name) {
    return hidden || !name.startsWith(".");
  }

  boolean hasFile(String name) {
    var lower = name.toLowerCase(Locale.ROOT);
    return !yamlOnly || lower.endsWith(".yaml") || lower.endsWith(".yml");
  }
}
