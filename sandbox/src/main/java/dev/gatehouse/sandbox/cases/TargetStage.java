package dev.gatehouse.sandbox.cases;

import dev.gatehouse.sandbox.EnvoyAdmin;
import dev.gatehouse.sandbox.Gate;
import dev.gatehouse.sandbox.Issuer;
import java.util.Map;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/** A gateway that somebody else set up: its policies are not ours to change. */
final class TargetStage implements Stage {
  private final Target target;
  private final Issuer issuer;
  private final @Nullable EnvoyAdmin admin;

  TargetStage(Target target, Issuer issuer) {
    this.target = target;
    this.issuer = issuer;
    this.admin = target.envoyAdmin == null ? null : new EnvoyAdmin(target.envoyAdmin);
  }

  @Override
  public Gate.Endpoint endpoint(@Nullable Integer port) {
    return target.endpoint;
  }

  @Override
  public Issuer issuer() {
    return issuer;
  }

  @Override
  public @Nullable Upstreams upstreams() {
    return target.upstreams;
  }

  @Override
  public @Nullable SortedMap<String, Long> stats(String regex) {
    return admin == null ? null : admin.stats(regex);
  }

  @Override
  public Edited edit(Map<String, @Nullable String> files) {
    throw new CaseException("edit: the policies of a target cannot be changed from here");
  }

  @Override
  public void close() {
    if (admin != null) {
      admin.close();
    }
  }
}
