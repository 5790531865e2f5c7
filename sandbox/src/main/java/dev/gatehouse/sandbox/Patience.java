package dev.gatehouse.sandbox;

import dev.gatehouse.wire.EnvoyConfig;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * Lets Envoy wait longer for the services than it should in production. Where decisions are compared and not latencies, a machine
 * that is busy with something else must not turn a limit off (Envoy's rate limit filter fails open when its 50 ms are over).
 */
public final class Patience {
  private static final YAMLMapper YAML = new YAMLMapper();
  private static final String ENOUGH = "10s";

  private Patience() {}

  public static EnvoyConfig with(EnvoyConfig config) {
    var files = new TreeMap<String, String>();
    config.files().forEach((name, text) -> {
      var tree = YAML.readTree(text);
      wait(tree);
      files.put(name, YAML.writeValueAsString(tree));
    });
    return new EnvoyConfig(files);
  }

  private static void wait(JsonNode node) {
    if (node instanceof ObjectNode filter) {
      var type = filter.path("@type").asString("");
      if (type.endsWith(".ratelimit.v3.RateLimit")) {
        filter.put("timeout", ENOUGH);
      } else if (type.endsWith(".ext_proc.v3.ExternalProcessor")) {
        filter.put("message_timeout", ENOUGH).put("max_message_timeout", ENOUGH);
      } else if (type.endsWith(".ext_authz.v3.ExtAuthz")
          && filter.path("grpc_service") instanceof ObjectNode service) {
        service.put("timeout", ENOUGH);
      }
    }
    node.forEach(Patience::wait);
  }
}
