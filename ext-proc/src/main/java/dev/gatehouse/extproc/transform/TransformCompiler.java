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
import dev.gatehouse.policy.expr.Reads;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.TransformPolicy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** Compiles a TransformPolicy: every expression, template, pattern and pointer is made ready here, and nothing while serving. */
public final class TransformCompiler {
  private static final String WHEN = "when";

  private final Problems problems;

  public TransformCompiler(Problems problems) {
    this.problems = problems;
  }

  /** The plan, or null with the problems said. */
  public @Nullable TransformPlan compile(TransformPolicy policy) {
    var before = problems.errors();
    var steps = steps(policy);
    if (problems.errors() > before) {
      return null;
    }
    var request = new ArrayList<>(of(Direction.REQUEST, steps));
    var response = of(Direction.RESPONSE, steps);
    response.stream()
        .filter(step -> step.needs().looksAtBody(Direction.REQUEST))
        .findFirst()
        .ifPresent(step -> request.add(Step.keepingBody(step)));
    var readsRequest = response.stream().anyMatch(step -> step.needs().looksAt("request"));
    var guardsResponse =
        response.stream().anyMatch(step -> step.needs().looksAtBody(Direction.RESPONSE));
    return new TransformPlan(
        policy.meta().id(),
        policy.passUnprocessable(),
        policy.transformLocalReplies(),
        Way.request(request, policy.requestBytes(), guardsResponse, readsRequest),
        Way.response(response, policy.responseBytes()));
  }

  /** What the steps need, those of the request first: of a policy with problems, which are said, what can be compiled. */
  public List<StepNeeds> needs(TransformPolicy policy) {
    return steps(policy).stream().map(Step::needs).toList();
  }

  private List<Step> steps(TransformPolicy policy) {
    var steps = new ArrayList<Step>();
    for (var i = 0; i < policy.request().size(); i++) {
      steps.add(step(Direction.REQUEST, "request[" + i + "]", policy.request().get(i)));
    }
    for (var i = 0; i < policy.response().size(); i++) {
      steps.add(
          step(Direction.RESPONSE, "response[" + i + "]", policy.response().get(i)));
    }
    checkLimit(steps, Direction.REQUEST, policy.requestBytes());
    checkLimit(steps, Direction.RESPONSE, policy.responseBytes());
    return steps;
  }

  private void checkLimit(List<Step> steps, Direction direction, long bytes) {
    if (bytes <= TransformPolicy.MAX_WHOLE_BODY) {
      return;
    }
    var limit = direction == Direction.REQUEST ? "requestBytes" : "responseBytes";
    for (var step : steps) {
      step.needs().bodies().stream()
          .filter(use -> use.direction() == direction && use.how() == How.WHOLE)
          .findFirst()
          .ifPresent(use -> problems.error(
              use.origin(),
              "spec." + step.needs().place(),
              "%s, and so the whole body must be held, which may have at most 256Mi; spec.limits.%s is more"
                  .formatted(use.why(), limit)));
    }
  }

  private Step step(Direction direction, String place, TransformPolicy.Step step) {
    return new StepCompiler(direction, place, step.origin()).compile(step);
  }

  private static List<Step> of(Direction direction, List<Step> steps) {
    return steps.stream().filter(step -> step.needs().direction() == direction).toList();
  }

  /** What could not be compiled is left out of the step; the problem that was said keeps the policy out of force. */
  private final class StepCompiler {
    private final Direction direction;
    private final String step;
    private final Place place;
    private final Origin origin;
    private final String where;
    private final List<String> changes = new ArrayList<>();
    private final SortedMap<String, Reads> reads = new TreeMap<>();
    private final List<BodyUse> bodies = new ArrayList<>();

    /** @param step its place in the policy */
    StepCompiler(Direction direction, String step, Origin origin) {
      this.direction = direction;
      this.step = step;
      this.place =
          direction == Direction.REQUEST ? Place.TRANSFORM_REQUEST : Place.TRANSFORM_RESPONSE;
      this.origin = origin;
      this.where = "spec." + step;
    }

