package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.gatehouse.extproc.json.JsonEdits;
import dev.gatehouse.extproc.json.UnprocessableBody;
import dev.gatehouse.extproc.stream.BodyWish;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.HeaderChanges;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.extproc.stream.Reply;
import dev.gatehouse.extproc.transform.TransformPlan.ResponseGuard;
import dev.gatehouse.extproc.transform.TransformPlan.Way;
import dev.gatehouse.policy.expr.EvaluationException;
import dev.gatehouse.server.Decision;
import dev.gatehouse.server.Decision.Outcome;
import dev.gatehouse.server.DecisionListener;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One stream under a TransformPolicy. The steps are run at the headers: conditions, templates and headers need no more. The edits
 * of JSON wait for the body.
 *
 * <p>Fails closed: a condition or template that cannot be evaluated, or anything unforeseen, is answered 500; a body that cannot
 * be read as the edits need it 400 or 502 ({@code onUnprocessable}), one over the limit 413 or 502.
 */
public final class TransformProcessor implements Processor {
  /** Larger bodies are transformed off the event loop. */
  static final int LOOP_BYTES = 64 << 10;

  /** Sums over the old body would be wrong (RFC 9530, RFC 3230, RFC 1864). */
  private static final HeaderChanges CHANGED = HeaderChanges.builder()
      .remove("content-digest")
      .remove("repr-digest")
      .remove("digest")
      .remove("content-md5")
      .build();

  private static final HeaderChanges CHANGED_AND_DECODED = HeaderChanges.builder()
      .remove("content-digest")
      .remove("repr-digest")
      .remove("digest")
      .remove("content-md5")
      .remove("content-encoding")
      .build();

  private final TransformPlan plan;
  private final StreamFacts facts;
  private final DecisionListener decisions;
  private final StepTrace trace;

  private Pending request = Pending.NOTHING;
  private Pending response = Pending.NOTHING;

  private final List<String> changes = new ArrayList<>();
  private Outcome outcome = Outcome.UNCHANGED;
  private String reason = "unchanged";
  private @Nullable HeadersMessage requestHeaders;
  private final String requestId;

  /** @param requestId from the call's metadata; the request's header, where it comes, is preferred */
  public TransformProcessor(
      TransformPlan plan, StreamFacts facts, String requestId, DecisionListener decisions) {
    this(plan, facts, requestId, decisions, null);
  }

  /** @param record is told of each step; null while serving */
  public TransformProcessor(
      TransformPlan plan,
      StreamFacts facts,
      String requestId,
      DecisionListener decisions,
      @Nullable StepRecord record) {
    this.plan = plan;
    this.facts = facts;
    this.requestId = requestId;
    this.decisions = decisions;
    this.trace = record == null ? StepTrace.NONE : record;
  }

  @Override
  public Reply headers(HeadersMessage message) {
    var direction = message.direction();
    if (direction == Direction.REQUEST) {
      requestHeaders = message;
    }
    facts.came(message);
    if (message.isLocalReply() && !plan.transformLocalReplies()) {
      return Reply.UNCHANGED;
    }
    var way = plan.way(direction);
    try {
      return way.fixed() != null && !trace.listens()
          ? fixed(way, way.fixed(), message)
          : run(way, message);
    } catch (EvaluationException e) {
      return failed(
          direction, new Failure(Cause.BROKEN, "a step could not be evaluated: " + e.getMessage()));
    }
  }

  @Override
  public Reply body(Direction direction, ByteString body) {
    if (body.isEmpty()) {
      return Reply.UNCHANGED;
    }
    if (body.size() > plan.way(direction).bodyLimit()) {
      return tooLarge(direction);
    }
    var pending = direction == Direction.REQUEST ? request : response;
    if (body.size() <= LOOP_BYTES && pending.coding == ContentCoding.IDENTITY) {
      return transformed(direction, pending, transform(direction, pending, body));
    }
    return new Reply.Later(() -> {
      var made = transform(direction, pending, body);
      return () -> transformed(direction, pending, made);
    });
  }

  @Override
  public long gathers(Direction direction) {
    return plan.way(direction).bodyLimit();
  }

