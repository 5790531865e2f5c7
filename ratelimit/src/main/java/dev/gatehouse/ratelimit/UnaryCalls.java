package dev.gatehouse.ratelimit;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves a unary method with its request's metadata at hand, which gRPC's stubs would reach only through an interceptor and a context of
 * its own for every call.
 */
final class UnaryCalls<Q> implements ServerCallHandler<Q, byte[]> {
  private static final Logger LOG = LoggerFactory.getLogger(UnaryCalls.class);

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
        var answer = new Answer(call);
        try {
          method.invoke(request, metadata, answer);
        } catch (RuntimeException e) {
          answer.broken(e);
        }
      }
    };
  }

  /**
   * The way back to the caller: the first answer counts. A call that the caller has given up meanwhile takes it without effect.
   */
  static final class Answer {
    private final ServerCall<?, byte[]> call;
    private boolean given;

    Answer(ServerCall<?, byte[]> call) {
      this.call = call;
    }

    void send(byte[] message) {
      if (given) {
        return;
      }
      given = true;
      call.sendHeaders(new Metadata());
      call.sendMessage(message);
      call.close(Status.OK, new Metadata());
    }

    void fail(Status status) {
      if (given) {
        return;
      }
      given = true;
      call.close(status, new Metadata());
    }

    /** A mistake of ours must not leave the caller waiting. */
    void broken(RuntimeException mistake) {
      LOG.error("a call was not brought to its end", mistake);
      fail(Status.UNAVAILABLE.withDescription("internal error"));
    }
  }
}
