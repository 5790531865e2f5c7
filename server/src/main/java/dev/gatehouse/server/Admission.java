package dev.gatehouse.server;

import io.grpc.Attributes;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerStreamTracer;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * Lets the calls of one listener in: none before the process is ready, and never more at once than allowed, over all
 * connections. What it refuses is answered in the service's own words where it has them. Health is always answered, so that a busy server is not taken for a dead one.
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

  private final Map<String, byte[]> refusals = new HashMap<>();

  Admission(Readiness readiness, int maxConcurrentCalls, List<Service> services) {
    this.readiness = readiness;
    this.maxConcurrentCalls = maxConcurrentCalls;
    for (var service : services) {
      var refusal = service.refusal();
      if (refusal != null) {
        refusals.put(service.definition().getServiceDescriptor().getName(), refusal);
      }
    }
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

  private <Q, A> ServerCall.Listener<Q> refuse(ServerCall<Q, A> call, Status status) {
    refused.increment();
    var answer = refusals.get(call.getMethodDescriptor().getServiceName());
    if (answer != null) {
      return answer(call, answer);
    }
    call.close(status, new Metadata());
    return new ServerCall.Listener<>() {};
  }

  /** In the service's own words, once the request is here. A service with such an answer takes ready bytes ({@link Prebuilt}). */
  @SuppressWarnings("unchecked")
  private static <Q, A> ServerCall.Listener<Q> answer(ServerCall<Q, A> call, byte[] answer) {
    call.request(1);
    return new ServerCall.Listener<>() {
      @Override
      public void onHalfClose() {
        call.sendHeaders(new Metadata());
        call.sendMessage((A) answer);
        call.close(Status.OK, new Metadata());
      }
    };
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
