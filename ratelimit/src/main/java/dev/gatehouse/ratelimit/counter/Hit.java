package dev.gatehouse.ratelimit.counter;

import dev.gatehouse.ratelimit.descriptor.Limit;

/**
 * What one descriptor of a request counts.
 *
 * @param descriptor its place in the request
 * @param subject which of the limit's counters: the values that count by themselves; empty when all share one
 * @param addend how much, 0 (look only) to 4,294,967,295
 */
public record Hit(int descriptor, Limit limit, String subject, long addend) {}
