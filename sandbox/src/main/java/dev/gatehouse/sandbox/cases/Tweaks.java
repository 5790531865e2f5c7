package dev.gatehouse.sandbox.cases;

import dev.gatehouse.sandbox.Patience;
import dev.gatehouse.wire.EnvoyConfig;
import java.util.List;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** Changes {@code wire}'s configuration into what others may have put in front of the services. */
record Tweaks(CaseFile.Settings settings) {
  private static final YAMLMapper YAML = new YAMLMapper();
  private static final List<String> BINDINGS =
      List.of("context_extensions", "grpc_initial_metadata");

  EnvoyConfig apply(EnvoyConfig written) {
    var config = Patience.with(written);
    var bound = settings.bindings() == null || settings.bindings();
    if (bound && !settings.failureModeAllow()) {
      return config;
    }
    var files = new TreeMap<String, String>();
    config.files().forEach((name, text) -> {
      var tree = YAML.readTree(text);
      change(tree, bound);
      files.put(name, YAML.writeValueAsString(tree));
    });
    return new EnvoyConfig(files);
  }

  private void change(JsonNode node, boolean bound) {
    if (node instanceof ObjectNode object) {
      if (settings.failureModeAllow()
          && object.path("@type").asString("").endsWith(".ext_authz.v3.ExtAuthz")) {
        object.put("failure_mode_allow", true);
      }
      if (!bound) {
        object.remove(BINDINGS);
      }
    }
    node.forEach(child -> change(child, bound));
  }
}
