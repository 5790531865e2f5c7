package dev.gatehouse.ratelimit.descriptor;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.policy.resource.BackendTrafficPolicy;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Cost;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.MetadataKey;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Rule;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.SecurityPolicy;
import dev.gatehouse.policy.resource.TransformPolicy;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Warns of what a rule reads of ext-authz's or ext-proc's metadata and is never written on that route: a misspelt name would leave everybody
 * with one counter, or a cost uncounted. Says each thing once a policy.
 */
final class MetadataCheck {
  /** What ext-authz says of every caller that has it. */
  private static final Set<String> ALWAYS = Set.of("sub", "plan");

  private static final Set<String> STRUCTS = Set.of("auth", "decision");

  private final Problems problems;
  private final Set<String> said = new HashSet<>();

  MetadataCheck(Problems problems) {
    this.problems = problems;
  }

  void check(AttachedRule at, BackendTrafficPolicy policy) {
    for (int i = 0; i < policy.rules().size(); i++) {
      var rule = policy.rules().get(i);
      var path = (policy.ours() ? "spec.rules[" : "spec.rateLimit.global.rules[") + i + "]";
      keys(rule).forEach(key -> {
        var wrong = wrong(at, key);
        if (wrong != null && said.add(policy.meta().title() + " " + path + " " + key)) {
          problems.warning(rule.origin(), path, wrong);
        }
      });
    }
  }

  private static Stream<MetadataKey> keys(Rule rule) {
    var keys = Stream.<MetadataKey>builder();
    rule.selectors().forEach(s -> s.metadata().forEach(metadata -> keys.add(metadata.key())));
    if (rule.plan() != null) {
      keys.add(rule.plan().from());
    }
    if (rule.limit().fromMetadata() != null) {
      keys.add(rule.limit().fromMetadata());
    }
    if (rule.requestCost() instanceof Cost.Metadata(var key)) {
      keys.add(key);
    }
    if (rule.responseCost() instanceof Cost.Metadata(var key)) {
      keys.add(key);
    }
    return keys.build();
  }

  /** Null if it may be there, as what another filter says may be. */
  private static @Nullable String wrong(AttachedRule at, MetadataKey key) {
    var name = key.path().getFirst();
    return switch (key.namespace()) {
      case Bindings.AUTHZ_NAMESPACE -> unsaid(at, name);
      case Bindings.PROCESSOR_NAMESPACE -> unwritten(at, name);
      default -> null;
    };
  }

  private static @Nullable String unwritten(AttachedRule at, String name) {
    var written = new TreeSet<String>();
    switch (at.transform()) {
      case Attachment.Rejected<TransformPolicy> rejected -> {
        return null;
      }
      case Attachment.None<TransformPolicy> none -> {}
      case Attachment.Of<TransformPolicy>(var policy) ->
        Stream.of(policy.request(), policy.response())
            .flatMap(List::stream)
            .forEach(step -> written.addAll(step.metadata().keySet()));
    }
    if (written.contains(name)) {
      return null;
    }
    return written.isEmpty()
        ? "\"%s\" is never there on %s: no TransformPolicy writes metadata there"
            .formatted(name, at.httpRoute().meta().title())
        : "\"%s\" is nothing that a step of the TransformPolicy on %s writes (there are: %s)"
            .formatted(name, at.httpRoute().meta().title(), String.join(", ", written));
  }

  private static @Nullable String unsaid(AttachedRule at, String name) {
    return switch (at.security()) {
      case Attachment.Rejected<SecurityPolicy> rejected -> null;
      case Attachment.None<SecurityPolicy> none -> nobody(at, name);
      case Attachment.Of<SecurityPolicy>(var policy) ->
        policy.guards() ? unknown(policy, name) : nobody(at, name);
    };
  }

  private static String nobody(AttachedRule at, String name) {
    return "\"%s\" is never there on %s: no policy asks there who the caller is"
        .formatted(name, at.httpRoute().meta().title());
  }

  private static @Nullable String unknown(SecurityPolicy policy, String name) {
    var known = new TreeSet<>(STRUCTS);
    ALWAYS.forEach(copy -> known.add(MetadataKey.DESCRIPTOR_PREFIX + copy));
    policy
        .response()
        .metadata()
        .forEach(field -> known.add(MetadataKey.DESCRIPTOR_PREFIX + field.name()));
    return known.contains(name)
        ? null
        : "\"%s\" is nothing that %s says of a caller (there are: %s; its response.metadata says more)"
            .formatted(name, policy.meta().title(), String.join(", ", known));
  }
}
