package dev.gatehouse.testkit;

import com.google.protobuf.ByteString;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.service.ext_proc.v3.BodyMutation;
import io.envoyproxy.envoy.service.ext_proc.v3.BodyResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.CommonResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.HeaderMutation;
import io.envoyproxy.envoy.service.ext_proc.v3.HeadersResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpBody;
import io.envoyproxy.envoy.service.ext_proc.v3.ImmediateResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.StreamedBodyResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.TrailersResponse;
import io.envoyproxy.envoy.type.v3.HttpStatus;
import io.envoyproxy.envoy.type.v3.StatusCode;

/** Answers, in Envoy's words. */
final class Says {
  private Says() {}

  /** The mirror of a message, with nothing changed; what FULL_DUPLEX_STREAMED sends comes back. */
  static ProcessingResponse.Builder mirror(ProcessingRequest message, boolean duplex) {
    return switch (message.getRequestCase()) {
      case REQUEST_HEADERS, RESPONSE_HEADERS ->
        headers(message, CommonResponse.getDefaultInstance());
      case REQUEST_BODY -> duplex ? back(message, message.getRequestBody()) : unchanged(message);
      case RESPONSE_BODY -> duplex ? back(message, message.getResponseBody()) : unchanged(message);
      case REQUEST_TRAILERS ->
        ProcessingResponse.newBuilder().setRequestTrailers(TrailersResponse.getDefaultInstance());
      case RESPONSE_TRAILERS ->
        ProcessingResponse.newBuilder().setResponseTrailers(TrailersResponse.getDefaultInstance());
      case REQUEST_NOT_SET -> throw new AssertionError("an empty message");
    };
  }

  static ProcessingResponse.Builder headers(ProcessingRequest message, CommonResponse common) {
    var headers = HeadersResponse.newBuilder().setResponse(common);
    return message.hasRequestHeaders()
        ? ProcessingResponse.newBuilder().setRequestHeaders(headers)
        : ProcessingResponse.newBuilder().setResponseHeaders(headers);
  }

  static ProcessingResponse.Builder headers(ProcessingRequest message, HeaderMutation.Builder to) {
    return headers(message, CommonResponse.newBuilder().setHeaderMutation(to).build());
  }

  static ProcessingResponse.Builder body(ProcessingRequest message, CommonResponse common) {
    var body = BodyResponse.newBuilder().setResponse(common);
    return message.hasRequestBody()
        ? ProcessingResponse.newBuilder().setRequestBody(body)
        : ProcessingResponse.newBuilder().setResponseBody(body);
  }

  static ProcessingResponse.Builder body(ProcessingRequest message, String text) {
    return body(message, newBody(text).build());
  }

  static CommonResponse.Builder newBody(String text) {
    return CommonResponse.newBuilder()
        .setBodyMutation(BodyMutation.newBuilder().setBody(ByteString.copyFromUtf8(text)));
  }

  static ProcessingResponse.Builder chunk(
      ProcessingRequest message, ByteString bytes, boolean endOfStream) {
    return body(
        message,
        CommonResponse.newBuilder()
            .setBodyMutation(BodyMutation.newBuilder()
                .setStreamedResponse(
                    StreamedBodyResponse.newBuilder().setBody(bytes).setEndOfStream(endOfStream)))
            .build());
  }

  static ProcessingResponse.Builder immediate(int status) {
    return ProcessingResponse.newBuilder()
        .setImmediateResponse(ImmediateResponse.newBuilder()
            .setStatus(HttpStatus.newBuilder().setCode(StatusCode.forNumber(status)))
            .setBody(ByteString.copyFromUtf8("no")));
  }

  /** A header as Envoy takes it: overwritten. */
  @SuppressWarnings("deprecation")
  static HeaderMutation.Builder set(String name, String value) {
    return HeaderMutation.newBuilder()
        .addSetHeaders(HeaderValueOption.newBuilder()
            .setHeader(
                HeaderValue.newBuilder().setKey(name).setRawValue(ByteString.copyFromUtf8(value)))
            .setAppendAction(HeaderValueOption.HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD));
  }

  private static ProcessingResponse.Builder unchanged(ProcessingRequest message) {
    return body(message, CommonResponse.getDefaultInstance());
  }

  private static ProcessingResponse.Builder back(ProcessingRequest message, HttpBody body) {
    return chunk(message, body.getBody(), body.getEndOfStream());
  }
}
