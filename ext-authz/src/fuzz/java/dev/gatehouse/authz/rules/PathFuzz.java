package dev.gatehouse.authz.rules;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;

/** Looks for a condition and a path that break {@link PathProperties}. */
class PathFuzz {
  @FuzzTest(maxDuration = "10m")
  @DictionaryEntries({
    "E/admin\\x0A/",
    "P/admin\\x0A/",
    "R/[^/]*\\x0A/",
    "/admin",
    "/..",
    "/.",
    "//",
    ";x=1",
    "..;",
    "%2e",
    "%2f",
    "%5c",
    "%3b",
    "%00",
    "%25",
    "%c0%ae",
    "%c0%af",
    "%61",
    "%20",
    "%c3%a9",
    "#",
    "\\\\"
  })
  void path(byte[] input) {
    PathProperties.hold(input);
  }
}
