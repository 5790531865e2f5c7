package dev.gatehouse.cli.explain;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.json.UnprocessableBody;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.transform.StepRecord;
import dev.gatehouse.extproc.transform.StepRecord.End;
import dev.gatehouse.extproc.transform.StepRecord.Seen;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.TransformPolicy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What each step of a TransformPolicy did in one direction, in order; those that were not run, too. */
record StepsPart(Direction direction, List<Line> lines) {
  /**
   * @param place what lint and logs call it, too: {@code request[0]}
   * @param how what came of it, in words
   * @param changes what it changed, as a diff
   */
  record Line(String place, TransformPolicy.Step step, How how, String text, List<String> changes) {
    Line(String place, TransformPolicy.Step step, How how, String text) {
      this(place, step, how, text, List.of());
    }

    /** {@code response[0] "mask cards"} */
    String title() {
      return step.name() == null ? place : place + " \"" + step.name() + "\"";
    }
  }

  enum How {
    DONE,
    LEFT_OUT,
    /** It failed, and the policy says to go on without it. */
    SKIPPED,
    FAILED,
    ANSWERED,
    NOT_REACHED
  }

  /**
   * @param before the message as it came
   * @param after the message as it went on; a body that is not what the steps made of it was not theirs to change
   * @param unrun why a step is not run, where none before it says so
   */
  static StepsPart of(
      Direction direction,
      TransformPolicy policy,
      StepRecord record,
      Message before,
      Message after,
      String unrun) {
    var steps = direction == Direction.REQUEST ? policy.request() : policy.response();
    var seen =
        record.seen().stream().filter(each -> each.direction() == direction).toList();
    var bodies = bodies(seen, before.body());
    var changedBody = bodies.getLast() != null && bodies.getLast().equals(after.body());
    var lines = new ArrayList<Line>();
    var why = unrun;
    for (int i = 0; i < steps.size(); i++) {
      var step = steps.get(i);
      var place = name(direction) + "[" + i + "]";
      var at = indexOf(seen, step.origin());
      if (at < 0) {
        lines.add(new Line(place, step, How.NOT_REACHED, "not run: " + why));
        continue;
      }
      var line =
          line(place, step, seen.get(at), changedBody ? bodies.subList(at, at + 2) : List.of());
      lines.add(line);
      why = switch (line.how) {
        case ANSWERED -> line.title() + " answers";
        case FAILED -> line.title() + " fails";
        case DONE, LEFT_OUT, SKIPPED, NOT_REACHED -> why;
      };
    }
    return new StepsPart(direction, lines);
  }

  static String name(Direction direction) {
    return direction == Direction.REQUEST ? "request" : "response";
  }

  private static int indexOf(List<Seen> seen, Origin step) {
    for (int i = 0; i < seen.size(); i++) {
      if (seen.get(i).step().equals(step)) {
        return i;
      }
    }
    return -1;
  }

  /** The body before the first step and after each; null from where a step cannot read it. */
  private static List<@Nullable ByteString> bodies(List<Seen> seen, ByteString came) {
    var bodies = new ArrayList<@Nullable ByteString>();
    bodies.add(came);
    ByteString body = came;
    for (var each : seen) {
      try {
        body = body == null ? null : each.apply(body);
      } catch (UnprocessableBody e) {
        body = null;
      }
      bodies.add(body);
    }
    return bodies;
  }

  /** @param bodies before and after; empty where the body was not the steps' to change */
  private static Line line(
      String place, TransformPolicy.Step step, Seen seen, List<@Nullable ByteString> bodies) {
    var held = step.when() == null ? "" : "holds";
    return switch (seen.end()) {
      case End.LeftOut leftOut -> new Line(place, step, How.LEFT_OUT, "does not hold: left out");
      case End.LeftOutUnread unread ->
        new Line(
            place,
            step,
            How.LEFT_OUT,
            "left out: it reads the body, which passes unread (onUnprocessable: Pass)");
      case End.Failed(var why, var beyond) -> {
        var fails = said(beyond ? held : "", "fails: " + why);
        yield step.skipOnError()
            ? new Line(place, step, How.SKIPPED, fails + "; left out as a whole (onError: Skip)")
            : new Line(place, step, How.FAILED, fails);
      }
      case End.Unreadable unreadable -> new Line(place, step, How.FAILED, "cannot read the body");
      case End.Responded(var reply) ->
        new Line(place, step, How.ANSWERED, said(held, "answers " + reply.status()));
      case End.Done done -> {
        var changes = changes(seen, bodies);
        yield new Line(
            place, step, How.DONE, said(held, changes.isEmpty() ? "changes nothing" : ""), changes);
      }
    };
  }

  private static String said(String held, String what) {
    return held.isEmpty() || what.isEmpty() ? held + what : held + ", " + what;
  }

  private static List<String> changes(Seen seen, List<@Nullable ByteString> bodies) {
    var changes = new ArrayList<>(Diff.ofHeaders(headers(seen.before()), headers(seen.after())));
    seen.metadata().forEach((key, value) -> changes.add("+ metadata " + key + ": " + value));
    if (bodies.size() == 2) {
      var before = bodies.get(0);
      var after = bodies.get(1);
      if (before != null && after != null && !before.equals(after)) {
        changes.addAll(Diff.ofBodies(before, after));
      }
    }
    return changes;
  }

  private static List<Message.Header> headers(List<StepRecord.Header> headers) {
    return headers.stream()
        .map(header -> new Message.Header(header.name(), header.value()))
        .toList();
  }

  void print(Page page) {
    for (var line : lines) {
      var when = line.step.when();
      var text = "%s (%s)%s%s"
          .formatted(
              line.title(),
              line.step.origin(),
              when == null ? "" : ": " + when,
              line.text.isEmpty() ? "" : (when == null ? ": " : " → ") + line.text);
      switch (line.how) {
        case DONE, ANSWERED -> page.plain(text);
        case LEFT_OUT, NOT_REACHED -> page.dim(text);
        case FAILED, SKIPPED -> page.verdict(false, text);
      }
      page.diff(line.changes);
    }
  }

  List<Map<String, Object>> json() {
    return lines.stream().map(this::json).toList();
  }

  private Map<String, Object> json(Line line) {
    var json = new LinkedHashMap<String, Object>();
    json.put("direction", name(direction));
    json.put("step", line.place);
    if (line.step.name() != null) {
      json.put("name", line.step.name());
    }
    json.put("at", line.step.origin().toString());
    if (line.step.when() != null) {
      json.put("when", line.step.when());
    }
    json.put(
        "outcome",
        switch (line.how) {
          case DONE -> "done";
          case LEFT_OUT -> "left out";
          case SKIPPED -> "skipped";
          case FAILED -> "failed";
          case ANSWERED -> "answered";
          case NOT_REACHED -> "not run";
        });
    json.put("why", line.text);
    json.put("changes", line.changes);
    return json;
  }
}
