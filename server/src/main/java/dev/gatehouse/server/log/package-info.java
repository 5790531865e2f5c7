/** How a process logs: one JSON object a line on stderr, or text on a terminal; never in the way of an event loop. */
package dev.gatehouse.server.log;
