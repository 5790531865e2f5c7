package dev.gatehouse.wire.envoygateway;

import dev.gatehouse.extproc.Needs;
import dev.gatehouse.extproc.Needs.Reason;
import dev.gatehouse.extproc.NeedsBook;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.transform.BodyUse.How;
import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.EnvoyExtensionPolicy;
import dev.gatehouse.policy.resource.EnvoyExtensionPolicy.Body;
import dev.gatehouse.policy.resource.EnvoyExtensionPolicy.ExtProc;
import dev.gatehouse.policy.resource.EnvoyExtensionPolicy.Phase;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.RejectedPolicy;
import dev.gatehouse.policy.resource.TransformPolicy;
import dev.gatehouse.wire.ByteSize;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Compares what EnvoyExtensionPolicies send to ext-proc with what the TransformPolicies on their routes need: too little is an error that
 * names the step which would not work, too much a notice with its cost. Processors of somebody else are left alone.
 */
public final class ExtensionLint {
  /** Bytes that Envoy Gateway's listeners hold back unless a ClientTrafficPolicy says more. */
  private static final long BUFFER = 32_768;

  private static final String REMEDY = "'gatehouse wire envoy-gateway' writes one that does";

  private final PolicySet policies;
  private final @Nullable ServiceRef known;
  private final boolean expected;
  private final Problems problems;
  private final NeedsBook book = new NeedsBook();

  /** The rules that each of our processors is asked for; by identity of the processor, which its place is. */
  private final Map<Asked, List<AttachedRule>> asked = new LinkedHashMap<>();

  /** @param path such as {@code spec.extProc[0]} */
  private record Asked(EnvoyExtensionPolicy policy, ExtProc extProc, String path) {}

  private ExtensionLint(
      PolicySet policies, @Nullable ServiceRef known, boolean expected, Problems problems) {
    this.policies = policies;
    this.known = known;
    this.expected = expected;
    this.problems = problems;
  }

  /**
   * @param known what ext-proc is; null: it is known by its name, see {@link ServiceRef#isOurs}
   * @param expected whether each route that needs ext-proc must have an EnvoyExtensionPolicy, because the gateway is Envoy Gateway
   */
  public static void check(
      PolicySet policies, @Nullable ServiceRef known, boolean expected, Problems problems) {
    new ExtensionLint(policies, known, expected, problems).check();
  }

  private void check() {
    for (var rule : policies.rules()) {
      find(rule, book.of(rule));
    }
    asked.forEach(this::compare);
  }

  private void find(AttachedRule rule, Needs needs) {
    var chain = policies.extensions(rule);
    if (chain.stream().anyMatch(RejectedPolicy.class::isInstance)) {
      return;
    }
    var holding = chain.stream()
        .map(EnvoyExtensionPolicy.class::cast)
        .filter(policy -> !policy.extProc().isEmpty())
        .findFirst()
        .orElse(null);
    if (holding == null) {
      missing(rule, needs);
      return;
    }
    boolean found = false;
    for (int i = 0; i < holding.extProc().size(); i++) {
      var extProc = holding.extProc().get(i);
      if (ServiceRef.isOurs(known, holding, extProc)) {
        found = true;
        asked
            .computeIfAbsent(
                new Asked(holding, extProc, "spec.extProc[" + i + "]"), key -> new ArrayList<>())
            .add(rule);
      }
    }
    if (!found && needs.any()) {
      problems.warning(
          holding.meta().origin(),
          "spec.extProc",
          "%s needs ext-proc for %s, and none of these processors is ours, as far as one can see: that is the one of --ext-proc-service or, without it, whatever is called gatehouse or gatehouse-… or stands in such a namespace"
              .formatted(rule.httpRoute().meta().title(), cause(rule)));
    }
  }

  private void missing(AttachedRule rule, Needs needs) {
    if (expected && needs.any()) {
      problems.error(
          origin(rule),
          "spec.targetRefs",
          "no EnvoyExtensionPolicy sends %s to ext-proc, so that none of the steps would run; %s"
              .formatted(rule.httpRoute().meta().title(), REMEDY));
    }
  }

