package dev.gatehouse.extproc;

import dev.gatehouse.extproc.kit.StreamContext;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.extproc.stream.WarmUp;
import dev.gatehouse.extproc.transform.StepRecord;
import dev.gatehouse.extproc.transform.StreamFacts;
import dev.gatehouse.extproc.transform.TransformProcessor;
import dev.gatehouse.policy.attach.Lookup;
import dev.gatehouse.policy.attach.RouteKey;
import dev.gatehouse.policy.attach.RoutePlans;
import dev.gatehouse.server.Decision;
import dev.gatehouse.server.Decision.Outcome;
import dev.gatehouse.server.DecisionListener;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the processor of a stream: by {@code wire}'s binding, by the gateway's route metadata, or by matching the request. A
 * stream without any of them passes; one whose binding resolves to nothing is failed, and never falls through to another way.
 */
final class Chooser {
  private final ExtProcSettings settings;
  private final DecisionListener decisions;
  private final WarmUp warmUp;
  private final @Nullable StepRecord record;

  /** @param record is told of each step of a policy; null while serving */
  Chooser(
      ExtProcSettings settings,
      DecisionListener decisions,
      WarmUp warmUp,
      @Nullable StepRecord record) {
    this.settings = settings;
    this.decisions = decisions;
    this.warmUp = warmUp;
    this.record = record;
  }

  /** @param plans those in force when the stream began, which it keeps */
  Processor open(RoutePlans<RoutePlan> plans, StreamContext context) {
    if (context.observed()) {
      return Processor.PASS;
    }
    var lookup = plans.byBinding(context.listener(), context.boundRoute());
    if (lookup instanceof Lookup.Unbound<RoutePlan>) {
      if (warmUp.is(context.first())) {
        return warmUp.processor();
      }
      lookup = unbound(plans, context);
    }
    return switch (lookup) {
      case Lookup.Unbound<RoutePlan> none -> Processor.PASS;
      case Lookup.Unresolved<RoutePlan>(var why) -> refuse(context, "", "unresolved", why);
      case Lookup.Found<RoutePlan>(RoutePlan.Open open) -> Processor.PASS;
      case Lookup.Found<RoutePlan>(RoutePlan.Refused(var policy)) ->
        refuse(
            context,
            policy,
            "policy-rejected",
            "TransformPolicy " + policy + " cannot be honoured; lint says why");
      case Lookup.Found<RoutePlan>(RoutePlan.Transform(var plan)) ->
        new TransformProcessor(
            plan,
            new StreamFacts(context.route(), settings.addressFromHeader()),
            context.requestId(),
            decisions,
            record);
    };
  }

  private Lookup<RoutePlan> unbound(RoutePlans<RoutePlan> plans, StreamContext context) {
    var problem = context.routeProblem();
    if (problem != null) {
      return new Lookup.Unresolved<>(problem);
    }
    var route = context.route();
    if (route != null) {
      return plans.byRouteMetadata(route.kind(), route.namespace(), route.name(), route.rule());
    }
    return settings.matchRoutes() ? match(plans, context.first()) : new Lookup.Unbound<>();
  }

  /** Only a request can be matched. A stream that begins with the response is one that Envoy answered itself, or we cannot tell. */
  private static Lookup<RoutePlan> match(RoutePlans<RoutePlan> plans, HeadersMessage message) {
    if (message.first(":path") == null) {
      return message.isLocalReply()
          ? new Lookup.Unbound<>()
          : new Lookup.Unresolved<>(
              "--match-routes needs the request's headers (request_header_mode: SEND)");
    }
    var facts = new StreamFacts((RouteKey) null, false);
    facts.came(message);
    return plans.byMatch(facts);
  }

  private Processor refuse(StreamContext context, String policy, String reason, String why) {
    if (decisions.listens()) {
      var message = context.first();
      var path = message.first(":path");
      decisions.decided(new Decision(
          "ext-proc",
          context.requestId(),
          Objects.requireNonNullElse(message.first(":method"), ""),
          path == null ? "" : path.split("\\?", 2)[0],
          "",
          policy,
          Outcome.FAILED,
          reason,
          why,
          0));
    }
    return Processor.refusing(why);
  }
}
