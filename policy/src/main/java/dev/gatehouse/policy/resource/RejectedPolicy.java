package dev.gatehouse.policy.resource;

/**
 * A policy that cannot be honoured: its {@code meta.kind} and targets are known, its content is not in force, and what it
 * targets is refused by the service that reads its kind (ARCHITECTURE, rule 5). The problems say why.
 *
 * @param targets as far as they could be read; {@link Targets#ofEverything()} when they could not
 */
public record RejectedPolicy(Meta meta, Targets targets) implements Policy {}
