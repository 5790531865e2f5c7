package dev.gatehouse.authz.jwt;

import io.jsonwebtoken.JwtParserBuilder;

/** The one place that chooses who computes signatures: the JDK's providers. */
final class Crypto {
  private Crypto() {}

  /** Gives jjwt the provider to use. */
  static JwtParserBuilder use(JwtParserBuilder parser) {
    return parser; // none named: the JDK's own order
  }

  /** Whether elliptic curves cost hundreds of microseconds a check: with the JDK's they do. */
  static boolean slowCurves() {
    return true;
  }
}
