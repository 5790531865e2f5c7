package dev.gatehouse.ratelimit;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Serves a unary method with its request's metadata at hand, which gRPC's stubs would reach only through an interceptor and a context of
 * its own for every call.
 */
final class UnaryCalls<Q> implements ServerCallHandler<Q, byte[]> {
  /** Answers one call, on the event loop that brought it, then or later. */
  @FunctionalInterface
  interface Method<Q> {
    void invoke(Q request, Metadata metadata, Answer answer);
  }

  private final Method<Q> method;

  UnaryCalls(Method<Q> method) {
    this.method = method;
  }

  @Override
  public ServerCall.Listener<Q> startCall(ServerCall<Q, byte[]> call, Metadata metadata) {
    // A second message would be a client's mistake: two are asked for, so that it is seen.
    call.request(2);
    return new ServerCall.Listener<>() {
      private @Nullable Q request;
      private boolean closed;

      @Override
      public void onMessage(Q message) {
        if (request != null) {
          closed = true;
          call.close(
              Status.INTERNAL.withDescription("more than one message for a unary call"),
              new Metadata());
        }
        request = message;
      }

      @Override
      public void onHalfClose() {
        if (closed) {
          return;
        }
        if (request == null) {
          call.close(
              Status.INTERNAL.withDescription("no message for a unary call"), new Metadata());
          return;
        }
        method.invoke(request, metadata, new Answer(call));
      }
    };
  }

  /** The way back to the caller; used once. A call that the caller has given up meanwhile takes it without effect. */
  static final class Answer {
    private final ServerCall<?, byte[]> call;

    private Answer(ServerCall<?, byte[]> call) {
      this.call = call;
    }

    void send(byte[] message) {
      call.sendHeaders(new Metadata());
      call.sendMessage(message);
      call.close(Status.OK, new Metadata());
    }

    void fail(Status status) {
      call.close(status, new Metadata());
    }
  }
}
