package dev.gatehouse.server;

/**
 * What a service decided about one request: metrics, the decision log and the demo's live view are made of it.
 *
 * @param service {@code ext-authz}, {@code ratelimit} or {@code ext-proc}
 * @param requestId {@code x-request-id}, by which the three services' decisions on one request are joined; empty if unknown
 * @param path without the query, which may hold secrets
 * @param who the subject, or what stands for it; empty if nobody was identified
 * @param policy {@code namespace/name} of the policy that decided; empty if none did
 * @param reason one word or a few, from a bounded set, fit for a metric's label
 * @param detail for people: what remains, what was changed, which rule; never a secret
 * @param nanos from the first byte of the request at the service to its answer
 */
public record Decision(
    String service,
    String requestId,
    String method,
    String path,
    String who,
    String policy,
    Outcome outcome,
    String reason,
    String detail,
    long nanos) {
  public enum Outcome {
    ALLOWED,
    DENIED,
    UNAVAILABLE,
    OVER_LIMIT,
    CHANGED,
    UNCHANGED,
    RESPONDED,
    FAILED
  }
}