    Step compile(TransformPolicy.Step step) {
      var when = when(step.when());
      var headers = headers(step.headers());
      var path = path(step.path());
      var query = query(step.query());
      var status = status(step.status());
      var body = body(step);
      var metadata = metadata(step.metadata());
      var respond = respond(step.respond());
      return new Step(
          needs(step),
          when,
          step.skipOnError(),
          headers,
          path,
          query,
          status,
          body,
          metadata,
          respond,
          List.copyOf(changes),
          waits());
    }

    private StepNeeds needs(TransformPolicy.Step step) {
      reads.forEach((field, read) -> {
        for (var body : Direction.values()) {
          if (read.reads(variable(body))) {
            uses(body, How.WHOLE, origin, "its " + field + " reads " + variable(body));
          }
        }
      });
      return new StepNeeds(
          direction,
          this.step,
          step.name(),
          origin,
          Collections.unmodifiableSortedMap(reads),
          List.copyOf(bodies),
          !step.metadata().isEmpty(),
          step.body() instanceof TransformPolicy.BodyTemplate);
    }

    private Step.Waits waits() {
      var body = variable(direction);
      if (reads.getOrDefault(WHEN, Reads.NOTHING).reads(body)) {
        return Step.Waits.CONDITION;
      }
      return reads.values().stream().anyMatch(read -> read.reads(body))
          ? Step.Waits.TEMPLATES
          : Step.Waits.NOTHING;
    }

    private static String variable(Direction body) {
      return body == Direction.REQUEST ? "request.body" : "response.body";
    }

    private void uses(Direction body, How how, Origin at, String why) {
      bodies.add(new BodyUse(body, how, at, why));
    }

    /** Notes what an expression in that field of the step looks at. */
    private void reads(String field, Reads what) {
      reads.merge(field, what, Reads::and);
    }

    private @Nullable Condition when(@Nullable String when) {
      if (when == null) {
        return null;
      }
      var condition = Expressions.condition(when, place, origin, where + "." + WHEN, problems);
      if (condition != null) {
        reads(WHEN, condition.reads());
      }
      return condition;
    }

    private NamedEdits headers(TransformPolicy.@Nullable Edits edits) {
      if (edits == null) {
        return NamedEdits.NONE;
      }
      var compiled = edits(edits, "headers", Text::ofHeader);
      changes.addAll(compiled.describe(""));
      return compiled;
    }

    private @Nullable PathRewrite path(TransformPolicy.@Nullable Path path) {
      if (path == null) {
        return null;
      }
      changes.add("path");
      var rewrite = PathRewrite.compile(path, place, origin, where + ".path", problems);
      if (rewrite != null) {
        reads("path", rewrite.reads());
      }
      return rewrite;
    }

    private @Nullable NamedEdits query(TransformPolicy.@Nullable Edits edits) {
      if (edits == null) {
        return null;
      }
      var compiled = edits(edits, "query", Text::of);
      changes.addAll(compiled.describe("?"));
      return compiled;
    }

    private NamedEdits edits(TransformPolicy.Edits edits, String field, TextReader read) {
      return new NamedEdits(
          new LinkedHashSet<>(edits.remove()),
          edits.rename(),
          values(edits.replace(), field, "replace", read),
          values(edits.set(), field, "set", read),
          values(edits.addIfAbsent(), field, "addIfAbsent", read),
          values(edits.add(), field, "add", read));
    }

    private Map<String, List<Text>> values(
        Map<String, List<String>> values, String field, String below, TextReader read) {
      var compiled = new LinkedHashMap<String, List<Text>>();
      values.forEach((name, texts) -> {
        var some = new ArrayList<Text>(texts.size());
        for (var value : texts) {
          var text = text(value, field, below + "." + name, read);
          if (text != null) {
            some.add(text);
          }
        }
        compiled.put(name, List.copyOf(some));
      });
      return compiled;
    }

    private @Nullable Text text(String value, String field, String below, TextReader read) {
      var text = read.text(value, place, origin, where + "." + field + "." + below, problems);
      if (text != null) {
        reads(field, text.reads());
      }
      return text;
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
        return new BodyStep.Json(json(step.json()), "json");
      }
      if (step.form() != null) {
        uses(direction, How.WHOLE, origin, "it changes a form, whose fields may come in any order");
        var fields = edits(step.form(), "form", Text::of);
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
      var text = text(template, "body", "template", Text::of);
      return text == null ? null : new BodyStep.Template(text);
    }

