package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.resource.Backend;
import dev.gatehouse.policy.resource.ConfigMap;
import dev.gatehouse.policy.resource.Gateway;
import dev.gatehouse.policy.resource.ObjectRef;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.Resource;
import dev.gatehouse.policy.resource.Secret;
import java.util.List;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;

/** All resources of one load, attached to the route rules that they hold for. Immutable. */
public final class PolicySet {
  private PolicySet() {}

  /**
   * Attaches.
   *
   * @param unreadable the files that could not be read at all; while there is one, every policy of every route is {@link Attachment.Rejected}
   */
  public static PolicySet attach(
      List<Resource> resources, List<String> unreadable, Problems problems) {
    throw new UnsupportedOperationException();
  }

  /** Every listener × route rule. */
  public List<AttachedRule> rules() {
    throw new UnsupportedOperationException();
  }

  public List<Gateway> gateways() {
    throw new UnsupportedOperationException();
  }

  /**
   * The header names, in lower case, that the policies of a Gateway own (those of {@code claimToHeaders}): no route of it lets a
   * client's own through to the upstream.
   */
  public SortedSet<String> ownedHeaders(Gateway gateway) {
    throw new UnsupportedOperationException();
  }

  /** The object that a reference names, or null; whether the reference may cross namespaces was checked when attaching. */
  public @Nullable Secret secret(ObjectRef ref) {
    throw new UnsupportedOperationException();
  }

  public @Nullable ConfigMap configMap(ObjectRef ref) {
    throw new UnsupportedOperationException();
  }

  public @Nullable Backend backend(ObjectRef ref) {
    throw new UnsupportedOperationException();
  }
}
