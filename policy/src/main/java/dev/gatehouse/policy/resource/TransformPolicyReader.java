package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.TransformPolicy.Step;
import java.util.HashSet;
import java.util.List;
import java.util.Map;

/** Reads a TransformPolicy. */
final class TransformPolicyReader {
  private static final long DEFAULT_LIMIT = 10L << 20;

  /** Of a body that only streams through; {@link TransformPolicy#MAX_WHOLE_BODY} holds where it is compiled and known which that are. */
  private static final long MAX_LIMIT = 1L << 40;

  private static final int MAX_STEPS = 64;

  private TransformPolicyReader() {}

  static TransformPolicy read(Meta meta, Targets targets, Fields spec) {
    var limits = spec.optional(
        "limits",
        v -> v.object(TransformPolicyReader::limits),
        new Limits(DEFAULT_LIMIT, DEFAULT_LIMIT));
    boolean pass = spec.optional(
        "onUnprocessable", v -> v.oneOf(Map.of("Reject", false, "Pass", true)), false);
    boolean local = spec.optional(
        "localReplies", v -> v.oneOf(Map.of("Skip", false, "Transform", true)), false);
    return new TransformPolicy(
        meta,
        targets,
        limits.request(),
        limits.response(),
        pass,
        local,
        steps(spec, "request", new TransformStepReader(true)),
        steps(spec, "response", new TransformStepReader(false)));
  }

  private record Limits(long request, long response) {}

  private static Limits limits(Fields fields) {
    return new Limits(
        fields.optional("requestBytes", v -> v.bytes(1, MAX_LIMIT), DEFAULT_LIMIT),
        fields.optional("responseBytes", v -> v.bytes(1, MAX_LIMIT), DEFAULT_LIMIT));
  }

  private static List<Step> steps(Fields spec, String direction, TransformStepReader reader) {
    var names = new HashSet<String>();
    return spec.list(
        direction,
        MAX_STEPS,
        item -> item.object(fields -> {
          var step = reader.read(fields);
          if (step.name() != null && !step.name().isEmpty() && !names.add(step.name())) {
            fields.error("another step is called \"" + Shown.of(step.name()) + "\", too");
          }
          return step;
        }));
  }
}
