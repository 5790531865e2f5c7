/** What the rate limit service counts for dashboards, under the names that envoyproxy/ratelimit has. Nothing in it grows without end. */
package dev.gatehouse.ratelimit.stats;
