package dev.gatehouse.e2e;

import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Envoy's ext_proc filter as Envoy Gateway 1.9 makes it of an {@code extProc} (its internal/xds/translator/extproc.go). {@link
 * RealEnvoyGatewayTest} compares it with what the gateway makes.
 */
final class GatewayFilter {
  private GatewayFilter() {}

  /** All of it but {@code grpc_service}. */
  static ObjectNode of(JsonNode extProc) {
    var filter = JsonNodeFactory.instance.objectNode();
    filter.put("failure_mode_allow", extProc.get("failOpen").asBoolean());
    filter.put(
        "message_timeout", extProc.get("messageTimeout").asString().replace("500ms", "0.5s"));
    var mode = filter.putObject("processing_mode");
    for (var direction : List.of("request", "response")) {
      var side = extProc.path("processingMode").path(direction);
      mode.put(direction + "_header_mode", side.isMissingNode() ? "SKIP" : "SEND");
      boolean streams = side.path("body").asString("").equals("FullDuplexStreamed");
      mode.put(
          direction + "_body_mode",
          streams ? "FULL_DUPLEX_STREAMED" : side.has("body") ? "BUFFERED" : "NONE");
      mode.put(direction + "_trailer_mode", streams ? "SEND" : "SKIP");
      if (side.has("attributes")) {
        filter.set(direction + "_attributes", side.get("attributes"));
      }
    }
    filter.put(
        "allow_mode_override",
        extProc.path("processingMode").path("allowModeOverride").asBoolean(false));
    metadata(filter, extProc.path("metadata"));
    return filter;
  }

  private static void metadata(ObjectNode filter, JsonNode namespaces) {
    if (namespaces.isMissingNode()) {
      return;
    }
    var metadata = filter.putObject("metadata_options");
    if (namespaces.has("accessibleNamespaces")) {
      metadata
          .putObject("forwarding_namespaces")
          .set("untyped", namespaces.get("accessibleNamespaces"));
    }
    if (namespaces.has("writableNamespaces")) {
      metadata
          .putObject("receiving_namespaces")
          .set("untyped", namespaces.get("writableNamespaces"));
    }
  }
}
