package dev.gatehouse.policy.resource;

import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What every resource says of itself.
 *
 * @param namespace {@code default} where the file names none
 * @param created {@code metadata.creationTimestamp}, which breaks ties between policies; null sorts last
 */
public record Meta(
    String apiVersion,
    String kind,
    String namespace,
    String name,
    Map<String, String> labels,
    Map<String, String> annotations,
    @Nullable Instant created,
    Origin origin) {

  /** {@code namespace/name}. */
  public String id() {
    return namespace + "/" + name;
  }

  /** {@code Kind namespace/name}, as messages and logs show it. */
  public String title() {
    return kind + " " + id();
  }
}
