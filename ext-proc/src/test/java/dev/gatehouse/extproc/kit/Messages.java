package dev.gatehouse.extproc.kit;

import com.google.protobuf.ByteString;
import dev.gatehouse.testkit.GrpcPeer;
import io.envoyproxy.envoy.config.core.v3.HeaderMap;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpBody;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpHeaders;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpTrailers;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.ProtocolConfiguration;
import java.time.Duration;

/** Envoy's messages, one at a time. */
final class Messages {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private Messages() {}

  /** The first of a stream. */
  static ProcessingRequest first(BodySendMode bodies, String... headers) {
    return ProcessingRequest.newBuilder()
        .setRequestHeaders(headers(headers))
        .setProtocolConfig(ProtocolConfiguration.newBuilder()
            .setRequestBodyMode(bodies)
            .setResponseBodyMode(bodies))
        .build();
  }

  static ProcessingRequest responseHeaders(String... headers) {
    return ProcessingRequest.newBuilder().setResponseHeaders(headers(headers)).build();
  }

  static ProcessingRequest requestBody(String text, boolean last) {
    return ProcessingRequest.newBuilder().setRequestBody(body(text, last)).build();
  }

  static ProcessingRequest responseBody(String text, boolean last) {
    return ProcessingRequest.newBuilder().setResponseBody(body(text, last)).build();
  }

  static ProcessingRequest requestTrailers() {
    return ProcessingRequest.newBuilder()
        .setRequestTrailers(HttpTrailers.getDefaultInstance())
        .build();
  }

  static ProcessingRequest responseTrailers() {
    return ProcessingRequest.newBuilder()
        .setResponseTrailers(HttpTrailers.getDefaultInstance())
        .build();
  }

  static ProcessingRequest observed(ProcessingRequest message) {
    return message.toBuilder().setObservabilityMode(true).build();
  }

  /** Sends a message and takes the answer to it. */
  static ProcessingResponse exchange(GrpcPeer peer, ProcessingRequest message) {
    peer.send(message);
    return answer(peer);
  }

  static ProcessingResponse answer(GrpcPeer peer) {
    var answer = peer.receive(PATIENCE);
    if (answer == null) {
      throw new AssertionError("no answer");
    }
    return answer;
  }

  private static HttpHeaders headers(String... namesAndValues) {
    var map = HeaderMap.newBuilder();
    for (var i = 0; i < namesAndValues.length; i += 2) {
      map.addHeaders(HeaderValue.newBuilder()
          .setKey(namesAndValues[i])
          .setRawValue(ByteString.copyFromUtf8(namesAndValues[i + 1])));
    }
    return HttpHeaders.newBuilder().setHeaders(map).build();
  }

  private static HttpBody body(String text, boolean last) {
    return HttpBody.newBuilder()
        .setBody(ByteString.copyFromUtf8(text))
        .setEndOfStream(last)
        .build();
  }
}
