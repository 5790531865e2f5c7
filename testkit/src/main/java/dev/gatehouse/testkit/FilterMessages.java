package dev.gatehouse.testkit;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import io.envoyproxy.envoy.config.core.v3.HeaderMap;
import io.envoyproxy.envoy.config.core.v3.Metadata;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpBody;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpHeaders;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpTrailers;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProtocolConfiguration;
import java.util.function.Consumer;

/** The messages that the filter sends: with what goes with each of them, with the first of a direction, and with the first of all. */
final class FilterMessages {
  private final EnvoyFilter.Settings settings;
  private final Struct requestAttributes;
  private final Struct responseAttributes;
  private final Consumer<ProcessingRequest> network;
  private final Metadata.Builder forwarded = Metadata.newBuilder();
  private boolean requestBegan;
  private boolean responseBegan;
  private boolean configSent;

  FilterMessages(
      EnvoyFilter.Settings settings,
      Struct requestAttributes,
      Struct responseAttributes,
      Consumer<ProcessingRequest> network) {
    this.settings = settings;
    this.requestAttributes = requestAttributes;
    this.responseAttributes = responseAttributes;
    this.network = network;
  }

  /** Dynamic metadata of another filter, sent with every message from now on. */
  void forward(String namespace, Struct fields) {
    forwarded.putFilterMetadata(namespace, fields);
  }

  void headers(boolean isRequest, HeaderMap headers, boolean end) {
    var sent = HttpHeaders.newBuilder().setHeaders(headers).setEndOfStream(end);
    var message = ProcessingRequest.newBuilder();
    send(isRequest, isRequest ? message.setRequestHeaders(sent) : message.setResponseHeaders(sent));
  }

  void body(boolean isRequest, ByteString data, boolean end) {
    var sent = HttpBody.newBuilder().setBody(data).setEndOfStream(end);
    var message = ProcessingRequest.newBuilder();
    send(isRequest, isRequest ? message.setRequestBody(sent) : message.setResponseBody(sent));
  }

  void trailers(boolean isRequest, HeaderMap trailers) {
    var sent = HttpTrailers.newBuilder().setTrailers(trailers);
    var message = ProcessingRequest.newBuilder();
    send(
        isRequest,
        isRequest ? message.setRequestTrailers(sent) : message.setResponseTrailers(sent));
  }

  private void send(boolean isRequest, ProcessingRequest.Builder message) {
    message.setObservabilityMode(settings.observability());
    var attributes = isRequest ? requestAttributes : responseAttributes;
    var first = isRequest ? !requestBegan : !responseBegan;
    if (first && attributes.getFieldsCount() > 0) {
      message.putAttributes("envoy.filters.http.ext_proc", attributes);
    }
    if (forwarded.getFilterMetadataCount() > 0) {
      message.setMetadataContext(forwarded);
    }
    requestBegan |= isRequest;
    responseBegan |= !isRequest;
    if (!configSent && settings.sendsConfig() && !settings.observability()) {
      configSent = true;
      message.setProtocolConfig(ProtocolConfiguration.newBuilder()
          .setRequestBodyMode(settings.mode().getRequestBodyMode())
          .setResponseBodyMode(settings.mode().getResponseBodyMode())
          .setSendBodyWithoutWaitingForHeaderResponse(settings.early()));
    }
    network.accept(message.build());
  }
}
