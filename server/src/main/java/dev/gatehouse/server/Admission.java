package dev.gatehouse.server;

import io.grpc.Attributes;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerStreamTracer;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * Lets the calls of one listener in: none before the process is ready, and never more at once than allowed, over all
 * connections. Health is always answered, so that a busy server is not taken for a dead one.
 *
 * <p>Calls are counted by a stream tracer, which gRPC tells exactly once of the end of every stream, however it ends.
 */
final class Admission extends ServerStreamTracer.Factory implements ServerInterceptor {
  private static final ServerStreamTracer UNCOUNTED = new ServerStreamTracer() {};
  private static final String HEALTH = "grpc.health.v1.Health/";

  private final Readiness readiness;
  private final int maxConcurrentCalls;
  private final AtomicInteger calls = new AtomicInteger();
  private final AtomicInteger connections = new AtomicInteger();
  private final LongAdder refused = new LongAdder();

  Admission(Readiness readiness, int maxConcurrentCalls) {
    this.readiness = readiness;
    this.maxConcurrentCalls = maxConcurrentCalls;
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    if (isHealth(call.getMethodDescriptor().getFullMethodName())) {
      return next.startCall(call, headers);
    }
    if (!readiness.takesCalls()) {
      return refuse(call, Status.UNAVAILABLE.withDescription("not ready yet: warming up"));
    }
    if (calls.get() > maxConcurrentCalls) {
      return refuse(
          call,
          Status.RESOURCE_EXHAUSTED.withDescription(
              "more than " + maxConcurrentCalls + " calls at once"));
    }
    return next.startCall(call, headers);
  }

  private <Q> ServerCall.Listener<Q> refuse(ServerCall<Q, ?> call, Status status) {
    refused.increment();
    call.close(status, new Metadata());
    return new ServerCall.Listener<>() {};
  }

  @Override
  public ServerStreamTracer newServerStreamTracer(String fullMethodName, Metadata headers) {
    if (isHealth(fullMethodName)) {
      return UNCOUNTED;
    }
    calls.incrementAndGet();
    return new ServerStreamTracer() {
      @Override
      public void streamClosed(Status status) {
        calls.decrementAndGet();
      }
    };
  }

  private static boolean isHealth(String fullMethodName) {
    return fullMethodName.startsWith(HEALTH);
  }

  /** Counts connections. */
  ServerTransportFilter connectionCounter() {
    return new ServerTransportFilter() {
      @Override
      public Attributes transportReady(Attributes attributes) {
        connections.incrementAndGet();
        return attributes;
      }

      @Override
      public void transportTerminated(Attributes attributes) {
        connections.decrementAndGet();
      }
    };
  }

  int calls() {
    return calls.get();
  }

  int connections() {
    return connections.get();
  }

  long refused() {
    return refused.sum();
  }
}
