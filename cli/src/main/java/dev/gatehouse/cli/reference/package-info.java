/** The environment of envoyproxy/ratelimit: one table of its variables, which is read, helped with, reported and documented. */
package dev.gatehouse.cli.reference;
