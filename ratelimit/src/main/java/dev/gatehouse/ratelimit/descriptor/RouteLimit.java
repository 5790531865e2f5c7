package dev.gatehouse.ratelimit.descriptor;

import dev.gatehouse.policy.resource.BackendTrafficPolicy.Cost;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.LimitHeaders;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.MetadataKey;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One of the {@code rate_limits} of a route (Envoy's {@code config.route.v3.RateLimit}): the actions that make a descriptor, and what Envoy
 * says of it besides. {@code wire} writes it, {@code explain} plays it.
 *
 * @param domain in which the service is asked; all of one domain are asked at once
 * @param hits how much the request counts ({@code hits_addend}); null: 1
 * @param limit what replaces the limit where a request has it ({@code limit}); null: nothing does
 * @param onStreamDone counted when the response has ended, and nobody waits for the answer
 * @param headers which headers tell the client; null: what the policy says for all its rules
 */
public record RouteLimit(
    String domain,
    List<Action> actions,
    @Nullable Cost hits,
    @Nullable MetadataKey limit,
    boolean onStreamDone,
    @Nullable LimitHeaders headers) {}
