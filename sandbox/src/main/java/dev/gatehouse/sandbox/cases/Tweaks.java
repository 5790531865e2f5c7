package dev.gatehouse.sandbox.cases;

import dev.gatehouse.sandbox.Patience;
import dev.gatehouse.wire.EnvoyConfig;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** Changes {@code wire}'s configuration into what others may have put in front of the services. */
record Tweaks(CaseFile.Settings settings) {
  private static final YAMLMapper YAML = new YAMLMapper();
  private static final List<String> BINDINGS =
      List.of("context_extensions", "grpc_initial_metadata");

  EnvoyConfig apply(EnvoyConfig written) {
    var files = new TreeMap<String, String>();
    Patience.with(written).files().forEach((name, text) -> {
      var tree = YAML.readTree(text);
      change(tree);
      files.put(name, YAML.writeValueAsString(tree));
    });
    return new EnvoyConfig(files);
  }

  private void change(JsonNode node) {
    if (node instanceof ObjectNode object) {
      var type = object.path("@type").asString("");
      if (type.endsWith(".ext_authz.v3.ExtAuthz")) {
        changeAuthz(object);
      } else if (type.endsWith(".HttpConnectionManager") && settings.trustedHops() != null) {
        object.put("xff_num_trusted_hops", settings.trustedHops());
      }
      if (!isUnlessFalse(settings.bindings())) {
        object.remove(BINDINGS);
      }
    }
    node.forEach(this::change);
  }

  private void changeAuthz(ObjectNode filter) {
    if (settings.failureModeAllow()) {
      filter.put("failure_mode_allow", true);
    }
    if (!isUnlessFalse(settings.rawHeaders())) {
      filter.put("encode_raw_headers", false);
    }
  }

  private static boolean isUnlessFalse(@Nullable Boolean setting) {
    return setting == null || setting;
  }
}
