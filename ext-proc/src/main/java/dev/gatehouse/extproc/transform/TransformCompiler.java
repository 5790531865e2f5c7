package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.json.JsonEdit;
import dev.gatehouse.extproc.json.JsonPath;
import dev.gatehouse.extproc.json.JsonTemplate;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.transform.BodyUse.How;
import dev.gatehouse.extproc.transform.TransformPlan.Way;
import dev.gatehouse.policy.expr.Condition;
import dev.gatehouse.policy.expr.Expressions;
import dev.gatehouse.policy.expr.Place;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.TransformPolicy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** Compiles a TransformPolicy: every expression, template, pattern and pointer is made ready here, and nothing while serving. */
public final class TransformCompiler {
  private static final String REQUEST_BODY = "request.body";
  private static final String RESPONSE_BODY = "response.body";

  private final Problems problems;

  public TransformCompiler(Problems problems) {
    this.problems = problems;
  }

  /** The plan, or null with the problems said. */
  public @Nullable TransformPlan compile(TransformPolicy policy) {
    var before = problems.errors();
    var request = steps(Direction.REQUEST, policy.request());
    var response = steps(Direction.RESPONSE, policy.response());
    response.stream()
        .filter(step -> step.reads().reads(REQUEST_BODY))
        .findFirst()
        .ifPresent(step -> request.add(Step.keepingBody(step)));
    checkLimit(policy, request, "requestBytes", policy.requestBytes());
    checkLimit(policy, response, "responseBytes", policy.responseBytes());
    if (problems.errors() > before) {
      return null;
    }
    var readsResponse = response.stream().anyMatch(step -> step.bodyUse().how() != How.NONE);
    return new TransformPlan(
        policy.meta().id(),
        policy.passUnprocessable(),
        policy.transformLocalReplies(),
        Way.of(Direction.REQUEST, request, policy.requestBytes(), readsResponse),
        Way.of(Direction.RESPONSE, response, policy.responseBytes(), false));
  }

  private void checkLimit(TransformPolicy policy, List<Step> steps, String field, long bytes) {
    if (bytes <= TransformPolicy.MAX_WHOLE_BODY) {
      return;
    }
    steps.stream()
        .map(Step::bodyUse)
        .filter(use -> use.how() == How.WHOLE)
        .findFirst()
        .ifPresent(use -> problems.error(
            policy.meta().origin(),
            "spec.limits." + field,
            "a body that is held as a whole may have at most 256Mi, and this one is (" + use.why()
                + ")"));
  }

  private List<Step> steps(Direction direction, List<TransformPolicy.Step> steps) {
    var compiled = new ArrayList<Step>();
    for (var i = 0; i < steps.size(); i++) {
      compiled.add(step(direction, steps.get(i), "[" + i + "]"));
    }
    return compiled;
  }

  /** @param index as it stands in a path */
  Step step(Direction direction, TransformPolicy.Step step, String index) {
    var request = direction == Direction.REQUEST;
    return new StepCompiler(
            request ? Place.TRANSFORM_REQUEST : Place.TRANSFORM_RESPONSE,
            step.origin(),
            "spec." + (request ? "request" : "response") + index)
        .compile(step);
  }

  /** What could not be compiled is left out of the step; the problem that was said keeps the policy out of force. */
  private final class StepCompiler {
    private final Place place;
    private final Origin origin;
    private final String where;
    private final List<String> changes = new ArrayList<>();

    StepCompiler(Place place, Origin origin, String where) {
      this.place = place;
      this.origin = origin;
      this.where = where;
    }

    Step compile(TransformPolicy.Step step) {
      return new Step(
              step.name() == null ? where.substring("spec.".length()) : step.name(),
              when(step.when()),
              step.skipOnError(),
              headers(step.headers()),
              path(step.path()),
              query(step.query()),
              status(step.status()),
              body(step),
              metadata(step.metadata()),
              respond(step.respond()),
              List.copyOf(changes),
              origin,
              Step.Waits.NOTHING)
          .waiting(place == Place.TRANSFORM_REQUEST ? REQUEST_BODY : RESPONSE_BODY);
    }

    private @Nullable Condition when(@Nullable String when) {
      return when == null
          ? null
          : Expressions.condition(when, place, origin, where + ".when", problems);
    }

