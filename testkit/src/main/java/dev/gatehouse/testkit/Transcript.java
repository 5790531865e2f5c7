package dev.gatehouse.testkit;

import io.envoyproxy.envoy.service.ext_proc.v3.BodyMutation;
import io.envoyproxy.envoy.service.ext_proc.v3.CommonResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.HeaderMutation;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpBody;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpHeaders;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What was said on a stream, a line a message; of a long one the first and the last. */
final class Transcript {
  private static final int FIRST = 20;
  private static final int LAST = 20;

  private final List<String> first = new ArrayList<>();
  private final List<String> last = new ArrayList<>();
  private int skipped;

  void sent(ProcessingRequest message) {
    line("→ " + message.getRequestCase().name().toLowerCase(Locale.ROOT)
        + switch (message.getRequestCase()) {
          case REQUEST_HEADERS -> headers(message.getRequestHeaders());
          case RESPONSE_HEADERS -> headers(message.getResponseHeaders());
          case REQUEST_BODY -> body(message.getRequestBody());
          case RESPONSE_BODY -> body(message.getResponseBody());
          case REQUEST_TRAILERS, RESPONSE_TRAILERS, REQUEST_NOT_SET -> "";
        });
  }

  void answered(ProcessingResponse answer) {
    line("← " + answer.getResponseCase().name().toLowerCase(Locale.ROOT)
        + switch (answer.getResponseCase()) {
          case REQUEST_HEADERS -> common(answer.getRequestHeaders().getResponse());
          case RESPONSE_HEADERS -> common(answer.getResponseHeaders().getResponse());
          case REQUEST_BODY -> common(answer.getRequestBody().getResponse());
          case RESPONSE_BODY -> common(answer.getResponseBody().getResponse());
          case REQUEST_TRAILERS -> mutation(answer.getRequestTrailers().getHeaderMutation());
          case RESPONSE_TRAILERS -> mutation(answer.getResponseTrailers().getHeaderMutation());
          case IMMEDIATE_RESPONSE ->
            " " + answer.getImmediateResponse().getStatus().getCodeValue();
          case RESPONSE_NOT_SET -> answer.hasOverrideMessageTimeout() ? " more time" : "";
        }
        + (answer.hasModeOverride() ? " mode_override" : "")
        + (answer.hasDynamicMetadata() ? " dynamic_metadata" : ""));
  }

  void line(String line) {
    if (first.size() < FIRST) {
      first.add(line);
      return;
    }
    last.add(line);
    if (last.size() > LAST) {
      last.removeFirst();
      skipped++;
    }
  }

  /** To stand below what went wrong. */
  @Override
  public String toString() {
    var all = new ArrayList<>(first);
    if (skipped > 0) {
      all.add("… " + skipped + " more");
    }
    all.addAll(last);
    return all.isEmpty() ? "" : "\n  said on the stream:\n    " + String.join("\n    ", all);
  }

  private static String headers(HttpHeaders headers) {
    return end(headers.getEndOfStream());
  }

  private static String body(HttpBody body) {
    return " " + body.getBody().size() + " bytes" + end(body.getEndOfStream());
  }

  private static String common(CommonResponse answer) {
    return (answer.getStatusValue() == 0 ? "" : " " + answer.getStatus())
        + mutation(answer.getHeaderMutation())
        + (answer.hasBodyMutation() ? mutation(answer.getBodyMutation()) : "");
  }

  private static String mutation(BodyMutation mutation) {
    return switch (mutation.getMutationCase()) {
      case BODY -> " body " + mutation.getBody().size() + " bytes";
      case CLEAR_BODY -> " clear_body";
      case STREAMED_RESPONSE ->
        " streamed_response " + mutation.getStreamedResponse().getBody().size() + " bytes"
            + end(mutation.getStreamedResponse().getEndOfStream());
      case MUTATION_NOT_SET -> " empty body_mutation";
    };
  }

  private static String mutation(HeaderMutation mutation) {
    var names = new StringBuilder();
    mutation.getRemoveHeadersList().forEach(name -> names.append(" -").append(name));
    mutation
        .getSetHeadersList()
        .forEach(option -> names.append(" +").append(option.getHeader().getKey()));
    return names.toString();
  }

  private static String end(boolean end) {
    return end ? " end_of_stream" : "";
  }
}
