package dev.gatehouse.ratelimit.descriptor;

import org.jspecify.annotations.Nullable;

/**
 * One level of the descriptor tree.
 *
 * @param value null matches every value of the key, and each counts by itself
 */
public record Step(String key, @Nullable String value) {}