  private static String cause(AttachedRule rule) {
    return switch (rule.transform()) {
      case Attachment.Of<TransformPolicy>(var policy) -> policy.meta().title();
      case Attachment.Rejected<TransformPolicy>(var meta) -> meta.title();
      case Attachment.None<TransformPolicy> none -> "nothing";
    };
  }

  private static Origin origin(AttachedRule rule) {
    return switch (rule.transform()) {
      case Attachment.Of<TransformPolicy>(var policy) -> policy.meta().origin();
      case Attachment.Rejected<TransformPolicy>(var meta) -> meta.origin();
      case Attachment.None<TransformPolicy> none -> rule.rule().origin();
    };
  }

  private void compare(Asked asked, List<AttachedRule> rules) {
    var all = rules.stream().map(book::of).filter(Needs::any).distinct().toList();
    all.forEach(needs -> new Comparison(asked, needs).tooLittle());
    if (all.isEmpty()) {
      problems.notice(
          asked.extProc.origin(),
          asked.path,
          "no TransformPolicy holds on a route of this policy: each request there opens a stream to ext-proc for nothing");
      return;
    }
    new Excess(asked, all).check();
  }

  /** One processor beside the needs of one policy. */
  private final class Comparison {
    private static final String BODY = ".body";
    private static final String ATTRIBUTES = ".attributes";

    private final ExtProc extProc;
    private final String path;
    private final Needs needs;

    Comparison(Asked asked, Needs needs) {
      this.extProc = asked.extProc;
      this.path = asked.path;
      this.needs = needs;
    }

    void tooLittle() {
      if (extProc.shadowMode()) {
        error(
            "shadowMode",
            "true: ext-proc is told and not listened to, so that no step would have an effect, %s among them; remove it"
                .formatted(first()));
      }
      if (extProc.failOpen()) {
        warning(
            "failOpen",
            "true: while ext-proc cannot be reached, requests and responses pass unchanged, without %s; remove it where a step hides or protects something"
                .formatted(first()));
      }
      headers(Direction.REQUEST);
      headers(Direction.RESPONSE);
      mixed();
      metadata();
    }

    private @Nullable Phase phase(Direction direction) {
      return direction == Direction.REQUEST ? extProc.request() : extProc.response();
    }

    private Reason first() {
      var headers = needs.request().sendsHeaders()
          ? needs.request().headers()
          : needs.response().headers();
      return headers.getFirst();
    }

    private void headers(Direction direction) {
      var way = needs.way(direction);
      if (!way.sendsHeaders()) {
        return;
      }
      var phase = phase(direction);
      if (phase == null) {
        error(
            "processingMode",
            "%s is missing, and without it the gateway does not even send the headers: %s; write %s: {}"
                .formatted(name(direction), idle(way.headers().getFirst()), name(direction)));
        return;
      }
      attributes(direction, phase);
      if (way.readsBody()) {
        body(direction, phase);
      }
    }

    private void body(Direction direction, Phase phase) {
      var way = needs.way(direction);
      var reason = way.bodyReasons().getFirst();
      var wanted = Wanted.body(needs, direction);
      switch (phase.body()) {
        case NONE ->
          error(
              direction,
              "",
              "the body is not sent: %s; write body: %s".formatted(idle(reason), wanted));
        case STREAMED -> streamed(direction, reason);
        case BUFFERED_PARTIAL ->
          error(
              direction,
              BODY,
              "BufferedPartial shows as much of a body as fits into a buffer and lets the rest pass unseen: %s, and such messages are answered 500; write body: %s"
                  .formatted(idle(reason), wanted));
        case BUFFERED -> buffered(direction, reason);
        case FULL_DUPLEX_STREAMED -> {}
      }
    }

