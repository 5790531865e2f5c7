package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.DirectPeer;
import dev.gatehouse.testkit.EnvoyFilter;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.HeaderSendMode;
import java.util.ArrayList;
import java.util.List;

/** One stream under a policy, whose Envoy has both bodies in one mode; its request is over if a test begins with {@link #got}. */
final class PlayedStream {
  final Transforming transforming;
  final DirectPeer peer;
  final EnvoyFilter envoy;
  String last = "";

  PlayedStream(String policy, BodySendMode mode) {
    this(Transforming.by(policy), mode);
  }

  private PlayedStream(Transforming transforming, BodySendMode mode) {
    this(transforming, transforming.open(), mode);
  }

  PlayedStream(Transforming transforming, DirectPeer peer, BodySendMode mode) {
    this.transforming = transforming;
    this.peer = peer;
    var modes = ProcessingMode.newBuilder()
        .setRequestBodyMode(mode)
        .setRequestTrailerMode(HeaderSendMode.SEND)
        .setResponseBodyMode(mode)
        .setResponseTrailerMode(HeaderSendMode.SEND);
    envoy = new EnvoyFilter(
        new EnvoyFilter.Settings(modes.build(), false, false, true, false, 100), peer::send);
  }

  PlayedStream got() {
    envoy.requestHeaders(true, ":method", "GET", ":path", "/");
    take();
    return this;
  }

  void requestHeaders(String name, String value) {
    envoy.requestHeaders(false, ":method", "POST", ":path", "/", name, value);
    take();
  }

  void request(String data, boolean end) {
    envoy.requestData(ByteString.copyFromUtf8(data), end);
    take();
  }

  void responseHeaders(String... more) {
    var all = new ArrayList<>(List.of(":status", "200"));
    all.addAll(List.of(more));
    envoy.responseHeaders(false, all.toArray(String[]::new));
    take();
  }

  void response(String data, boolean end) {
    envoy.responseData(ByteString.copyFromUtf8(data), end);
    take();
  }

  void take() {
    for (var answer = peer.receive(); answer != null; answer = peer.receive()) {
      last = answer
          .getResponseBody()
          .getResponse()
          .getBodyMutation()
          .getStreamedResponse()
          .getBody()
          .toStringUtf8();
      envoy.take(answer);
    }
  }

  /** Takes the answers without keeping what they bring. */
  void forget() {
    while (peer.receive() != null) {}
  }

  int status() {
    var immediate = envoy.immediate();
    return immediate == null ? 0 : immediate.getStatus().getCodeValue();
  }
}
