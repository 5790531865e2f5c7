package dev.gatehouse.authz;

import dev.gatehouse.policy.expr.EvaluationException;
import dev.gatehouse.policy.expr.RequestFacts;
import dev.gatehouse.policy.expr.Template;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a policy's {@code response} adds to the answers, compiled. A value that cannot be had for a request — a claim that is not
 * there — is left out: the header is then removed, not empty.
 *
 * @param headers towards the upstream; names in lower case
 * @param metadata for later filters
 * @param denied on a denial, towards the client
 */
record ResponsePlan(List<Field> headers, List<Field> metadata, List<Field> denied) {
  static final ResponsePlan NONE = new ResponsePlan(List.of(), List.of(), List.of());

  record Field(String name, Template value) {}

  /** Whether an allow says nothing beyond the decision. */
  boolean isEmpty() {
    return headers.isEmpty() && metadata.isEmpty();
  }

  /** Whether an allow says the same of every request of one caller. */
  boolean sameForCaller() {
    return headers.stream().allMatch(f -> f.value.sameForCaller())
        && metadata.stream().allMatch(f -> f.value.sameForCaller());
  }

  /** Headers towards the upstream; what is no field value (RFC 9110 §5.5) is left out. */
  Map<String, String> headers(RequestFacts request) {
    return HeaderChanges.fieldValues(rendered(headers, request));
  }

  Map<String, String> metadata(RequestFacts request) {
    return rendered(metadata, request);
  }

  /** Headers of a denial. */
  Map<String, String> denied(RequestFacts request) {
    return HeaderChanges.fieldValues(rendered(denied, request));
  }

  private static Map<String, String> rendered(List<Field> fields, RequestFacts request) {
    if (fields.isEmpty()) {
      return Map.of();
    }
    var rendered = new LinkedHashMap<String, String>();
    for (var field : fields) {
      try {
        rendered.put(field.name, field.value.render(request));
      } catch (EvaluationException _) {
        // There is no value for this request: nothing is said under this name.
      }
    }
    return rendered;
  }
}
