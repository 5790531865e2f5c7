package dev.gatehouse.cli.explain;

import com.google.protobuf.ByteString;
import dev.gatehouse.policy.attach.RoutedRequest;
import io.envoyproxy.envoy.config.core.v3.HeaderMap;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.service.auth.v3.OkHttpResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.HeaderMutation;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A request or a response on its way, changed by what the services answer as Envoy would change it. */
final class Message implements RoutedRequest {
  /** @param name in lower case */
  record Header(String name, ByteString value) {
    String text() {
      return value.toStringUtf8();
    }
  }

  private final List<Header> headers;
  private ByteString body;

  private Message(List<Header> headers, ByteString body) {
    this.headers = new ArrayList<>(headers);
    this.body = body;
  }

  /** With the pseudo-headers and those that Envoy itself always adds. */
  static Message request(Asked asked, String requestId) {
    var message = new Message(List.of(), asked.body());
    message.add(":authority", asked.host());
    message.add(":method", asked.method());
    message.add(":path", asked.path());
    message.add(":scheme", asked.scheme());
    asked.headers().forEach(header -> message.add(header.name(), header.value()));
    message.addMissing("x-forwarded-proto", asked.scheme());
    message.addMissing("x-request-id", requestId);
    if (!asked.body().isEmpty() && message.indexOf("transfer-encoding") < 0) {
      message.addMissing("content-length", Integer.toString(asked.body().size()));
    }
    return message;
  }

  static Message response(Asked.Response response) {
    var message = new Message(List.of(), response.body());
    message.add(":status", Integer.toString(response.status()));
    response.headers().forEach(header -> message.add(header.name(), header.value()));
    if (!response.body().isEmpty() && message.indexOf("transfer-encoding") < 0) {
      message.addMissing("content-length", Integer.toString(response.body().size()));
    }
    return message;
  }

  Message copy() {
    return new Message(headers, body);
  }

  List<Header> headers() {
    return List.copyOf(headers);
  }

  ByteString body() {
    return body;
  }

  void body(ByteString replacement) {
    body = replacement;
  }

  /** All values of a header, in order. */
  List<String> values(String name) {
    return headers.stream()
        .filter(header -> header.name.equals(name))
        .map(Header::text)
        .toList();
  }

  @Override
  public String method() {
    return String.join(",", values(":method"));
  }

  @Override
  public String path() {
    return String.join(",", values(":path"));
  }

  @Override
  public String host() {
    return String.join(",", values(":authority"));
  }

  @Override
  public @Nullable String header(String name) {
    var values = values(name);
    return values.isEmpty() ? null : String.join(",", values);
  }

  @Override
  public List<String> headerValues(String name) {
    return values(name);
  }

  void remove(String name) {
    headers.removeIf(header -> header.name.equals(name.toLowerCase(Locale.ROOT)));
  }

  /** What ext_authz's answer does: sets first, then removals (both tried with Envoy). */
  @SuppressWarnings("deprecation")
  void apply(OkHttpResponse ok) {
    for (var option : ok.getHeadersList()) {
      set(option, option.getHeader().getValueBytes(), option.getAppend().getValue());
    }
    ok.getHeadersToRemoveList().forEach(this::remove);
  }

  /** What ext_proc's answer does: removals first, and only {@code raw_value} is read (both tried with Envoy). */
  @SuppressWarnings("deprecation")
  void apply(HeaderMutation mutation) {
    mutation.getRemoveHeadersList().forEach(this::remove);
    for (var option : mutation.getSetHeadersList()) {
      set(option, option.getHeader().getRawValue(), option.getAppend().getValue());
    }
  }

  private void set(HeaderValueOption option, ByteString value, boolean append) {
    var name = option.getHeader().getKey().toLowerCase(Locale.ROOT);
    int at = append ? -1 : indexOf(name);
    if (!append) {
      remove(name);
    }
    headers.add(at < 0 ? headers.size() : at, new Header(name, value));
  }

  private int indexOf(String name) {
    for (int i = 0; i < headers.size(); i++) {
      if (headers.get(i).name.equals(name)) {
        return i;
      }
    }
    return -1;
  }

  private void add(String name, String value) {
    headers.add(new Header(name.toLowerCase(Locale.ROOT), ByteString.copyFromUtf8(value)));
  }

  private void addMissing(String name, String value) {
    if (indexOf(name) < 0) {
      add(name, value);
    }
  }

  HeaderMap headerMap() {
    var map = HeaderMap.newBuilder();
    for (var header : headers) {
      map.addHeaders(HeaderValue.newBuilder().setKey(header.name).setRawValue(header.value));
    }
    return map.build();
  }
}
