package dev.gatehouse.server;

import io.grpc.MethodDescriptor;

/** Marshallers for answers that are made of ready bytes, so that nothing is serialised while serving. */
public final class Prebuilt {
  private Prebuilt() {}

  /** Takes and gives serialised messages as they are. */
  public static MethodDescriptor.Marshaller<byte[]> bytes() {
    throw new UnsupportedOperationException();
  }

  /** The method as generated, but answering with ready bytes: requests are parsed as the generated descriptor does. */
  public static <Q> MethodDescriptor<Q, byte[]> answering(MethodDescriptor<Q, ?> generated) {
    throw new UnsupportedOperationException();
  }
}
