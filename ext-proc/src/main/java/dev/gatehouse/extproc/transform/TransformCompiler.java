package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.json.JsonEdit;
import dev.gatehouse.extproc.json.JsonPath;
import dev.gatehouse.extproc.json.JsonTemplate;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.transform.TransformPlan.Way;
import dev.gatehouse.policy.expr.Condition;
import dev.gatehouse.policy.expr.Expressions;
import dev.gatehouse.policy.expr.Place;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.TransformPolicy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Compiles a TransformPolicy: every expression, template, pattern and pointer is made ready here, and nothing while serving. */
public final class TransformCompiler {
  private final Problems problems;

  public TransformCompiler(Problems problems) {
    this.problems = problems;
  }

  /** The plan, or null with the problems said. */
  public @Nullable TransformPlan compile(TransformPolicy policy) {
    var before = problems.errors();
    var request = steps(Direction.REQUEST, policy.request());
    var response = steps(Direction.RESPONSE, policy.response());
    if (problems.errors() > before) {
      return null;
    }
    var readsResponse = response.stream().anyMatch(step -> step.json() != null);
    return new TransformPlan(
        policy.meta().id(),
        policy.passUnprocessable(),
        policy.transformLocalReplies(),
        Way.of(Direction.REQUEST, request, policy.requestBytes(), readsResponse),
        Way.of(Direction.RESPONSE, response, policy.responseBytes(), false));
  }

  private List<Step> steps(Direction direction, List<TransformPolicy.Step> steps) {
    var compiled = new ArrayList<Step>();
    for (var i = 0; i < steps.size(); i++) {
      var request = direction == Direction.REQUEST;
      compiled.add(new StepCompiler(
              request ? Place.TRANSFORM_REQUEST : Place.TRANSFORM_RESPONSE,
              steps.get(i).origin(),
              "spec." + (request ? "request" : "response") + "[" + i + "]")
          .compile(steps.get(i)));
    }
    return compiled;
  }

  /** What could not be compiled is left out of the step; the problem that was said keeps the policy out of force. */
  private final class StepCompiler {
    private final Place place;
    private final Origin origin;
    private final String where;
    private final List<String> changes = new ArrayList<>();
    private final List<String> jsonChanges = new ArrayList<>();

    StepCompiler(Place place, Origin origin, String where) {
      this.place = place;
      this.origin = origin;
      this.where = where;
    }

    Step compile(TransformPolicy.Step step) {
      return new Step(
          when(step.when()),
          headers(step.headers()),
          path(step.path()),
          query(step.query()),
          status(step.status()),
          json(step.json()),
          body(step.bodyTemplate()),
          respond(step.respond()),
          List.copyOf(changes),
          origin);
    }

    private @Nullable Condition when(@Nullable String when) {
      return when == null
          ? null
          : Expressions.condition(when, place, origin, where + ".when", problems);
    }

    private Step.Headers headers(TransformPolicy.@Nullable Headers headers) {
      if (headers == null) {
        return Step.Headers.NONE;
      }
      headers.remove().forEach(name -> changes.add("-" + name));
      headers.rename().forEach((from, to) -> changes.add(from + "→" + to));
      headers.set().keySet().forEach(name -> changes.add(name + "="));
      headers.add().keySet().forEach(name -> changes.add("+" + name));
      return new Step.Headers(
          List.copyOf(headers.remove()),
          headers.rename(),
          values(headers.set(), where + ".headers.set"),
          values(headers.add(), where + ".headers.add"));
    }

    private Map<String, Text> values(Map<String, String> values, String path) {
      var compiled = new LinkedHashMap<String, Text>();
      values.forEach((name, value) -> {
        var text = Text.ofHeader(value, place, origin, path + "." + name, problems);
        if (text != null) {
          compiled.put(name, text);
        }
      });
      return compiled;
    }

    private @Nullable PathRewrite path(TransformPolicy.@Nullable Path path) {
      if (path == null) {
        return null;
      }
      changes.add("path");
      return PathRewrite.compile(path, origin, where + ".path", problems);
    }