    private void streamed(Direction direction, Reason reason) {
      if (needs.way(direction).body() == How.WHOLE) {
        error(
            direction,
            BODY,
            "Streamed shows a body in pieces, each of which must be answered before the next comes: %s, and such messages are answered 500; write body: %s"
                .formatted(idle(reason), Wanted.body(needs, direction)));
      } else {
        warning(
            direction,
            BODY,
            "Streamed lets the headers go before the body is seen: what cannot be read or is too large breaks off, where FullDuplexStreamed would let ext-proc answer %d"
                .formatted(direction == Direction.REQUEST ? 400 : 502));
      }
    }

    private void buffered(Direction direction, Reason reason) {
      var way = needs.way(direction);
      if (way.body() == How.WHOLE) {
        warning(direction, BODY, byTrailers(direction, reason));
      }
      if (way.limit() > BUFFER) {
        warning(
            direction,
            BODY,
            "Envoy Gateway holds back %s, unless a ClientTrafficPolicy says more (connection.bufferLimit): a larger body does not reach %s, which the TransformPolicy allows %s; write body: FullDuplexStreamed"
                .formatted(ByteSize.of(BUFFER), reason.step(), ByteSize.of(way.limit())));
      } else if (way.body() == How.STREAM) {
        notice(
            direction,
            BODY,
            "Envoy holds each body back until the whole of it is there, and %s does not need that (%s); body: FullDuplexStreamed would let it pass piece by piece"
                .formatted(reason.step(), reason.why()));
      }
      if (!extProc.allowModeOverride()) {
        warning(
            "processingMode",
            "allowModeOverride is not true, and without it an event stream, which never ends, or a body that no step wants is held back with the others; write allowModeOverride: true, or body: FullDuplexStreamed");
      }
    }

    /** With Buffered the gateway sends no trailers, and only they would tell that there is no body. */
    private static String byTrailers(Direction direction, Reason reason) {
      var whoever = direction == Direction.REQUEST
          ? "a client that sends headers and trailers without a body passes to the upstream"
          : "what an upstream answers with headers and trailers without a body passes to the client";
      return "with Buffered the gateway sends no trailers, so that ext-proc is not told of a body that never comes: %s without %s (%s); write body: FullDuplexStreamed, with which they are sent"
          .formatted(whoever, reason, reason.why());
    }

    /** Beside a FULL_DUPLEX_STREAMED direction Envoy heeds no override for the other. */
    private void mixed() {
      if (extProc.request() == null || extProc.response() == null) {
        return;
      }
      var one = extProc.request().body();
      var other = extProc.response().body();
      if ((one == Body.FULL_DUPLEX_STREAMED && other == Body.BUFFERED)
          || (one == Body.BUFFERED && other == Body.FULL_DUPLEX_STREAMED)) {
        warning(
            "processingMode",
            "one direction is FullDuplexStreamed and the other Buffered: beside the former Envoy lets ext-proc change no mode, so that bodies which no step wants are held back; write FullDuplexStreamed for both");
      }
    }

    private void attributes(Direction direction, Phase phase) {
      boolean begins = direction == Direction.REQUEST || !needs.request().sendsHeaders();
      if (begins && !phase.attributes().contains(Wanted.ROUTE)) {
        error(
            direction,
            ATTRIBUTES,
            "%s is missing: without it ext-proc does not know which route this is, and passes everything (unless it runs with --match-routes): %s"
                .formatted(Wanted.ROUTE, idle(needs.way(direction).headers().getFirst())));
      }
      var changesLocalReplies =
          !begins && !needs.way(direction).attributes().containsKey(Needs.CODE_DETAILS);
      if (changesLocalReplies && !phase.attributes().contains(Wanted.ROUTE)) {
        warning(
            Direction.RESPONSE,
            ATTRIBUTES,
            "%s is missing: where a filter in front answers, such as ext_authz with a 401, ext-proc sees the response alone, does not know which route this is, and passes it without %s, although localReplies is Transform"
                .formatted(Wanted.ROUTE, needs.way(direction).headers().getFirst()));
      }
      needs.way(direction).attributes().forEach((attribute, reason) -> {
        if (!phase.attributes().contains(attribute)) {
          missing(direction, attribute, reason);
        }
      });
    }

