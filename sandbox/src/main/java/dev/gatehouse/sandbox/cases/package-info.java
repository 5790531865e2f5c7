/** Policy cases: a folder of policies, requests in order, and what must come back. */
@NullMarked
package dev.gatehouse.sandbox.cases;

import org.jspecify.annotations.NullMarked;
