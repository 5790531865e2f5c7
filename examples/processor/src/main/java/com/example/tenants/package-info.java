/** An example of a team's own processor: {@code README.md}. */
@NullMarked
package com.example.tenants;

import org.jspecify.annotations.NullMarked;
