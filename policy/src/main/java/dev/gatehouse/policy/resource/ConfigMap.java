package dev.gatehouse.policy.resource;

import java.util.Map;

/** {@code v1 ConfigMap}. */
public record ConfigMap(Meta meta, Map<String, String> data) implements Resource {}
