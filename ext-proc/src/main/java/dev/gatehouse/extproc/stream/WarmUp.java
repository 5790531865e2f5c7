package dev.gatehouse.extproc.stream;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.gatehouse.server.Service.WarmUpCall;
import io.envoyproxy.envoy.config.core.v3.HeaderMap;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.service.ext_proc.v3.ExternalProcessorGrpc;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpHeaders;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * A stream that the server sends to itself before it is ready, so that the first of Envoy's is not 200 ms late. It is known by an
 * attribute with a value that only this process knows.
 */
public final class WarmUp {
  private static final String ATTRIBUTE = "gatehouse.dev/warm-up";

  private final String token = UUID.randomUUID().toString();
  private final Supplier<Processor> processors;
  private final List<ProcessingRequest> messages;

  /**
   * @param processors make the processor of such a stream
   * @param request the headers that it begins with
   * @param more what follows them
   */
  public WarmUp(Supplier<Processor> processors, HttpHeaders request, ProcessingRequest... more) {
    this.processors = processors;
    var attributes = Struct.newBuilder()
        .putFields(ATTRIBUTE, Value.newBuilder().setStringValue(token).build())
        .build();
    var first = ProcessingRequest.newBuilder()
        .setRequestHeaders(request)
        .putAttributes(HeadersMessage.FILTER, attributes)
        .build();
    this.messages = Stream.concat(Stream.of(first), Stream.of(more)).toList();
  }

  public boolean is(HeadersMessage first) {
    return token.equals(first.attribute(ATTRIBUTE));
  }

  public Processor processor() {
    return processors.get();
  }

  public List<WarmUpCall> calls() {
    return List.of(new WarmUpCall(
        ExternalProcessorGrpc.getProcessMethod().getFullMethodName(),
        messages.stream().map(MessageLite::toByteArray).toList()));
  }

  public static HttpHeaders headers(String... namesAndValues) {
    var map = HeaderMap.newBuilder();
    for (var i = 0; i < namesAndValues.length; i += 2) {
      map.addHeaders(HeaderValue.newBuilder()
          .setKey(namesAndValues[i])
          .setRawValue(ByteString.copyFromUtf8(namesAndValues[i + 1])));
    }
    return HttpHeaders.newBuilder().setHeaders(map).build();
  }
}