  /** The steps are run at the headers, so what comes without them comes without the steps. */
  @Override
  public Reply headersLeftOut(Direction direction) {
    return plan.way(direction).steps().isEmpty()
        ? Reply.UNCHANGED
        : failed(
            direction,
            new Failure(Cause.BODY_UNAVAILABLE, "the processing mode leaves the headers out"));
  }

  @Override
  public Reply failed(Direction direction, Failure failure) {
    if (failure.cause() == Cause.BODY_TOO_LARGE) {
      return tooLarge(direction);
    }
    end(Outcome.FAILED, "failed", failure.why());
    return Refusals.FAILED;
  }

  @Override
  public void ended(Ending ending) {
    if (!decisions.listens()) {
      return;
    }
    if (ending.failed() && outcome != Outcome.FAILED) {
      end(Outcome.FAILED, "failed", "");
    }
    var id = requestHeaders == null ? null : requestHeaders.first("x-request-id");
    var path = requestHeaders == null ? null : requestHeaders.first(":path");
    var auth = facts.auth();
    decisions.decided(new Decision(
        "ext-proc",
        id != null ? id : requestId,
        orEmpty(requestHeaders == null ? null : requestHeaders.first(":method")),
        path == null ? "" : withoutQuery(path),
        auth == null ? "" : orEmpty(auth.sub()),
        plan.policy(),
        outcome,
        reason,
        String.join(", ", changes),
        ending.nanos()));
  }

  private Reply fixed(Way way, TransformPlan.Fixed fixed, HeadersMessage message) {
    if (!fixed.headerChanges().isEmpty()) {
      changed(fixed.headerChanges());
    }
    var gzip = way.guardsResponse() && ResponseGuard.acceptsGzip(message);
    if (fixed.json().isEmpty()) {
      return fixed.reply(false, gzip);
    }
    return withBody(
        way, message, fixed.json(), fixed.jsonChanges(), awaits -> fixed.reply(awaits, gzip));
  }

  private Reply run(Way way, HeadersMessage message) throws EvaluationException {
    var run = new StepRun(message.direction(), facts, trace);
    var came = run.run(way.steps());
    changed(run.changes());
    return switch (came) {
      case StepRun.Came.Responded(var respond) -> {
        end(Outcome.RESPONDED, "responded", "responded " + respond.status());
        yield respond;
      }
      case StepRun.Came.Went went -> went(way, message, went);
    };
  }

  private Reply went(Way way, HeadersMessage message, StepRun.Came.Went went) {
    var direction = message.direction();
    if (way.guardsResponse()) {
      ResponseGuard.keepReadable(facts.edits(direction), ResponseGuard.acceptsGzip(message));
    }
    var headers = facts.edits(direction).changes();
    if (went.body() != null) {
      return templated(message, headers, went.body(), went.edits(), went.edited());
    }
    return went.edits().isEmpty()
        ? Reply.Continue.of(headers, BodyWish.UNSEEN)
        : withBody(
            way,
            message,
            went.edits(),
            went.edited(),
            awaits -> Reply.Continue.of(headers, wish(awaits)));
  }

  /** A body that a template made, and later steps may edit. */
  private Reply templated(
      HeadersMessage message,
      HeaderChanges headers,
      ByteString body,
      List<JsonEdits> edits,
      List<String> jsonChanges) {
    if (hasNoBody(message.direction())) {
      return message.endOfStream()
          ? Reply.Continue.of(headers, BodyWish.UNSEEN)
          : new Reply.NewBody(headers, ByteString.EMPTY);
    }
    if (edits.isEmpty()) {
      return new Reply.NewBody(headers, body);
    }
    try {
      var edited = edit(edits, body.toByteArray());
      changed(jsonChanges);
      return new Reply.NewBody(headers, ByteString.copyFrom(edited));
    } catch (UnprocessableBody e) {
      return failed(
          message.direction(),
          new Failure(Cause.BROKEN, "the template's body is unreadable: " + e.getMessage()));
    }
  }

  /** RFC 9110 section 6.4.1, of the status that the steps have set. */
  private boolean hasNoBody(Direction direction) {
    var code = facts.responseCode();
    return direction == Direction.RESPONSE
        && (facts.method().equals("HEAD") || code == 204 || code == 304);
  }

