/** An example of a team's own processor: {@code README.md}. */
@org.jspecify.annotations.NullMarked
package com.example.tenants;
