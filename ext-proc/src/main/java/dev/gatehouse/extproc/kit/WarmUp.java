package dev.gatehouse.extproc.kit;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.server.Service.WarmUpCall;
import io.envoyproxy.envoy.config.core.v3.HeaderMap;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.service.ext_proc.v3.ExternalProcessorGrpc;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpHeaders;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import java.util.List;
import java.util.UUID;

/**
 * A stream that the server sends to itself before it is ready, so that the first of Envoy's is not 200 ms late. It passes, on the loop
 * and on virtual threads, and no team's processor sees it: that might count it, or call a database. It is known by an attribute with a
 * value that only this process knows.
 */
final class WarmUp {
  private static final String ATTRIBUTE = "gatehouse.dev/warm-up";

  private final String token = UUID.randomUUID().toString();

  boolean is(HeadersMessage first) {
    return token.equals(first.attribute(ATTRIBUTE));
  }

  Processor processor() {
    return new BlockingProcessor(Processor.PASS);
  }

  List<WarmUpCall> calls() {
    var attributes = Struct.newBuilder()
        .putFields(ATTRIBUTE, Value.newBuilder().setStringValue(token).build());
    return List.of(new WarmUpCall(
        ExternalProcessorGrpc.getProcessMethod().getFullMethodName(),
        List.of(
            ProcessingRequest.newBuilder()
                .setRequestHeaders(headers(":method", "GET", ":path", "/warm-up"))
                .putAttributes(HeadersMessage.FILTER, attributes.build())
                .build()
                .toByteArray(),
            ProcessingRequest.newBuilder()
                .setResponseHeaders(headers(":status", "200", "content-type", "text/plain"))
                .build()
                .toByteArray())));
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
}
