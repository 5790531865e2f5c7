package dev.gatehouse.extproc.kit;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.gatehouse.extproc.stream.BodyMode;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.policy.attach.RouteKey;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.grpc.Metadata;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StreamContextTest {
  private static final String FROM_THE_GATEWAY = """
      filter_metadata { key: "envoy-gateway" value { fields { key: "resources" value { list_value { values { struct_value { \
      fields { key: "kind" value { string_value: "HTTPRoute" } } fields { key: "name" value { string_value: "orders" } } \
      fields { key: "namespace" value { string_value: "shop" } } } } } } } } }""";

  @Test
  void the_route_is_the_one_that_wire_has_bound() {
    var context = context(
        Map.of(
            "x-gatehouse-listener", "shop/web/http",
            "x-gatehouse-route", "HTTPRoute/shop/cart/add"),
        "xds.route_metadata",
        FROM_THE_GATEWAY);
    assertThat(context.listener()).isEqualTo("shop/web/http");
    assertThat(context.route()).isEqualTo(new RouteKey("HTTPRoute", "shop", "cart", "add"));
    assertThat(context.boundRoute()).isEqualTo("HTTPRoute/shop/cart/add");
  }

  @Test
  void else_the_route_is_the_one_that_the_gateway_tells() {
    var context = context(Map.of(), "xds.route_metadata", FROM_THE_GATEWAY);
    assertThat(context.route()).isEqualTo(new RouteKey("HTTPRoute", "shop", "orders", ""));
    assertThat(context.routeProblem()).isNull();
    assertThat(context.boundRoute()).isNull();
  }

  @Test
  void a_route_that_cannot_be_read_is_a_problem_and_one_that_is_not_told_is_none() {
    assertThat(context(Map.of(), "xds.route_metadata", "map value").routeProblem())
        .contains("xds.route_metadata");
    var untold = context(Map.of());
    assertThat(untold.route()).isNull();
    assertThat(untold.routeProblem()).isNull();
    assertThat(untold.listener()).isNull();
  }

  @Test
  void what_differs_from_route_to_route_is_a_setting_of_envoys_configuration() {
    var context = context(Map.of("x-tenant-field", "/org"));
    assertThat(context.setting("x-tenant-field")).isEqualTo("/org");
    assertThat(context.setting("x-other")).isNull();
  }

  @Test
  void who_calls_is_what_ext_authz_says() {
    var claims = Struct.newBuilder()
        .putFields("plan", text("gold"))
        .putFields("level", Value.newBuilder().setNumberValue(3).build());
    var auth = Struct.newBuilder()
        .putFields("method", text("jwt"))
        .putFields("sub", text("ada"))
        .putFields("claims", Value.newBuilder().setStructValue(claims).build());
    var message = Messages.first(BodySendMode.NONE).toBuilder();
    message
        .getMetadataContextBuilder()
        .putFilterMetadata(
            "envoy.filters.http.ext_authz",
            Struct.newBuilder()
                .putFields("auth", Value.newBuilder().setStructValue(auth).build())
                .build());
    var context = new StreamContext(new Metadata(), message.build());
    var said = context.auth();
    assertThat(said).isNotNull();
    assertThat(said.sub()).isEqualTo("ada");
    assertThat(said.scopes()).isEqualTo(List.of());
    assertThat(said.claims()).isEqualTo(Map.of("plan", "gold", "level", 3.0));
    assertThat(context.metadata("envoy.filters.http.ext_authz")).isNotNull();
    assertThat(context(Map.of()).auth()).isNull();
  }

  @Test
  void attributes_modes_and_the_requests_id_are_read_from_the_first_message() {
    var context = context(Map.of(), "source.address", "10.0.0.1:4711");
    assertThat(context.attribute("source.address")).isEqualTo("10.0.0.1:4711");
    assertThat(context.attribute("source.port")).isNull();
    assertThat(context.bodies(Direction.REQUEST)).isEqualTo(BodyMode.BUFFERED);
    assertThat(context.requestId()).isEqualTo("r-1");
    assertThat(context(Map.of("x-request-id", "r-2")).requestId()).isEqualTo("r-2");
    assertThat(context.observed()).isFalse();
    var old = new StreamContext(new Metadata(), ProcessingRequest.getDefaultInstance());
    assertThat(old.bodies(Direction.RESPONSE)).isEqualTo(BodyMode.UNKNOWN);
    assertThat(old.requestId()).isEmpty();
  }

  private static StreamContext context(Map<String, String> call, String... attributes) {
    var metadata = new Metadata();
    call.forEach((name, value) ->
        metadata.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value));
    var struct = Struct.newBuilder();
    for (var i = 0; i < attributes.length; i += 2) {
      struct.putFields(attributes[i], text(attributes[i + 1]));
    }
    return new StreamContext(
        metadata,
        Messages.first(BodySendMode.BUFFERED, "x-request-id", "r-1").toBuilder()
            .putAttributes("envoy.filters.http.ext_proc", struct.build())
            .build());
  }

  private static Value text(String text) {
    return Value.newBuilder().setStringValue(text).build();
  }
}
