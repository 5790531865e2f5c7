/** The one program, {@code gatehouse}. Settings are flags and environment variables, read here and nowhere else. */
@NullMarked
package dev.gatehouse.cli;

import org.jspecify.annotations.NullMarked;
