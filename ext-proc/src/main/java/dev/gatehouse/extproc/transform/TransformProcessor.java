package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.stream.BodyMode;
import dev.gatehouse.extproc.stream.BodyWish;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.DynamicMetadata;
import dev.gatehouse.extproc.stream.HeaderChanges;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.ModeOverride;
import dev.gatehouse.extproc.stream.ModeOverride.Sending;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.extproc.stream.Reply;
import dev.gatehouse.extproc.transform.TransformPlan.ResponseGuard;
import dev.gatehouse.extproc.transform.TransformPlan.Way;
import dev.gatehouse.policy.expr.EvaluationException;
import dev.gatehouse.server.Decision;
import dev.gatehouse.server.Decision.Outcome;
import dev.gatehouse.server.DecisionListener;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One stream under a TransformPolicy. The steps are run at the headers, up to the first that reads the body: that one and those after
 * it wait for the whole of it. What steps want made of a body waits for it, too, or for its pieces.
 *
 * <p>Fails closed: a condition or template that cannot be evaluated, or anything unforeseen, is answered 500; a body that cannot
 * be read as the edits need it 400 or 502 ({@code onUnprocessable}), one over the limit 413 or 502.
 */
public final class TransformProcessor implements Processor {
  /** Larger bodies are transformed off the event loop. */
  static final int LOOP_BYTES = 64 << 10;

  /** What is made of a piece at a time, off the event loop, where the rest may follow. */
  private static final int STEP_BYTES = 256 << 10;

  /** What a compressed piece may unfold to where its answer can have no portions (STREAMED): JSON of 1 MiB on the wire, as a rule. */
  private static final int AT_ONCE_BYTES = 32 << 20;

  /** Larger bodies only stream. */
  private static final long MOST_GATHERED = 256 << 20;

  /** A 204 has none, and a 304 not that of no body (RFC 9110 section 8.6). */
  private static final HeaderChanges NO_LENGTH =
      HeaderChanges.builder().remove("content-length").build();

  private static final Failure NEVER_CAME =
      new Failure(Cause.BODY_UNAVAILABLE, "steps wait for the request's body, and it never came");

  private static final Failure NO_BODY_FITS = new Failure(
      Cause.BODY_UNAVAILABLE,
      "no body came, only trailers, and steps that waited for it have something to change");

  private final TransformPlan plan;
  private final StreamFacts facts;
  private final DecisionListener decisions;
  private final StepTrace trace;

