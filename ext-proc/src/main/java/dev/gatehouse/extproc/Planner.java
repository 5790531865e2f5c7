package dev.gatehouse.extproc;

import dev.gatehouse.extproc.Needs.Body;
import dev.gatehouse.extproc.Needs.Reason;
import dev.gatehouse.extproc.Needs.Way;
import dev.gatehouse.extproc.json.JsonTemplate;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.policy.expr.Reads;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.TransformPolicy;
import dev.gatehouse.policy.resource.TransformPolicy.BodyMerge;
import dev.gatehouse.policy.resource.TransformPolicy.BodyReplace;
import dev.gatehouse.policy.resource.TransformPolicy.BodyTemplate;
import dev.gatehouse.policy.resource.TransformPolicy.Edits;
import dev.gatehouse.policy.resource.TransformPolicy.JsonDefault;
import dev.gatehouse.policy.resource.TransformPolicy.JsonMask;
import dev.gatehouse.policy.resource.TransformPolicy.JsonMove;
import dev.gatehouse.policy.resource.TransformPolicy.JsonOp;
import dev.gatehouse.policy.resource.TransformPolicy.JsonRemove;
import dev.gatehouse.policy.resource.TransformPolicy.JsonRename;
import dev.gatehouse.policy.resource.TransformPolicy.JsonSet;
import dev.gatehouse.policy.resource.TransformPolicy.Step;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Derives the {@link Needs} of one policy, step by step. */
final class Planner {
  private final TransformPolicy policy;
  private final Draft request = new Draft();
  private final Draft response = new Draft();
  private final SortedMap<String, Reason> metadata = new TreeMap<>();
  private @Nullable Reason writesMetadata;

  private Planner(TransformPolicy policy) {
    this.policy = policy;
  }

  static Needs plan(TransformPolicy policy) {
    return new Planner(policy).plan();
  }

