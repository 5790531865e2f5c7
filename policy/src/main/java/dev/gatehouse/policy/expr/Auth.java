package dev.gatehouse.policy.expr;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Who was authenticated: what ext-authz tells the others in dynamic metadata, and what conditions see as {@code auth}.
 *
 * @param method {@code jwt}, {@code anonymous}, …
 * @param claims the configured ones; numbers are doubles, in every service alike
 */
public record Auth(
    String method,
    @Nullable String sub,
    @Nullable String iss,
    List<String> scopes,
    Map<String, Object> claims,
    @Nullable String plan) {}
