package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.resource.Policy;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.RejectedPolicy;
import dev.gatehouse.policy.resource.Resource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;

/** The resources of a load, each name once. */
final class Resources {
  private Resources() {}

  /**
   * Of resources that are there twice the first counts. Of policies none does: nobody can know which of the two protects, so both
   * are rejected.
   */
  static List<Resource> unique(List<Resource> resources, Problems problems) {
    var byName = new LinkedHashMap<String, List<Resource>>();
    for (var resource : resources) {
      var meta = resource.meta();
      byName
          .computeIfAbsent(meta.apiVersion() + " " + meta.title(), key -> new ArrayList<>())
          .add(resource);
    }
    var unique = new ArrayList<Resource>();
    for (var same : byName.values()) {
      var first = same.getFirst();
      for (var again : same.subList(1, same.size())) {
        problems.error(
            again.meta().origin(),
            "metadata.name",
            "%s is there already, at %s: give one of them another name or remove it"
                .formatted(again.meta().title(), first.meta().origin()));
      }
      if (same.size() > 1 && first instanceof Policy) {
        same.forEach(p -> unique.add(
            new RejectedPolicy(p.meta(), ((Policy) p).targets(), ((Policy) p).ownedHeaders())));
      } else {
        unique.add(first);
      }
    }
    return List.copyOf(unique);
  }

  static <R extends Resource> List<R> of(Class<R> type, Collection<? extends Resource> resources) {
    return resources.stream().filter(type::isInstance).map(type::cast).toList();
  }
}
