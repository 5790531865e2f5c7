package dev.gatehouse.server;

import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * A service for tests: what it answers is up to the test. Its messages are health's, because those are there already.
 *
 * @param handler gets the request's text and the observer for the answer's bytes
 */
record Echo(String name, BiConsumer<String, StreamObserver<byte[]>> handler) implements Service {
  static final byte[] ANSWER = HealthCheckResponse.newBuilder()
      .setStatus(HealthCheckResponse.ServingStatus.SERVING)
      .build()
      .toByteArray();

  /** Answers every call at once. */
  static Echo named(String name) {
    return new Echo(name, (request, answer) -> {
      answer.onNext(ANSWER);
      answer.onCompleted();
    });
  }

  static MethodDescriptor<HealthCheckRequest, HealthCheckResponse> method(String service) {
    return MethodDescriptor.<HealthCheckRequest, HealthCheckResponse>newBuilder()
        .setType(MethodDescriptor.MethodType.UNARY)
        .setFullMethodName("test." + service + "/Echo")
        .setRequestMarshaller(ProtoUtils.marshaller(HealthCheckRequest.getDefaultInstance()))
        .setResponseMarshaller(ProtoUtils.marshaller(HealthCheckResponse.getDefaultInstance()))
        .build();
  }

  @Override
  public ServerServiceDefinition definition() {
    var method = Prebuilt.answering(method(name));
    return ServerServiceDefinition.builder("test." + name)
        .addMethod(
            method,
            ServerCalls.asyncUnaryCall(
                (request, answer) -> handler.accept(request.getService(), answer)))
        .build();
  }

  @Override
  public List<WarmUpCall> warmUpCalls() {
    return List.of(new WarmUpCall(
        method(name).getFullMethodName(),
        List.of(HealthCheckRequest.newBuilder().setService("warm-up").build().toByteArray())));
  }

  @Override
  public void close() {}
}