  private Needs plan() {
    for (int i = 0; i < policy.request().size(); i++) {
      step(policy.request().get(i), Direction.REQUEST, i);
    }
    for (int i = 0; i < policy.response().size(); i++) {
      step(policy.response().get(i), Direction.RESPONSE, i);
    }
    for (var reasons : response.bodies.values()) {
      reasons.forEach(
          reason -> request.headers.add(
              reason.saying(
                  "it needs the response's body, and what of that comes depends on the request's method, accept-encoding and range")));
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
    private final Map<Body, List<Reason>> bodies = new EnumMap<>(Body.class);
    private final SortedMap<String, Reason> attributes = new TreeMap<>();

    void body(Body body, Reason reason) {
      var reasons = bodies.computeIfAbsent(body, any -> new ArrayList<>());
      if (!reasons.contains(reason)) {
        reasons.add(reason);
      }
    }

    Way way(long limit) {
      var body = bodies.containsKey(Body.WHOLE)
          ? Body.WHOLE
          : bodies.containsKey(Body.STREAM) ? Body.STREAM : Body.NONE;
      return new Way(
          List.copyOf(headers),
          body,
          List.copyOf(bodies.getOrDefault(body, List.of())),
          body == Body.NONE ? 0 : limit,
          Collections.unmodifiableSortedMap(attributes));
    }
  }

  private Draft draft(Direction direction) {
    return direction == Direction.REQUEST ? request : response;
  }

  private void step(Step step, Direction direction, int index) {
    var at = new At(
        (direction == Direction.REQUEST ? "request[" : "response[") + index + "]",
        step.name(),
        step.origin());
    var own = draft(direction);
    own.headers.add(at.reason("it is a step of this direction"));
    if (direction == Direction.RESPONSE && !policy.transformLocalReplies()) {
      own.attributes.putIfAbsent(
          Needs.CODE_DETAILS, at.reason("it must not change what Envoy answers by itself"));
    }
    for (var op : step.json()) {
      json(op, own, new At(at.step, at.name, op.origin()));
    }
    if (step.form() != null) {
      own.body(Body.WHOLE, at.reason("it changes a form, whose fields may come in any order"));
    }
    if (step.body() != null) {
      body(step.body(), own, at);
    }
    if (!step.metadata().isEmpty() && writesMetadata == null) {
      writesMetadata = at.reason("it writes metadata");
    }
    texts(step).forEach((part, reads) -> reads(part, reads, direction, at));
    if (step.body() instanceof BodyTemplate && direction == Direction.RESPONSE) {
      request.headers.add(at.reason("to a HEAD there is no body that it could replace"));
    }
  }

  /** The place of a step. */
  private record At(String step, @Nullable String name, Origin origin) {
    Reason reason(String why) {
      return new Reason(step, name, origin, why);
    }
  }

  private static void json(JsonOp op, Draft own, At at) {
    switch (op) {
      case JsonSet set -> own.body(Body.STREAM, at.reason("it sets " + op.at()));
      case JsonDefault ready ->
        own.body(Body.STREAM, at.reason("it sets " + op.at() + " where it is missing"));
      case JsonMove move ->
        own.body(
            Body.WHOLE,
            at.reason("it moves " + op.at() + " to " + move.to() + ", which may come before it"));
      case JsonRemove remove -> own.body(Body.STREAM, at.reason("it removes " + op.at()));
      case JsonRename rename -> own.body(Body.STREAM, at.reason("it renames " + op.at()));
      case JsonMask mask -> own.body(Body.STREAM, at.reason("it masks " + op.at()));
    }
  }

  private static void body(TransformPolicy.Body body, Draft own, At at) {
    switch (body) {
      case BodyTemplate template -> {} // Nobody has to read what it replaces.
      case BodyReplace replace ->
        own.body(
            Body.WHOLE, at.reason("what its regular expressions find may be anywhere in the body"));
      case BodyMerge merge -> own.body(Body.STREAM, at.reason("it merges into the body"));
    }
  }

  /** What a step's expressions look at, by the field that they stand in. */
  private static Map<String, Reads> texts(Step step) {
    var texts = new TreeMap<String, Reads>();
    if (step.when() != null) {
      texts.put("when", Reads.condition(step.when()));
    }
    edits("headers", step.headers(), texts);
    edits("query", step.query(), texts);
    edits("form", step.form(), texts);
    switch (step.path()) {
      case TransformPolicy.PathPrefix(var prefix, var replacement) ->
        templates("path", List.of(replacement), texts);
      case TransformPolicy.PathSet(var value) -> templates("path", List.of(value), texts);
      case TransformPolicy.PathRegex regex -> {}
      case null -> {}
    }
    for (var op : step.json()) {
      switch (op) {
        case JsonSet set -> templates("json", strings(set.value()), texts);
        case JsonDefault ready -> templates("json", strings(ready.value()), texts);
        case JsonMove move -> {}
        case JsonRemove remove -> {}
        case JsonRename rename -> {}
        case JsonMask mask -> {}
      }
    }
    switch (step.body()) {
      case BodyTemplate(var text) -> templates("body", List.of(text), texts);
      case BodyMerge(var patch) -> templates("body", strings(patch), texts);
      case BodyReplace replace -> {}
      case null -> {}
    }
    templates("metadata", step.metadata().values(), texts);
    if (step.respond() != null) {
      step.respond().headers().values().forEach(values -> templates("respond", values, texts));
      templates("respond", List.of(step.respond().body()), texts);
    }
    return texts;
  }

  private static void edits(String part, @Nullable Edits edits, Map<String, Reads> texts) {
    if (edits == null) {
      return;
    }
    for (var named : List.of(edits.replace(), edits.set(), edits.addIfAbsent(), edits.add())) {
      named.values().forEach(values -> templates(part, values, texts));
    }
  }

  private static void templates(String part, Iterable<String> templates, Map<String, Reads> texts) {
    for (var template : templates) {
      texts.merge(part, Reads.template(template), Reads::and);
    }
  }

  /** The templates in a JSON value; none in one that is no JSON, which the compiler reports. */
  private static List<String> strings(String json) {
    try {
      return JsonTemplate.pieces(json, text -> text.contains("${")).stream()
          .filter(JsonTemplate.Piece::rendered)
          .map(JsonTemplate.Piece::text)
          .toList();
    } catch (IllegalArgumentException e) {
      return List.of();
    }
  }

  private void reads(String part, Reads reads, Direction direction, At at) {
    if (reads.reads("request.body")) {
      request.body(Body.WHOLE, at.reason("its " + part + " reads request.body"));
    }
    if (reads.reads("response.body")) {
      response.body(Body.WHOLE, at.reason("its " + part + " reads response.body"));
      request.headers.add(at.reason("whether its " + part
          + " can read response.body depends on the request's accept-encoding"));
    }
    if (direction == Direction.RESPONSE && reads.reads("request")) {
      request.headers.add(at.reason("its " + part + " reads the request"));
    }
    if (reads.reads(Needs.SOURCE_ADDRESS)) {
      var why = at.reason("its " + part + " reads source.address");
      request.headers.add(why);
      request.attributes.putIfAbsent(Needs.SOURCE_ADDRESS, why);
      response.attributes.putIfAbsent(Needs.SOURCE_ADDRESS, why);
    }
    if (reads.reads("auth")) {
      metadata.putIfAbsent(
          Bindings.AUTHZ_NAMESPACE,
          at.reason("its " + part + " reads auth, which ext-authz tells"));
    }
    for (var namespace : reads.namespaces()) {
      metadata.putIfAbsent(
          namespace, at.reason("its " + part + " reads metadata['" + namespace + "']"));
    }
  }
}
