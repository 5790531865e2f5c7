package dev.gatehouse.authz;

import dev.gatehouse.policy.expr.Auth;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Who one method says that the caller is. It allows nothing by itself.
 *
 * @param provider the JWT provider; null where it was no token
 * @param claims the token's, all of them; empty where it was no token
 * @param headers what the method tells the upstream, by name in lower case
 */
record Identity(
    Auth auth,
    @Nullable String provider,
    Map<String, @Nullable Object> claims,
    Map<String, String> headers) {}
