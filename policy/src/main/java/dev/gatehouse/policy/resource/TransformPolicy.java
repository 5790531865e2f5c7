package dev.gatehouse.policy.resource;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code gatehouse.dev/v1alpha1 TransformPolicy}: what to change in requests and responses.
 *
 * @param requestBytes the largest request body that a body step takes; larger ones get 413
 * @param responseBytes the largest response body that a body step takes; larger ones get 502
 * @param passUnprocessable {@code onUnprocessable: Pass}; {@code Reject} is the default: 400 for a request, 502 for a response
 * @param transformLocalReplies {@code localReplies: Transform}; {@code Skip} is the default
 */
public record TransformPolicy(
    Meta meta,
    Targets targets,
    long requestBytes,
    long responseBytes,
    boolean passUnprocessable,
    boolean transformLocalReplies,
    List<Step> request,
    List<Step> response)
    implements Policy {

  /** One step; what it does not name is null or empty. Header operations happen in the order remove, rename, set, add. */
  public record Step(
      @Nullable String when,
      @Nullable Headers headers,
      @Nullable Path path,
      @Nullable Query query,
      @Nullable Integer status,
      List<JsonOp> json,
      @Nullable String bodyTemplate,
      @Nullable Respond respond,
      Origin origin) {}

  /** Names are in lower case; values of {@code set} and {@code add} are templates. */
  public record Headers(
      List<String> remove,
      Map<String, String> rename,
      Map<String, String> set,
      Map<String, String> add) {}

  /** Replaces what the RE2 expression finds in the path (without the query); {@code $1} is a group. */
  public record Path(String regex, String replacement) {}

  public record Query(Map<String, String> set, List<String> remove) {}

  /** {@code at} is a JSON Pointer (RFC 6901) with {@code *} for any element or member. */
  public sealed interface JsonOp {
    String at();

    Origin origin();
  }

  /** @param value a JSON text, or a JSON string that may hold templates */
  public record JsonSet(String at, String value, Origin origin) implements JsonOp {}

  public record JsonRemove(String at, Origin origin) implements JsonOp {}

  public record JsonRename(String at, String to, Origin origin) implements JsonOp {}

  /** Every character but the last {@code keepLast} becomes {@code *}; a number becomes a string. */
  public record JsonMask(String at, int keepLast, Origin origin) implements JsonOp {}

  /** Answers at once; the body is a template. */
  public record Respond(int status, Map<String, String> headers, String body) {}
}
