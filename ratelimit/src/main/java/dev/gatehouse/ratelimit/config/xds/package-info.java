/**
 * The configuration over xDS: {@link dev.gatehouse.ratelimit.config.xds.AdsClient} keeps a stream to the control plane, {@link
 * dev.gatehouse.ratelimit.config.xds.Subscription} knows what to answer.
 */
package dev.gatehouse.ratelimit.config.xds;