    private @Nullable QueryEdit query(TransformPolicy.@Nullable Query query) {
      if (query == null) {
        return null;
      }
      var set = new LinkedHashMap<String, Text>();
      query.set().forEach((name, value) -> {
        var text = Text.of(value, place, origin, where + ".query.set." + name, problems);
        if (text != null) {
          set.put(name, text);
        }
      });
      query.remove().forEach(name -> changes.add("-?" + name));
      query.set().keySet().forEach(name -> changes.add("?" + name + "="));
      return new QueryEdit(set, Set.copyOf(query.remove()));
    }

    private @Nullable ByteString status(@Nullable Integer status) {
      if (status == null) {
        return null;
      }
      changes.add("status " + status);
      return ByteString.copyFromUtf8(Integer.toString(status));
    }

    private @Nullable JsonStep json(List<TransformPolicy.JsonOp> ops) {
      if (ops.isEmpty()) {
        return null;
      }
      var compiled = new ArrayList<JsonStep.Op>();
      for (var i = 0; i < ops.size(); i++) {
        var op = op(ops.get(i), where + ".json[" + i + "]");
        if (op != null) {
          compiled.add(op);
        }
      }
      return JsonStep.of(compiled, jsonChanges);
    }

    private JsonStep.@Nullable Op op(TransformPolicy.JsonOp op, String path) {
      JsonPath at;
      try {
        at = JsonPath.parse(op.at());
      } catch (IllegalArgumentException e) {
        problems.error(op.origin(), path + ".at", String.valueOf(e.getMessage()));
        return null;
      }
      return switch (op) {
        case TransformPolicy.JsonSet set -> {
          jsonChanges.add("set " + at);
          yield set(at, set, path + ".value");
        }
        case TransformPolicy.JsonRemove remove -> {
          jsonChanges.add("removed " + at);
          if (op.at().isEmpty()) {
            problems.error(op.origin(), path + ".at", "the whole document cannot be removed");
          }
          yield new JsonStep.Ready(new JsonEdit.Remove(at));
        }
        case TransformPolicy.JsonRename rename -> {
          jsonChanges.add("renamed " + at);
          if (!at.endsInName()) {
            problems.error(
                op.origin(), path + ".at", "only a member can be renamed, by its name (no *)");
          }
          yield new JsonStep.Ready(new JsonEdit.Rename(at, rename.to()));
        }
        case TransformPolicy.JsonMask mask -> {
          jsonChanges.add("masked " + at);
          yield new JsonStep.Ready(new JsonEdit.Mask(at, mask.keepLast()));
        }
      };
    }

    private JsonStep.@Nullable Op set(JsonPath at, TransformPolicy.JsonSet set, String path) {
      List<JsonTemplate.Piece> parts;
      try {
        parts = JsonTemplate.pieces(set.value(), text -> text.contains("${"));
      } catch (IllegalArgumentException e) {
        problems.error(set.origin(), path, e.getMessage() + " (expected: a JSON value)");
        return null;
      }
      if (parts.stream().noneMatch(JsonTemplate.Piece::rendered)) {
        return new JsonStep.Ready(new JsonEdit.Set(at, set.value()));
      }
      var pieces = new ArrayList<JsonStep.Piece>();
      for (var part : parts) {
        if (!part.rendered()) {
          pieces.add(new JsonStep.Raw(part.text()));
          continue;
        }
        var template = Expressions.template(part.text(), place, set.origin(), path, problems);
        if (template != null) {
          pieces.add(new JsonStep.Rendered(template));
        }
      }
      return new JsonStep.SetRendered(at, List.copyOf(pieces));
    }

    private @Nullable Text body(@Nullable String template) {
      if (template == null) {
        return null;
      }
      changes.add("body");
      return Text.of(template, place, origin, where + ".body.template", problems);
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
          values(respond.headers(), where + ".respond.headers"),
          body == null ? new Text.Constant(ByteString.EMPTY) : body);
    }
  }
}
