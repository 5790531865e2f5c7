package dev.gatehouse.extproc.json;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;

/** Looks for bytes that break {@link MaskProperties}. */
class MaskFuzz {
  @FuzzTest(maxDuration = "10m")
  @DictionaryEntries({
    "\"card\"",
    "\"c\\\\u0061rd\"",
    "\"a\":",
    "\"b\":",
    "{",
    "}",
    "[",
    "]",
    ",",
    "null",
    "true",
    "1e400",
    "-0.0",
    "\\\\ud83d\\\\ude00",
    "\\\\u0000",
    "\\\\\"",
    "\"*\""
  })
  void text(byte[] input) {
    MaskProperties.hold(input);
  }
}
