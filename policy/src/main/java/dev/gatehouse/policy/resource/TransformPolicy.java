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
  /** The largest limit of a body that is held as a whole; one that streams through may be larger. */
  public static final long MAX_WHOLE_BODY = 256L << 20;

  /**
   * One step; what it does not name is null or empty. The parts are changed in the order in which they stand here.
   *
   * @param name for people; null if it has none
   * @param when CEL; null for always
   * @param skipOnError {@code onError: Skip}: a step whose condition or template cannot be evaluated is left out as a whole; {@code Fail}
   *     is the default
   * @param form fields of a form's body; only of requests
   * @param metadata dynamic metadata under Gatehouse's name, key → template
   */
  public record Step(
      @Nullable String name,
      @Nullable String when,
      boolean skipOnError,
      @Nullable Edits headers,
      @Nullable Path path,
      @Nullable Edits query,
      @Nullable Integer status,
      @Nullable Body body,
      @Nullable Edits form,
      List<JsonOp> json,
      Map<String, String> metadata,
      @Nullable Respond respond,
      Origin origin) {}

  /**
   * The six operations on things that have a name and values, in the order in which they happen: headers, whose names are in lower
   * case, query parameters, fields of a form. Values are templates; several values of one name stay apart.
   *
   * @param rename the old name → the new one; nothing happens where there is no old one
   * @param replace only where there is one already
   * @param addIfAbsent only where there is none
   */
  public record Edits(
      List<String> remove,
      Map<String, String> rename,
      Map<String, List<String>> replace,
      Map<String, List<String>> set,
      Map<String, List<String>> addIfAbsent,
      Map<String, List<String>> add) {}

  /** Changes the path and leaves the query alone. */
  public sealed interface Path {}

  /** Replaces what the RE2 expression finds; {@code $1} is a group. */
  public record PathRegex(String regex, String replacement) implements Path {}

  /**
   * Replaces the first segments of a path that begins with them.
   *
   * @param replacement a template
   */
  public record PathPrefix(String prefix, String replacement) implements Path {}

  /** @param value a template */
  public record PathSet(String value) implements Path {}

  /** What becomes of a body, whatever is in it. */
  public sealed interface Body {}

  /** Takes the body's place, which need not be read. */
  public record BodyTemplate(String text) implements Body {}

  /** In order. */
  public record BodyReplace(List<Replacement> replacements) implements Body {}

  /** Replaces each place that the RE2 expression finds; {@code $1} is a group. */
  public record Replacement(String regex, String replacement) {}

  /**
   * A JSON merge patch (RFC 7396).
   *
   * @param patch a JSON object, whose strings may hold templates
   */
  public record BodyMerge(String patch) implements Body {}

  /** {@code at} is a JSON Pointer (RFC 6901) with {@code *} for any element or member and {@code **} for any number of levels. */
  public sealed interface JsonOp {
    String at();

    Origin origin();
  }

  /** @param value a JSON text, whose strings may hold templates */
  public record JsonSet(String at, String value, Origin origin) implements JsonOp {}

  /**
   * Sets only where there is nothing.
   *
   * @param value a JSON text, whose strings may hold templates
   */
  public record JsonDefault(String at, String value, Origin origin) implements JsonOp {}

  public record JsonRemove(String at, Origin origin) implements JsonOp {}

  /** @param to the new name, in the same object */
  public record JsonRename(String at, String to, Origin origin) implements JsonOp {}

  /** @param to a JSON Pointer */
  public record JsonMove(String at, String to, Origin origin) implements JsonOp {}

  /** Every character but the last {@code keepLast} becomes {@code *}; a number becomes a string. */
  public record JsonMask(String at, int keepLast, Origin origin) implements JsonOp {}

  /** Answers at once; header values and the body are templates. */
  public record Respond(int status, Map<String, List<String>> headers, String body) {}
}