  private BodyWork request = BodyWork.NOTHING;
  private BodyWork response = BodyWork.NOTHING;

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
    if (direction == Direction.RESPONSE && !message.isLocalReply() && request.isAwaited()) {
      return failed(Direction.REQUEST, NEVER_CAME); // Trailers, that the mode does not send.
    }
    var way = plan.way(direction);
    return way.fixed() != null && !trace.listens()
        ? fixed(way, way.fixed(), message)
        : run(way, message);
  }

  @Override
  public Reply body(Direction direction, ByteString body) {
    var work = work(direction);
    if (body.isEmpty() && !work.isAwaited()) {
      return Reply.UNCHANGED;
    }
    work.taken();
    var limit = plan.way(direction).bodyLimit();
    if (body.size() > limit) {
      return tooLarge(direction);
    }
    var came = !body.isEmpty();
    if (!came || (body.size() <= LOOP_BYTES && !work.isSlow(body))) {
      return changed(direction, work, work.whole(body, limit), came);
    }
    return new Reply.Later(() -> {
      var made = work.whole(body, limit);
      return () -> changed(direction, work, made, came);
    });
  }

  @Override
  public Reply chunk(Direction direction, ByteString piece, boolean last) {
    var work = work(direction);
    if (work.passes()) {
      return Reply.UNCHANGED;
    }
    if (last && work.headersWait() && !work.hasBegun()) {
      return body(direction, piece); // All of it is here.
    }
    var body = work.chunks(plan.way(direction).bodyLimit(), plan.passUnprocessable());
    body.take(piece, last);
    var inPortions = work.headersWait();
    var atOnce = Math.max(AT_ONCE_BYTES, piece.size() + 1);
    if (piece.size() <= LOOP_BYTES && (inPortions || !work.decodes())) {
      return changed(direction, work, body, body.work(inPortions ? LOOP_BYTES : atOnce));
    }
    return new Reply.Later(portion(direction, work, body, inPortions ? STEP_BYTES : atOnce));
  }

  /** Late steps see an empty body; the headers still wait for what they change. */
  @Override
  public Reply noBody(Direction direction) {
    var reply = body(direction, ByteString.EMPTY);
    return reply instanceof Reply.NewBody ? failed(direction, NO_BODY_FITS) : reply;
  }

  /** Behind a body that never came (BUFFERED): late steps see an empty one, and can only answer instead, since the headers have gone. */
  @Override
  public Reply trailers(Direction direction, List<HeaderValue> trailers) {
    if (!work(direction).isAwaited()) {
      return Reply.UNCHANGED;
    }
    return switch (noBody(direction)) {
      case Reply.Continue go when !go.changes().isEmpty() -> failed(direction, NO_BODY_FITS);
      case Reply other -> other;
    };
  }

  @Override
  public long gathers(Direction direction) {
    return Math.min(plan.way(direction).bodyLimit(), MOST_GATHERED);
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
    work(direction).close();
    if (failure.cause() == Cause.BODY_TOO_LARGE) {
      return tooLarge(direction);
    }
    end(Outcome.FAILED, word(failure.cause()), failure.why());
    return Refusals.FAILED;
  }

  @Override
  public void ended(Ending ending) {
    request.close();
    response.close();
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
    if (fixed.edits().isEmpty()) {
      return fixed.reply(BodyWish.UNSEEN, gzip);
    }
    return withBody(
        way, message, fixed.edits(), fixed.edited(), null, wish -> fixed.reply(wish, gzip));
  }

  private Reply run(Way way, HeadersMessage message) {
    var run = new StepRun(message.direction(), facts, trace);
    StepRun.Came came;
    try {
      came = hasNoBody(message) ? run.withoutBody(way.steps()) : run.beforeBody(way.steps());
    } catch (EvaluationException e) {
      return stepFailed(String.valueOf(e.getMessage()), run.metadata());
    }
    changed(run.changes());
    leftOut(run.leftOut());
    var reply = switch (came) {
      case StepRun.Came.Responded(var respond) -> {
        end(Outcome.RESPONDED, "responded", "responded " + respond.status());
        yield respond;
      }
      case StepRun.Came.Went went -> went(way, message, went, run.metadata());
    };
    if (message.direction() == Direction.RESPONSE) {
      facts.forgetBodies(); // Late steps have facts of their own.
    }
    return reply instanceof Reply.Respond respond ? respond.with(run.metadata()) : reply;
  }

  private Reply went(
      Way way, HeadersMessage message, StepRun.Came.Went went, DynamicMetadata metadata) {
    var direction = message.direction();
    guard(way);
    var headers = facts.edits(direction).changes();
    if (went.body() != null) {
      return templated(message, headers, went.body(), metadata);
    }
    if (went.late().isEmpty() && takesBodyAway(message)) {
      return templated(message, headers, ByteString.EMPTY, metadata);
    }
    if (went.edits().isEmpty() && went.late().isEmpty()) {
      return unwanted(message, Reply.Continue.of(headers, BodyWish.UNSEEN).with(metadata));
    }
    var late = went.late().isEmpty()
        ? null
        : new LateSteps(
            direction, facts.later(direction), went.late(), plan.passUnprocessable(), trace);
    return withBody(
        way,
        message,
        went.edits(),
        went.edited(),
        late,
        wish -> Reply.Continue.of(headers, wish).with(metadata));
  }

  /** A body that a template made. */
  private Reply templated(
      HeadersMessage message, HeaderChanges headers, ByteString body, DynamicMetadata metadata) {
    if (!hasNoBody(message.direction())) {
      return new Reply.NewBody(headers.and(BodyHeaders.REPLACED), body, metadata);
    }
    return message.endOfStream()
        ? Reply.Continue.of(headers, BodyWish.UNSEEN).with(metadata)
        : new Reply.NewBody(headers, ByteString.EMPTY, metadata);
  }

  /** Where response steps need the response's body they must get one that they can read. */
  private void guard(Way way) {
    if (way.guardsResponse() && requestHeaders != null) {
      ResponseGuard.keepReadable(
          facts.edits(Direction.REQUEST), ResponseGuard.acceptsGzip(requestHeaders));
    }
  }

  /** Whether the steps have set a status that has no body, before one that has come. */
  private boolean takesBodyAway(HeadersMessage message) {
    return !message.endOfStream()
        && hasNoBody(message.direction())
        && !BodyPromise.hasNone(message, facts.method());
  }

  private boolean hasNoBody(HeadersMessage message) {
    return message.endOfStream() || hasNoBody(message.direction());
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
      List<BodyEdit> edits,
      List<String> edited,
      @Nullable LateSteps late,
      Awaiting reply) {
    var direction = message.direction();
    var described = BodyPromise.isOnlyDescribed(message, facts.method());
    return switch (BodyPromise.of(message, facts.method(), way.bodyLimit())) {
      case BodyPromise.None none -> {
        var go = reply.wishing(BodyWish.UNSEEN);
        yield described ? go.with(BodyHeaders.notSent(facts.edits(direction))) : go;
      }
      case BodyPromise.Expected(var coding) -> {
        var streams = late == null && edits.stream().allMatch(edit -> edit.streaming() != null);
        var wish = BodyPromise.wish(message, streams);
        var decodes = coding != ContentCoding.IDENTITY;
        var changes = described
            ? BodyHeaders.notSent(facts.edits(direction))
            : BodyHeaders.changed(facts.edits(direction), decodes);
        remember(
            direction,
            new BodyWork(edits, edited, late, coding, changes, wish == BodyWish.HELD_CHUNKS));
        var go = reply.wishing(wish);
        yield described || wish == BodyWish.CHUNKS ? go.with(changes) : go;
      }
      case BodyPromise.TooLarge tooLarge -> tooLarge(direction);
      case BodyPromise.Unreadable(var why) ->
        late == null || !plan.passUnprocessable()
            ? unreadable(direction, why, unwanted(message, reply.wishing(BodyWish.UNSEEN)))
            : unread(message, late, why, reply.wishing(BodyWish.UNSEEN));
    };
  }

  /** Late steps are run at the headers over a body that passes as it comes. */
  private Reply unread(HeadersMessage message, LateSteps late, String why, Reply.Continue so) {
    var direction = message.direction();
    var work =
        new BodyWork(List.of(), List.of(), late, ContentCoding.IDENTITY, HeaderChanges.NONE, false);
    return switch (changed(direction, work, work.unreadable(why), true)) {
      case Reply.Continue go -> unwanted(message, so.with(go.changes()).with(go.metadata()));
      case Reply.NewBody(var changes, var body, var metadata) ->
        templated(message, so.changes().and(changes), body, so.metadata().and(metadata));
      case Reply other -> other;
    };
  }

  /** Nobody needs the body: under BUFFERED Envoy is told, since one that never ends would never arrive. */
  private Reply unwanted(HeadersMessage message, Reply.Continue go) {
    if (message.bodyMode() != BodyMode.BUFFERED || message.endOfStream()) {
      return go;
    }
    var request = message.direction() == Direction.REQUEST;
    return go.with(new ModeOverride(
        request ? BodyMode.NONE : null,
        request ? null : BodyMode.NONE,
        plan.response().steps().isEmpty() ? Sending.SKIP : Sending.SEND,
        Sending.DEFAULT,
        Sending.DEFAULT));
  }

  private void remember(Direction direction, BodyWork work) {
    if (direction == Direction.REQUEST) {
      request = work;
    } else {
      response = work;
    }
  }

  private BodyWork work(Direction direction) {
    return direction == Direction.REQUEST ? request : response;
  }

  /** @param came whether there is a body, of which something must become */
  private Reply changed(Direction direction, BodyWork work, BodyWork.Made made, boolean came) {
    return switch (made) {
      case BodyWork.Made.Same same -> Reply.UNCHANGED;
      case BodyWork.Made.New(var body) -> {
        changed(work.tell());
        yield new Reply.NewBody(work.changes(), body);
      }
      case BodyWork.Made.Ran(var ran) -> ran(direction, work, ran, came);
      case BodyWork.Made.Unreadable(var why) -> unreadable(direction, why, Reply.UNCHANGED);
      case BodyWork.Made.TooLarge tooLarge -> tooLarge(direction);
    };
  }

  /** Late steps were run over a whole body. */
  private Reply ran(Direction direction, BodyWork work, LateSteps.Ran ran, boolean came) {
    if (ran.failed() != null) {
      return stepFailed(ran.failed(), ran.metadata());
    }
    facts.take(direction, ran.facts(), plan.way(direction).keepsBody());
    changed(ran.tell());
    leftOut(ran.leftOut());
    if (ran.unreadable() != null) {
      passed(ran.unreadable());
    }
    if (ran.response() != null) {
      end(Outcome.RESPONDED, "responded", "responded " + ran.response().status());
      return ran.response().with(ran.metadata());
    }
    var headers = ran.changes();
    if (!headers.isEmpty() && direction == Direction.REQUEST) {
      guard(plan.request());
      headers = facts.edits(direction).changes();
    }
    if (came && hasNoBody(direction)) {
      return new Reply.NewBody(
          work.changes().and(headers).and(NO_LENGTH), ByteString.EMPTY, ran.metadata());
    }
    if (ran.body() == null) {
      return Reply.Continue.of(headers, BodyWish.UNSEEN).with(ran.metadata());
    }
    changed(work.tell());
    var all = work.changes().and(headers);
    return hasNoBody(direction)
        ? Reply.Continue.of(all, BodyWish.UNSEEN).with(ran.metadata())
        : new Reply.NewBody(all, ran.body(), ran.metadata());
  }

  /** @param metadata that the steps before have written: the access log may want it of what fails, too */
  private Reply stepFailed(String why, DynamicMetadata metadata) {
    end(Outcome.FAILED, "step-failed", "a step could not be evaluated: " + why);
    return Refusals.FAILED.with(metadata);
  }

  /** What was made of (some of) a piece. */
  private Reply changed(
      Direction direction, BodyWork work, ChunkedBody body, ChunkedBody.Made made) {
    return switch (made) {
      case ChunkedBody.Made.Some(var some, var more)
      when more && !work.headersWait() -> tooLarge(direction, "a piece unfolds to", AT_ONCE_BYTES);
      case ChunkedBody.Made.Some(var some, var more) -> {
        if (body.changed()) {
          changed(work.tell());
        }
        var why = body.gaveUp();
        if (why != null && !more && work.givesUp()) {
          passed(why);
        }
        yield more
            ? new Reply.Portion(work.changes(), some, portion(direction, work, body, STEP_BYTES))
            : new Reply.NewBody(work.changes(), some);
      }
      case ChunkedBody.Made.Untouched(var why) -> {
        work.pass();
        yield unreadable(direction, why, Reply.UNCHANGED);
      }
      case ChunkedBody.Made.Unreadable(var why) -> refuse(direction, why);
      case ChunkedBody.Made.TooLarge tooLarge -> tooLarge(direction);
    };
  }

  private Reply.Work portion(Direction direction, BodyWork work, ChunkedBody body, int budget) {
    return () -> {
      var made = body.work(budget);
      return () -> changed(direction, work, body, made);
    };
  }

  /** @param passing what to say where the policy lets such a body pass */
  private Reply unreadable(Direction direction, String why, Reply passing) {
    if (plan.passUnprocessable()) {
      passed(why);
      return passing;
    }
    return refuse(direction, why);
  }

  private void passed(String why) {
    end(outcome, "unprocessable-passed", why);
  }

  private Reply refuse(Direction direction, String why) {
    end(Outcome.RESPONDED, "unprocessable", why);
    return Refusals.unreadable(direction);
  }

  private Reply tooLarge(Direction direction) {
    return tooLarge(direction, "is", plan.way(direction).bodyLimit());
  }

  private Reply tooLarge(Direction direction, String what, long most) {
    end(Outcome.RESPONDED, "too-large", direction + " body: " + what + " over " + most + " bytes");
    return Refusals.tooLarge(direction);
  }

  private void changed(List<String> some) {
    if (!some.isEmpty()) {
      changes.addAll(some);
      outcome = Outcome.CHANGED;
      reason = "changed";
    }
  }

  /** Steps that were left out are told of, and change nothing. */
  private void leftOut(List<String> names) {
    names.forEach(name -> changes.add("left out " + name));
  }

  private void end(Outcome how, String word, String detail) {
    outcome = how;
    reason = word;
    changes.add(detail);
  }

  private static String word(Cause cause) {
    return switch (cause) {
      case BROKEN -> "broken";
      case HEADERS_UNAVAILABLE -> "headers-unavailable";
      case BODY_UNAVAILABLE -> "body-unavailable";
      case BODY_TOO_LARGE -> "too-large";
      case LATE -> "late";
      case BUSY -> "busy";
    };
  }

  private static String withoutQuery(String path) {
    var mark = path.indexOf('?');
    return mark < 0 ? path : path.substring(0, mark);
  }

  private static String orEmpty(@Nullable String text) {
    return text == null ? "" : text;
  }

  private interface Awaiting {
    Reply.Continue wishing(BodyWish wish);
  }
}
