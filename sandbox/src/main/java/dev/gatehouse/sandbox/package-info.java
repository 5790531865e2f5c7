/** What a machine without a cluster needs: a real Envoy, a small upstream, a token issuer, and the policy-case runner. */
@NullMarked
package dev.gatehouse.sandbox;

import org.jspecify.annotations.NullMarked;
