package dev.gatehouse.authz.certificate;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;

/** Looks for a header that breaks {@link XfccProperties}. */
class XfccFuzz {
  @FuzzTest(maxDuration = "10m")
  @DictionaryEntries({
    "By=",
    "Hash=",
    "Cert=",
    "Chain=",
    "Subject=",
    "URI=",
    "DNS=",
    "hash=",
    ";",
    ",",
    "=",
    "\\\"",
    "\\\\",
    "\\\\\\\"",
    "\\\\\\\\",
    "\\\"\\\"",
    "spiffe://corp/a"
  })
  void header(byte[] input) {
    XfccProperties.hold(input);
  }
}
