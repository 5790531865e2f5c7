package dev.gatehouse.extproc;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.resource.TransformPolicy;
import dev.gatehouse.policy.resource.TransformPolicy.Step;

/**
 * The least processing mode that a rule's TransformPolicy needs; {@code wire} writes it. A body mode means BUFFERED. Only JSON
 * steps need a body: a body template replaces one that nobody has to read.
 *
 * @param any false: the route needs no ext_proc at all
 * @param requestBytes the buffer limit that request bodies need; 0 without them
 * @param responseBytes the buffer limit that response bodies need; 0 without them
 */
public record Needs(
    boolean any,
    boolean requestHeaders,
    boolean requestBody,
    boolean responseHeaders,
    boolean responseBody,
    long requestBytes,
    long responseBytes) {
  private static final Needs NOTHING = new Needs(false, false, false, false, false, 0, 0);

  /** The request's headers alone: enough for the service to fail the stream, and local replies stay what they are. */
  private static final Needs REFUSAL = new Needs(true, true, false, false, false, 0, 0);

  public static Needs of(AttachedRule rule) {
    return switch (rule.transform()) {
      case Attachment.None<TransformPolicy> none -> NOTHING;
      case Attachment.Rejected<TransformPolicy> rejected -> REFUSAL;
      case Attachment.Of<TransformPolicy>(var policy) -> of(policy);
    };
  }

  static Needs of(TransformPolicy policy) {
    var request = !policy.request().isEmpty();
    var response = !policy.response().isEmpty();
    if (!request && !response) {
      return NOTHING;
    }
    var requestBody = policy.request().stream().anyMatch(Needs::readsBody);
    var responseBody = policy.response().stream().anyMatch(Needs::readsBody);
    return new Needs(
        true,
        request || policy.response().stream().anyMatch(Needs::readsRequest),
        requestBody,
        response,
        responseBody,
        requestBody ? policy.requestBytes() : 0,
        responseBody ? policy.responseBytes() : 0);
  }

  private static boolean readsBody(Step step) {
    return !step.json().isEmpty();
  }

  /**
   * Whether a response step needs the request's headers: what a condition or template may name, the method (a HEAD has no
   * body), and {@code accept-encoding}, which must be reduced before the upstream sees it.
   */
  private static boolean readsRequest(Step step) {
    return step.when() != null
        || readsBody(step)
        || step.bodyTemplate() != null
        || step.respond() != null
        || (step.headers() != null
            && (step.headers().set().values().stream().anyMatch(Needs::isTemplate)
                || step.headers().add().values().stream().anyMatch(Needs::isTemplate)));
  }

  private static boolean isTemplate(String text) {
    return text.contains("${");
  }
}
