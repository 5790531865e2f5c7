package dev.gatehouse.authz;

import com.google.protobuf.ByteString;
import com.google.protobuf.ListValue;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.gatehouse.policy.attach.Bindings;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.Metadata;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A CheckRequest as Envoy would send it, for tests. Immutable: each method gives another. */
record Call(
    String method,
    String path,
    List<Map.Entry<String, ByteString>> headers,
    boolean raw,
    String address,
    @Nullable String listener,
    @Nullable String route,
    @Nullable Struct routeMetadata) {

  static Call get(String path) {
    return new Call(
        "GET",
        path,
        List.of(),
        true,
        "192.0.2.7",
        "shop/web/http",
        "HTTPRoute/shop/orders/list",
        null);
  }

  Call method(String method) {
    return new Call(method, path, headers, raw, address, listener, route, routeMetadata);
  }

  Call with(String name, String value) {
    return with(name, ByteString.copyFromUtf8(value));
  }

  Call with(String name, ByteString value) {
    var more = new ArrayList<>(headers);
    more.add(Map.entry(name, value));
    return new Call(method, path, more, raw, address, listener, route, routeMetadata);
  }

  Call bearer(String token) {
    return with("authorization", "Bearer " + token);
  }

  /** The form without {@code encode_raw_headers}: values of one name joined by commas, as Envoy does. */
  Call joined() {
    return new Call(method, path, headers, false, address, listener, route, routeMetadata);
  }

  Call from(String address) {
    return new Call(method, path, headers, raw, address, listener, route, routeMetadata);
  }

  Call bound(@Nullable String listener, @Nullable String route) {
    return new Call(method, path, headers, raw, address, listener, route, routeMetadata);
  }

  /** No binding but Envoy Gateway's route metadata. */
  Call byMetadata(String kind, String namespace, String name, String sectionName) {
    var resource = Struct.newBuilder()
        .putFields("kind", text(kind))
        .putFields("namespace", text(namespace))
        .putFields("name", text(name))
        .putFields("sectionName", text(sectionName));
    var resources = ListValue.newBuilder().addValues(Value.newBuilder().setStructValue(resource));
    var metadata = Struct.newBuilder()
        .putFields("resources", Value.newBuilder().setListValue(resources).build())
        .build();
    return new Call(method, path, headers, raw, address, null, null, metadata);
  }

  CheckRequest request() {
    var http = AttributeContext.HttpRequest.newBuilder()
        .setMethod(method)
        .setPath(path)
        .setHost("shop.example")
        .setScheme("https");
    var lines = new ArrayList<Map.Entry<String, ByteString>>();
    lines.add(Map.entry(":method", ByteString.copyFromUtf8(method)));
    lines.add(Map.entry(":path", ByteString.copyFromUtf8(path)));
    lines.add(Map.entry(":authority", ByteString.copyFromUtf8("shop.example")));
    lines.addAll(headers);
    for (var line : lines) {
      if (raw) {
        http.getHeaderMapBuilder()
            .addHeaders(
                HeaderValue.newBuilder().setKey(line.getKey()).setRawValue(line.getValue()));
      } else {
        var before = http.getHeadersMap().get(line.getKey());
        var value = sanitized(line.getValue());
        http.putHeaders(line.getKey(), before == null ? value : before + "," + value);
      }
    }
    var attributes = AttributeContext.newBuilder()
        .setRequest(AttributeContext.Request.newBuilder().setHttp(http))
        .setSource(AttributeContext.Peer.newBuilder()
            .setAddress(Address.newBuilder()
                .setSocketAddress(SocketAddress.newBuilder().setAddress(address))));
    if (listener != null) {
      attributes.putContextExtensions(Bindings.LISTENER, listener);
    }
    if (route != null) {
      attributes.putContextExtensions(Bindings.ROUTE, route);
    }
    if (routeMetadata != null) {
      attributes.setRouteMetadataContext(
          Metadata.newBuilder().putFilterMetadata(Bindings.GATEWAY_METADATA, routeMetadata));
    }
    return CheckRequest.newBuilder().setAttributes(attributes).build();
  }

  RequestView view() {
    return RequestView.of(request().getAttributes(), false);
  }

  /** As Envoy: bytes that are no UTF-8 become {@code !}. */
  private static String sanitized(ByteString value) {
    return value.isValidUtf8() ? value.toStringUtf8() : value.toStringUtf8().replace('\uFFFD', '!');
  }

  private static Value text(String text) {
    return Value.newBuilder().setStringValue(text).build();
  }
}