    private BodyStep texts(List<TransformPolicy.Replacement> all) {
      uses(
          direction,
          How.WHOLE,
          origin,
          "what its regular expressions find may be anywhere in the body");
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
        var op = MergePatch.compile(patch, json -> value(json, "body", origin, path));
        edits(op, origin, "it merges into the body");
        return new BodyStep.Json(JsonStep.of(List.of(op), List.of("merged into the body")), "body");
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
            yield edits(
                valued(
                    value,
                    opOrigin,
                    path + ".value",
                    json -> new JsonEdit.Set(at, json),
                    slot -> JsonEdit.Set.given(at, slot)),
                opOrigin,
                "it sets " + at);
          }
          case TransformPolicy.JsonDefault(var pointer, var value, var opOrigin) -> {
            said.add("default " + at);
            yield edits(
                valued(
                    value,
                    opOrigin,
                    path + ".value",
                    json -> new JsonEdit.Default(at, json),
                    slot -> JsonEdit.Default.given(at, slot)),
                opOrigin,
                "it sets " + at + " where it is missing");
          }
          case TransformPolicy.JsonRemove(var pointer, var opOrigin) -> {
            said.add("removed " + at);
            yield edits(JsonStep.Op.ready(new JsonEdit.Remove(at)), opOrigin, "it removes " + at);
          }
          case TransformPolicy.JsonRename(var pointer, var to, var opOrigin) -> {
            said.add("renamed " + at);
            if (!at.endsInName()) {
              problems.error(
                  opOrigin, path + ".at", "only a member can be renamed, by its name (no *)");
              yield null;
            }
            yield edits(
                JsonStep.Op.ready(new JsonEdit.Rename(at, to)), opOrigin, "it renames " + at);
          }
          case TransformPolicy.JsonMove(var pointer, var to, var opOrigin) -> {
            said.add("moved " + at);
            var target = pointer(to, opOrigin, path + ".to");
            yield target == null
                ? null
                : edits(
                    JsonStep.Op.ready(new JsonEdit.Move(at, target)),
                    opOrigin,
                    "it moves " + at + " to " + to + ", which may come before it");
          }
          case TransformPolicy.JsonMask(var pointer, var keepLast, var opOrigin) -> {
            said.add("masked " + at);
            yield edits(
                JsonStep.Op.ready(new JsonEdit.Mask(at, keepLast)), opOrigin, "it masks " + at);
          }
        };
      } catch (IllegalArgumentException e) {
        problems.error(op.origin(), path, String.valueOf(e.getMessage()));
        return null;
      }
    }

    /** Notes what an edit needs of the body. */
    private JsonStep.@Nullable Op edits(JsonStep.@Nullable Op op, Origin at, String why) {
      if (op != null) {
        uses(direction, op.needsWholeBody() ? How.WHOLE : How.STREAM, at, why);
      }
      return op;
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
      var value = value(json, "json", at, path);
      if (value == null) {
        return null;
      }
      return value.isTemplate()
          ? new JsonStep.Op(given, List.of(value))
          : JsonStep.Op.ready(constant.apply(json));
    }

    private JsonStep.@Nullable Value value(String json, String field, Origin at, String path) {
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
          reads(field, template.reads());
          pieces.add(new JsonStep.Rendered(template));
        }
      }
      return new JsonStep.Value(List.copyOf(pieces));
    }

    private Map<String, Text> metadata(Map<String, String> metadata) {
      var compiled = new LinkedHashMap<String, Text>();
      metadata.forEach((key, value) -> {
        var text = text(value, "metadata", key, Text::of);
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
      var body = text(respond.body(), "respond", "body", Text::of);
      return new Step.Respond(
          respond.status(),
          values(respond.headers(), "respond", "headers", Text::ofHeader),
          body == null ? new Text.Constant(ByteString.EMPTY) : body);
    }
  }

  private interface TextReader {
    /** Null with the problem said. */
    @Nullable
    Text text(String text, Place place, Origin origin, String path, Problems problems);
  }
}