  private Reply withBody(
      Way way,
      HeadersMessage message,
      List<JsonEdits> edits,
      List<String> jsonChanges,
      Awaiting reply) {
    var direction = message.direction();
    return switch (BodyPromise.of(message, facts.method(), way.bodyLimit())) {
      case BodyPromise.None none -> reply.awaits(false);
      case BodyPromise.Expected(var promised) -> {
        var pending = new Pending(edits, jsonChanges, promised);
        if (direction == Direction.REQUEST) {
          request = pending;
        } else {
          response = pending;
        }
        yield reply.awaits(true);
      }
      case BodyPromise.TooLarge tooLarge -> tooLarge(direction);
      case BodyPromise.Unreadable(var why) -> unreadable(direction, why, reply.awaits(false));
    };
  }

  /** What a direction's body is waited for to do; the response may come while the request's is still on its way. */
  private record Pending(List<JsonEdits> edits, List<String> jsonChanges, ContentCoding coding) {
    static final Pending NOTHING = new Pending(List.of(), List.of(), ContentCoding.IDENTITY);
  }

  /** What came of a body. */
  private sealed interface Made {
    record New(ByteString body) implements Made {}

    record Same() implements Made {}

    record Unreadable(String why) implements Made {}

    record TooLarge() implements Made {}
  }

  /** Perhaps on a worker, so it touches nothing of the stream's. */
  private Made transform(Direction direction, Pending pending, ByteString body) {
    try {
      var before = pending.coding.decode(body, plan.way(direction).bodyLimit());
      if (before.length == 0) {
        return new Made.Same();
      }
      var after = edit(pending.edits, before);
      return Arrays.equals(after, before)
          ? new Made.Same()
          : new Made.New(UnsafeByteOperations.unsafeWrap(after));
    } catch (UnprocessableBody e) {
      return new Made.Unreadable(String.valueOf(e.getMessage()));
    } catch (BodyTooLarge e) {
      return new Made.TooLarge();
    }
  }

  private Reply transformed(Direction direction, Pending pending, Made made) {
    return switch (made) {
      case Made.Same same -> Reply.UNCHANGED;
      case Made.New(var body) -> {
        changed(pending.jsonChanges);
        yield new Reply.NewBody(
            pending.coding == ContentCoding.IDENTITY ? CHANGED : CHANGED_AND_DECODED, body);
      }
      case Made.Unreadable(var why) -> unreadable(direction, why, Reply.UNCHANGED);
      case Made.TooLarge tooLarge -> tooLarge(direction);
    };
  }

  private static byte[] edit(List<JsonEdits> edits, byte[] json) throws UnprocessableBody {
    var text = json;
    for (var some : edits) {
      text = some.apply(text);
    }
    return text;
  }

  /** @param passing what to say where the policy lets such a body pass */
  private Reply unreadable(Direction direction, String why, Reply passing) {
    if (plan.passUnprocessable()) {
      end(outcome, "unprocessable-passed", why);
      return passing;
    }
    end(Outcome.RESPONDED, "unprocessable", why);
    return Refusals.unreadable(direction);
  }

  private Reply tooLarge(Direction direction) {
    end(
        Outcome.RESPONDED,
        "too-large",
        direction + " body over " + plan.way(direction).bodyLimit() + " bytes");
    return Refusals.tooLarge(direction);
  }

  private void changed(List<String> some) {
    if (!some.isEmpty()) {
      changes.addAll(some);
      outcome = Outcome.CHANGED;
      reason = "changed";
    }
  }

  private void end(Outcome how, String word, String detail) {
    outcome = how;
    reason = word;
    changes.add(detail);
  }

  private static String withoutQuery(String path) {
    var mark = path.indexOf('?');
    return mark < 0 ? path : path.substring(0, mark);
  }

  private static String orEmpty(@Nullable String text) {
    return text == null ? "" : text;
  }

  private static BodyWish wish(boolean awaitsBody) {
    return awaitsBody ? BodyWish.WHOLE : BodyWish.UNSEEN;
  }

  private interface Awaiting {
    Reply awaits(boolean body);
  }
}
