package dev.gatehouse.testkit;

/** Redis answered a command with this error. */
public final class RedisSaid extends RuntimeException {
  RedisSaid(String error) {
    super(error);
  }
}
