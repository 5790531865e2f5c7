package dev.gatehouse.extproc.stream;

/** Which way a message goes. */
public enum Direction {
  REQUEST,
  RESPONSE
}
