package dev.gatehouse.policy.attach;

import dev.gatehouse.policy.resource.Meta;

/**
 * A policy that means a rule, whether it holds there or another goes before it: for people.
 *
 * @param target what it names, such as {@code HTTPRoute shop/orders}
 * @param holds alone, or merged with another that holds
 * @param why it holds, or does not
 */
public record Candidate(Meta policy, String target, boolean holds, String why) {}
