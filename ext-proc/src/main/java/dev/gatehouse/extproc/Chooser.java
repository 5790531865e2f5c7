package dev.gatehouse.extproc;

import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.extproc.stream.ProcessorStream.Opened;
import dev.gatehouse.extproc.transform.StepRecord;
import dev.gatehouse.extproc.transform.StreamFacts;
import dev.gatehouse.extproc.transform.TransformProcessor;
import dev.gatehouse.policy.attach.Lookup;
import dev.gatehouse.policy.attach.RouteKey;
import dev.gatehouse.policy.attach.RoutePlans;
import dev.gatehouse.server.Decision;
import dev.gatehouse.server.Decision.Outcome;
import dev.gatehouse.server.DecisionListener;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the processor of a stream: by {@code wire}'s binding, by the gateway's route metadata, or by matching the request. A
 * stream without any of them passes; one whose binding resolves to nothing is failed, and never falls through to another way.
 */
final class Chooser {
  private static final Opened PASS = new Opened.With(Processor.PASS);

  private final RouteMetadata metadata = new RouteMetadata();
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
  Opened open(RoutePlans<RoutePlan> plans, Binding binding, ProcessingRequest first) {
    var message = new HeadersMessage(first);
    var lookup = plans.byBinding(binding.listener(), binding.route());
    var key = binding.routeKey();
    if (lookup instanceof Lookup.Unbound<RoutePlan>) {
      if (warmUp.is(message)) {
        return new Opened.With(warmUp.processor());
      }
      var reading = read(message);
      key = reading == null ? null : reading.routeKey();
      lookup = unbound(plans, reading, message);
    }
    return switch (lookup) {
      case Lookup.Unbound<RoutePlan> none -> PASS;
      case Lookup.Unresolved<RoutePlan>(var why) -> refuse(binding, message, "", "unresolved", why);
      case Lookup.Found<RoutePlan>(RoutePlan.Open open) -> PASS;
      case Lookup.Found<RoutePlan>(RoutePlan.Refused(var policy)) ->
        refuse(
            binding,
            message,
            policy,
            "policy-rejected",
            "TransformPolicy " + policy + " cannot be honoured; lint says why");
      case Lookup.Found<RoutePlan>(RoutePlan.Transform(var plan)) ->
        new Opened.With(new TransformProcessor(
            plan,
            new StreamFacts(key, settings.addressFromHeader()),
            binding.requestId(),
            decisions,
            record));
    };
  }

  private RouteMetadata.@Nullable Reading read(HeadersMessage message) {
    var text = message.attribute(RouteMetadata.ATTRIBUTE);
    return text == null ? null : metadata.read(text);
  }

  private Lookup<RoutePlan> unbound(
      RoutePlans<RoutePlan> plans,
      RouteMetadata.@Nullable Reading reading,
      HeadersMessage message) {
    if (reading != null && reading.problem() != null) {
      return new Lookup.Unresolved<>(reading.problem());
    }
    var route = reading == null ? null : reading.resource();
    if (route != null) {
      return plans.byRouteMetadata(
          route.kind(), route.namespace(), route.name(), route.sectionName());
    }
    return settings.matchRoutes() ? match(plans, message) : new Lookup.Unbound<>();
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

  private Opened refuse(
      Binding binding, HeadersMessage message, String policy, String reason, String why) {
    if (decisions.listens()) {
      var path = message.first(":path");
      decisions.decided(new Decision(
          "ext-proc",
          binding.requestId(),
          Objects.requireNonNullElse(message.first(":method"), ""),
          path == null ? "" : path.split("\\?", 2)[0],
          "",
          policy,
          Outcome.FAILED,
          reason,
          why,
          0));
    }
    return new Opened.Refused(why);
  }
}
