package dev.gatehouse.extproc;

import dev.gatehouse.policy.attach.AttachedRule;

/**
 * The least processing mode that a rule's TransformPolicy needs; {@code wire} writes it.
 *
 * @param any false: the route needs no ext_proc at all
 * @param requestBytes the buffer limit that request bodies need; 0 without them
 */
public record Needs(
    boolean any,
    boolean requestHeaders,
    boolean requestBody,
    boolean responseHeaders,
    boolean responseBody,
    long requestBytes,
    long responseBytes) {
  public static Needs of(AttachedRule rule) {
    throw new UnsupportedOperationException();
  }
}
