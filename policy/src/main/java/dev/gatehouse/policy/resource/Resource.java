package dev.gatehouse.policy.resource;

/** One resource that Gatehouse knows. */
public sealed interface Resource
    permits Gateway, HttpRoute, Backend, Secret, ConfigMap, ReferenceGrant, Policy {
  Meta meta();
}
