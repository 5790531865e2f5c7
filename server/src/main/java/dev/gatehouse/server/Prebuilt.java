package dev.gatehouse.server;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** Marshallers for answers that are made of ready bytes, so that nothing is serialised while serving. */
public final class Prebuilt {
  private static final MethodDescriptor.Marshaller<byte[]> BYTES = new Bytes();

  private Prebuilt() {}

  /**
   * A service of one method, as generated but answering with ready bytes. It keeps the generated schema, so that reflection
   * works.
   *
   * @param method what {@link #answering} made of the service's only method
   */
  public static <Q> ServerServiceDefinition service(
      ServiceDescriptor generated,
      MethodDescriptor<Q, byte[]> method,
      ServerCallHandler<Q, byte[]> handler) {
    if (generated.getMethods().size() != 1) {
      throw new IllegalArgumentException(
          generated.getName() + " has " + generated.getMethods().size() + " methods (expected: 1)");
    }
    var descriptor = ServiceDescriptor.newBuilder(generated.getName())
        .setSchemaDescriptor(generated.getSchemaDescriptor())
        .addMethod(method)
        .build();
    return ServerServiceDefinition.builder(descriptor)
        .addMethod(method, handler)
        .build();
  }

  /** The method as generated, but answering with ready bytes: requests are parsed as the generated descriptor does. */
  public static <Q> MethodDescriptor<Q, byte[]> answering(MethodDescriptor<Q, ?> generated) {
    return generated.toBuilder(generated.getRequestMarshaller(), BYTES).build();
  }

  /** Takes and gives serialised messages as they are. The array of an answer must not be changed afterwards. */
  public static MethodDescriptor.Marshaller<byte[]> bytes() {
    return BYTES;
  }

  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] message) {
      return new Message(message);
    }

    @Override
    public byte[] parse(InputStream message) {
      try {
        return message.readAllBytes();
      } catch (IOException e) {
        throw Status.INTERNAL
            .withDescription("the message could not be read")
            .withCause(e)
            .asRuntimeException();
      }
    }
  }

  /** Tells gRPC its length and is written in one piece: no intermediate buffer. */
  private static final class Message extends ByteArrayInputStream
      implements KnownLength, Drainable {
    Message(byte[] bytes) {
      super(bytes);
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
      int length = count - pos;
      target.write(buf, pos, length);
      pos = count;
      return length;
    }
  }
}