    private NamedEdits headers(TransformPolicy.@Nullable Edits edits) {
      if (edits == null) {
        return NamedEdits.NONE;
      }
      var compiled = edits(edits, where + ".headers", Text::ofHeader);
      changes.addAll(compiled.describe(""));
      return compiled;
    }

    private @Nullable PathRewrite path(TransformPolicy.@Nullable Path path) {
      if (path == null) {
        return null;
      }
      changes.add("path");
      return PathRewrite.compile(path, place, origin, where + ".path", problems);
    }

    private @Nullable NamedEdits query(TransformPolicy.@Nullable Edits edits) {
      if (edits == null) {
        return null;
      }
      var compiled = edits(edits, where + ".query", Text::of);
      changes.addAll(compiled.describe("?"));
      return compiled;
    }

    private NamedEdits edits(TransformPolicy.Edits edits, String path, TextReader read) {
      return new NamedEdits(
          new LinkedHashSet<>(edits.remove()),
          edits.rename(),
          values(edits.replace(), path + ".replace", read),
          values(edits.set(), path + ".set", read),
          values(edits.addIfAbsent(), path + ".addIfAbsent", read),
          values(edits.add(), path + ".add", read));
    }

    private Map<String, List<Text>> values(
        Map<String, List<String>> values, String path, TextReader read) {
      var compiled = new LinkedHashMap<String, List<Text>>();
      values.forEach((name, texts) -> {
        var some = new ArrayList<Text>(texts.size());
        for (var value : texts) {
          var text = read.text(value, place, origin, path + "." + name, problems);
          if (text != null) {
            some.add(text);
          }
        }
        compiled.put(name, List.copyOf(some));
      });
      return compiled;
    }

    private @Nullable ByteString status(@Nullable Integer status) {
      if (status == null) {
        return null;
      }
      changes.add("status " + status);
      return ByteString.copyFromUtf8(Integer.toString(status));
    }

    private @Nullable BodyStep body(TransformPolicy.Step step) {
      if (!step.json().isEmpty()) {
        return new BodyStep.Json(json(step.json()));
      }
      if (step.form() != null) {
        var fields = edits(step.form(), where + ".form", Text::of);
        return new BodyStep.Form(fields, fields.describe("form "));
      }
      return switch (step.body()) {
        case null -> null;
        case TransformPolicy.BodyTemplate(var text) -> template(text);
        case TransformPolicy.BodyReplace(var all) -> texts(all);
        case TransformPolicy.BodyMerge(var patch) -> merge(patch, where + ".body.merge");
      };
    }

    private @Nullable BodyStep template(String template) {
      changes.add("body");
      var text = Text.of(template, place, origin, where + ".body.template", problems);
      return text == null ? null : new BodyStep.Template(text);
    }

    private BodyStep texts(List<TransformPolicy.Replacement> all) {
      var compiled = new ArrayList<TextReplacement>();
      for (var i = 0; i < all.size(); i++) {
        var one = TextReplacement.compile(
            all.get(i), origin, where + ".body.replace[" + i + "]", problems);
        if (one != null) {
          compiled.add(one);
        }
      }
      return new BodyStep.Texts(
          new BodyEdit.Texts(List.copyOf(compiled)), List.of("replaced texts in the body"));
    }

    private @Nullable BodyStep merge(String patch, String path) {
      try {
        var op = MergePatch.compile(patch, json -> value(json, origin, path));
        return new BodyStep.Json(JsonStep.of(List.of(op), List.of("merged into the body")));
      } catch (IllegalArgumentException e) {
        problems.error(origin, path, String.valueOf(e.getMessage()));
        return null;
      }
    }

    private JsonStep json(List<TransformPolicy.JsonOp> ops) {
      var compiled = new ArrayList<JsonStep.Op>();
      var said = new ArrayList<String>();
      for (var i = 0; i < ops.size(); i++) {
        var op = op(ops.get(i), where + ".json[" + i + "]", said);
        if (op != null) {
          compiled.add(op);
        }
      }
      return JsonStep.of(compiled, said);
    }

