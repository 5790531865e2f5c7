package dev.gatehouse.extproc.json;

/** Takes a text piece by piece, in order. */
@FunctionalInterface
public interface JsonSink {
  /** @param bytes only lent: they may change once this has returned */
  void write(byte[] bytes, int from, int to) throws UnprocessableBody;
}