    private void missing(Direction direction, String attribute, Reason reason) {
      if (attribute.equals(Needs.CODE_DETAILS)) {
        warning(
            direction,
            ATTRIBUTES,
            "%s is missing: without it what the gateway answers by itself, such as a 401, is taken for the upstream's, and %s changes it too"
                .formatted(attribute, reason.step()));
        return;
      }
      error(direction, ATTRIBUTES, "%s is missing: %s".formatted(attribute, idle(reason)));
    }

    private void metadata() {
      needs.metadata().forEach((namespace, reason) -> {
        if (!extProc.accessibleNamespaces().contains(namespace)) {
          error(
              "metadata.accessibleNamespaces",
              "\"%s\" is missing: %s".formatted(namespace, idle(reason)));
        }
      });
      var writes = needs.writesMetadata();
      if (writes != null && !extProc.writableNamespaces().contains(Bindings.PROCESSOR_NAMESPACE)) {
        error(
            "metadata.writableNamespaces",
            "\"%s\" is missing: %s".formatted(Bindings.PROCESSOR_NAMESPACE, idle(writes)));
      }
    }

    /** Which step would not work, and what it wanted. */
    private static String idle(Reason reason) {
      return "%s would not work (%s)".formatted(reason, reason.why());
    }

    private void error(String field, String message) {
      problems.error(extProc.origin(), path + "." + field, message);
    }

    private void warning(String field, String message) {
      problems.warning(extProc.origin(), path + "." + field, message);
    }

    /** @param part of what is sent of that direction; empty: all of it */
    private void error(Direction direction, String part, String message) {
      problems.error(origin(direction), path(direction) + part, message);
    }

    private void warning(Direction direction, String part, String message) {
      problems.warning(origin(direction), path(direction) + part, message);
    }

    private void notice(Direction direction, String part, String message) {
      problems.notice(origin(direction), path(direction) + part, message);
    }

    private Origin origin(Direction direction) {
      var phase = phase(direction);
      return phase == null ? extProc.origin() : phase.origin();
    }

    private String path(Direction direction) {
      return path + ".processingMode." + name(direction);
    }
  }

  /** One processor beside the needs of all the policies that it serves. */
  private final class Excess {
    private final ExtProc extProc;
    private final String path;
    private final List<Needs> all;

    Excess(Asked asked, List<Needs> all) {
      this.extProc = asked.extProc;
      this.path = asked.path;
      this.all = all;
    }

    void check() {
      check(Direction.REQUEST, extProc.request());
      check(Direction.RESPONSE, extProc.response());
    }

    private void check(Direction direction, @Nullable Phase phase) {
      if (phase == null) {
        return;
      }
      var where = path + ".processingMode." + name(direction);
      if (all.stream().noneMatch(needs -> needs.way(direction).sendsHeaders())) {
        problems.notice(
            phase.origin(),
            where,
            "no step needs the %s: that costs a message to ext-proc and the wait for its answer on every request; remove it"
                .formatted(name(direction)));
      } else if (phase.body() != Body.NONE
          && all.stream().noneMatch(needs -> needs.way(direction).readsBody())) {
        problems.notice(phase.origin(), where + ".body", cost(direction, phase.body()));
      }
    }

    private String cost(Direction direction, Body body) {
      var cost = "no step reads the %s's body: ".formatted(name(direction))
          + switch (body) {
            case BUFFERED, BUFFERED_PARTIAL ->
              "each is held in Envoy, up to its buffer limit, sent to ext-proc and back in one message more";
            case STREAMED, FULL_DUPLEX_STREAMED, NONE ->
              "each goes to ext-proc and back, chunk by chunk";
          };
      return cost + "; remove it";
    }
  }

  private static String name(Direction direction) {
    return direction == Direction.REQUEST ? "request" : "response";
  }
}
