package dev.gatehouse.wire;

import static dev.gatehouse.wire.Tree.any;
import static dev.gatehouse.wire.Tree.map;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What Envoy reads when it starts. */
final class Bootstrap {
  /** Far more than a demo needs, and few enough for the file descriptors of an ordinary machine. */
  private static final int CONNECTIONS = 50_000;

  private final WireSettings settings;

  Bootstrap(WireSettings settings) {
    this.settings = settings;
  }

  /** Listeners, routes and clusters lie in files that Envoy watches. */
  Map<String, Object> watching(String folder) {
    var bootstrap = common();
    bootstrap.put(
        "dynamic_resources",
        map(
            "lds_config", file(folder, EnvoyConfig.LISTENERS),
            "cds_config", file(folder, EnvoyConfig.CLUSTERS)));
    return bootstrap;
  }

  /** All in one file. */
  Map<String, Object> all(List<Map<String, Object>> listeners, List<Map<String, Object>> clusters) {
    var bootstrap = common();
    bootstrap.put(
        "static_resources",
        map(
            "listeners", listeners.stream().map(Tree::untyped).toList(),
            "clusters", clusters.stream().map(Tree::untyped).toList()));
    return bootstrap;
  }

  /** A {@code ConfigSource}: Envoy reads the file again whenever another is moved to its place. */
  static Map<String, Object> file(String folder, String file) {
    var path = folder.endsWith("/") ? folder + file : folder + "/" + file;
    return map("path_config_source", map("path", path), "resource_api_version", "V3");
  }

  private Map<String, Object> common() {
    return new LinkedHashMap<>(map(
        "node",
        map("id", "gatehouse", "cluster", "gatehouse"),
        "admin",
        map("address", Clusters.socket(settings.admin())),
        // The size of an expression was judged when the policies were read; Envoy's own limit would
        // refuse a whole route table for one.
        "layered_runtime",
        map(
            "layers",
            List.of(map(
                "name",
                "gatehouse",
                "static_layer",
                map("re2.max_program_size.error_level", 4_294_967_295L)))),
        "overload_manager",
        map(
            "resource_monitors",
            List.of(map(
                "name",
                "envoy.resource_monitors.global_downstream_max_connections",
                "typed_config",
                any(
                    "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                    "max_active_downstream_connections",
                    CONNECTIONS))))));
  }
}
