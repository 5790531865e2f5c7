package dev.gatehouse.policy.attach;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;

/** Looks for a path that breaks {@link CleanPathProperties}. */
class CleanPathFuzz {
  @FuzzTest(maxDuration = "10m")
  @DictionaryEntries({
    "/public",
    "/admin",
    "/..",
    "/.",
    "//",
    ";x=1",
    "..;",
    "/;",
    "%2e",
    "%2f",
    "%5c",
    "%3b",
    "%00",
    "%25",
    "%c0%ae",
    "%c0%af",
    "%e0%80%af",
    "%61",
    "%20",
    "%c3%a9",
    "#",
    "\\\\",
    "?"
  })
  void path(byte[] input) {
    CleanPathProperties.hold(input);
  }
}
