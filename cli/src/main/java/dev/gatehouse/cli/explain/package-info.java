/**
 * What happens to a request, and why: the services themselves are asked, in the order in which Envoy asks them, and what they say is
 * put into words for people. Nothing secret of the request is in any of it.
 */
@NullMarked
package dev.gatehouse.cli.explain;

import org.jspecify.annotations.NullMarked;