    private JsonStep.@Nullable Op op(TransformPolicy.JsonOp op, String path, List<String> said) {
      var at = pointer(op.at(), op.origin(), path + ".at");
      if (at == null) {
        return null;
      }
      try {
        return switch (op) {
          case TransformPolicy.JsonSet(var pointer, var value, var opOrigin) -> {
            said.add("set " + at);
            yield valued(
                value,
                opOrigin,
                path + ".value",
                json -> new JsonEdit.Set(at, json),
                slot -> JsonEdit.Set.given(at, slot));
          }
          case TransformPolicy.JsonDefault(var pointer, var value, var opOrigin) -> {
            said.add("default " + at);
            yield valued(
                value,
                opOrigin,
                path + ".value",
                json -> new JsonEdit.Default(at, json),
                slot -> JsonEdit.Default.given(at, slot));
          }
          case TransformPolicy.JsonRemove remove -> {
            said.add("removed " + at);
            yield new JsonStep.Ready(new JsonEdit.Remove(at));
          }
          case TransformPolicy.JsonRename(var pointer, var to, var opOrigin) -> {
            said.add("renamed " + at);
            if (!at.endsInName()) {
              problems.error(
                  opOrigin, path + ".at", "only a member can be renamed, by its name (no *)");
              yield null;
            }
            yield new JsonStep.Ready(new JsonEdit.Rename(at, to));
          }
          case TransformPolicy.JsonMove(var pointer, var to, var opOrigin) -> {
            said.add("moved " + at);
            var target = pointer(to, opOrigin, path + ".to");
            yield target == null ? null : new JsonStep.Ready(new JsonEdit.Move(at, target));
          }
          case TransformPolicy.JsonMask(var pointer, var keepLast, var opOrigin) -> {
            said.add("masked " + at);
            yield new JsonStep.Ready(new JsonEdit.Mask(at, keepLast));
          }
        };
      } catch (IllegalArgumentException e) {
        problems.error(op.origin(), path, String.valueOf(e.getMessage()));
        return null;
      }
    }

    private @Nullable JsonPath pointer(String text, Origin at, String path) {
      try {
        return JsonPath.parse(text);
      } catch (IllegalArgumentException e) {
        problems.error(at, path, String.valueOf(e.getMessage()));
        return null;
      }
    }

    /** An edit with a value that may hold templates. */
    private JsonStep.@Nullable Op valued(
        String json,
        Origin at,
        String path,
        Function<String, JsonEdit> constant,
        IntFunction<JsonEdit> given) {
      var value = value(json, at, path);
      if (value == null) {
        return null;
      }
      return value.isTemplate()
          ? new JsonStep.Templated(given, List.of(value))
          : new JsonStep.Ready(constant.apply(json));
    }

    private JsonStep.@Nullable Value value(String json, Origin at, String path) {
      List<JsonTemplate.Piece> parts;
      try {
        parts = JsonTemplate.pieces(json, text -> text.contains("${"));
      } catch (IllegalArgumentException e) {
        problems.error(at, path, e.getMessage() + " (expected: a JSON value)");
        return null;
      }
      var pieces = new ArrayList<JsonStep.Piece>();
      for (var part : parts) {
        if (!part.rendered()) {
          pieces.add(new JsonStep.Raw(part.text()));
          continue;
        }
        var template = Expressions.template(part.text(), place, at, path, problems);
        if (template != null) {
          pieces.add(new JsonStep.Rendered(template));
        }
      }
      return new JsonStep.Value(List.copyOf(pieces));
    }

    private Map<String, Text> metadata(Map<String, String> metadata) {
      var compiled = new LinkedHashMap<String, Text>();
      metadata.forEach((key, value) -> {
        var text = Text.of(value, place, origin, where + ".metadata." + key, problems);
        if (text != null) {
          compiled.put(key, text);
        }
        changes.add("metadata " + key);
      });
      return Collections.unmodifiableMap(compiled);
    }

    private Step.@Nullable Respond respond(TransformPolicy.@Nullable Respond respond) {
      if (respond == null) {
        return null;
      }
      if (respond.status() < 200 || respond.status() > 599) {
        problems.error(
            origin,
            where + ".respond.status",
            respond.status() + " (expected: 200 to 599; Envoy would make 200 of less)");
      }
      var body = Text.of(respond.body(), place, origin, where + ".respond.body", problems);
      return new Step.Respond(
          respond.status(),
          values(respond.headers(), where + ".respond.headers", Text::ofHeader),
          body == null ? new Text.Constant(ByteString.EMPTY) : body);
    }
  }

  private interface TextReader {
    /** Null with the problem said. */
    @Nullable
    Text text(String text, Place place, Origin origin, String path, Problems problems);
  }
}
