package dev.gatehouse.authz.jwt;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;

/** Looks for a token that breaks {@link TokenProperties}. */
class TokenFuzz {
  @FuzzTest(maxDuration = "10m")
  @DictionaryEntries({
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "alg",
    "RS256",
    "ES256",
    "none",
    "kid",
    "typ",
    "at+jwt",
    "crit",
    "b64",
    "zip",
    "enc",
    "cty",
    "exp",
    "nbf",
    "iat",
    "iss",
    "aud",
    "sub",
    "jti",
    "1767229200",
    "\\\\u0061",
    "\\\\ud800",
    "1e999",
    "-0",
    "null",
    "\\x0A",
    "\\xC0\\x80",
    "eyJhbGciOiJSUzI1NiJ9."
  })
  void token(byte[] input) {
    TokenProperties.hold(input);
  }
}
