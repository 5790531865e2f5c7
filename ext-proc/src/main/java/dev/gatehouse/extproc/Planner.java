package dev.gatehouse.extproc;

import dev.gatehouse.extproc.Needs.Reason;
import dev.gatehouse.extproc.Needs.Way;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.transform.BodyUse.How;
import dev.gatehouse.extproc.transform.StepNeeds;
import dev.gatehouse.extproc.transform.TransformCompiler;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.policy.expr.Reads;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.TransformPolicy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Derives the {@link Needs} of one policy from its compiled steps. */
final class Planner {
  private final TransformPolicy policy;
  private final Draft request = new Draft();
  private final Draft response = new Draft();
  private final SortedMap<String, Reason> metadata = new TreeMap<>();
  private @Nullable Reason writesMetadata;

  private Planner(TransformPolicy policy) {
    this.policy = policy;
  }

  /** Of a policy that does not compile: what it says as far as it does, and the request's headers, at which the stream is failed. */
  static Needs plan(TransformPolicy policy) {
    return new Planner(policy).plan();
  }

  private Needs plan() {
    var problems = new Problems();
    new TransformCompiler(problems).needs(policy).forEach(this::step);
    for (var reasons : response.bodies.values()) {
      reasons.forEach(
          reason -> request.headers.add(
              reason.saying(
                  "it needs the response's body, and what of that comes depends on the request's method, accept-encoding and range")));
    }
    if (problems.hasErrors()) {
      request.headers.addFirst(Reason.refusing(policy.meta()));
    }
    return new Needs(
        request.way(policy.requestBytes()),
        response.way(policy.responseBytes()),
        Collections.unmodifiableSortedMap(metadata),
        writesMetadata);
  }

  /** What one direction has been found to need so far. */
  private static final class Draft {
    private final List<Reason> headers = new ArrayList<>();
    private final Map<How, List<Reason>> bodies = new EnumMap<>(How.class);
    private final SortedMap<String, Reason> attributes = new TreeMap<>();

    void body(How how, Reason reason) {
      var reasons = bodies.computeIfAbsent(how, any -> new ArrayList<>());
      if (!reasons.contains(reason)) {
        reasons.add(reason);
      }
    }

    Way way(long limit) {
      var body = bodies.containsKey(How.WHOLE)
          ? How.WHOLE
          : bodies.containsKey(How.STREAM) ? How.STREAM : How.NONE;
      return new Way(
          List.copyOf(headers),
          body,
          List.copyOf(bodies.getOrDefault(body, List.of())),
          body == How.NONE ? 0 : limit,
          Collections.unmodifiableSortedMap(attributes));
    }
  }

  private Draft draft(Direction direction) {
    return direction == Direction.REQUEST ? request : response;
  }

  private void step(StepNeeds step) {
    var own = draft(step.direction());
    own.headers.add(reason(step, "it is a step of this direction"));
    if (step.direction() == Direction.RESPONSE && !policy.transformLocalReplies()) {
      own.attributes.putIfAbsent(
          Needs.CODE_DETAILS, reason(step, "it must not change what Envoy answers by itself"));
    }
    step.bodies()
        .forEach(use -> draft(use.direction())
            .body(use.how(), new Reason(step.place(), step.name(), use.origin(), use.why())));
    if (step.writesMetadata() && writesMetadata == null) {
      writesMetadata = reason(step, "it writes metadata");
    }
    step.reads().forEach((field, reads) -> reads(step, "its " + field, reads));
    if (step.replacesBody() && step.direction() == Direction.RESPONSE) {
      request.headers.add(reason(step, "to a HEAD there is no body that it could replace"));
    }
  }

  private void reads(StepNeeds step, String field, Reads reads) {
    if (reads.reads("response.body")) {
      request.headers.add(reason(
          step,
          "whether " + field + " can read response.body depends on the request's accept-encoding"));
    }
    if (step.direction() == Direction.RESPONSE && reads.reads("request")) {
      request.headers.add(reason(step, field + " reads the request"));
    }
    if (reads.reads(Needs.SOURCE_ADDRESS)) {
      var why = reason(step, field + " reads source.address");
      request.headers.add(why);
      request.attributes.putIfAbsent(Needs.SOURCE_ADDRESS, why);
      response.attributes.putIfAbsent(Needs.SOURCE_ADDRESS, why);
    }
    if (reads.reads("auth")) {
      metadata.putIfAbsent(
          Bindings.AUTHZ_NAMESPACE, reason(step, field + " reads auth, which ext-authz tells"));
    }
    for (var namespace : reads.namespaces()) {
      metadata.putIfAbsent(namespace, reason(step, field + " reads metadata['" + namespace + "']"));
    }
  }

  private static Reason reason(StepNeeds step, String why) {
    return new Reason(step.place(), step.name(), step.origin(), why);
  }
}
