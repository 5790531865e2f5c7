package dev.gatehouse.wire;

import static dev.gatehouse.wire.Tree.map;

import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Problems;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A complete Envoy configuration made of the policies. It may hold private keys.
 *
 * @param files by name: {@code envoy.yaml} (the bootstrap, or all of it) and, when watched, {@code listeners.yaml},
 *     {@code clusters.yaml} and one {@code routes-….yaml} a route table, because Envoy takes one from a file
 */
public record EnvoyConfig(SortedMap<String, String> files) {
  static final String BOOTSTRAP = "envoy.yaml";
  static final String LISTENERS = "listeners.yaml";
  static final String CLUSTERS = "clusters.yaml";
  static final String ROUTES = "routes-";

  /** What cannot be honoured is an error in {@code problems}, and its route is left out or answers 500; never skipped in silence. */
  public static EnvoyConfig of(PolicySet policies, WireSettings settings, Problems problems) {
    var clusters = new Clusters(settings, problems);
    var tables = new RouteTables(policies, new Routes(policies, clusters, problems), problems);
    var ports = Layout.of(policies, settings, problems);

    var routes = new TreeMap<String, Map<String, Object>>();
    ports.forEach(port -> routes.putAll(tables.of(port)));
    ports.stream()
        .filter(port -> !port.tls())
        .flatMap(port -> port.sites().stream())
        .forEach(site -> ClientCertificates.checkPlain(policies, site, problems));

    var folder = settings.watchedFolder();
    var bootstrap = new Bootstrap(settings);
    var listeners = new Listeners(
        policies,
        settings,
        new Certificates(policies, problems),
        table -> routes(table, routes, folder));
    var all = new ArrayList<Map<String, Object>>();
    for (var port : ports) {
      var listener = listeners.of(port);
      if (listener != null) {
        all.add(listener);
      }
    }

    var files = new TreeMap<String, String>();
    if (folder == null) {
      files.put(BOOTSTRAP, Tree.yaml(bootstrap.all(all, clusters.all())));
    } else {
      files.put(BOOTSTRAP, Tree.yaml(bootstrap.watching(folder)));
      files.put(LISTENERS, resources(all));
      files.put(CLUSTERS, resources(clusters.all()));
      routes.forEach((name, table) -> files.put(fileOf(name), resources(List.of(table))));
    }
    return new EnvoyConfig(Collections.unmodifiableSortedMap(files));
  }

  /**
   * Writes what changed, each file by an atomic rename (Envoy watches for moves), readable by its owner alone, in an order that leaves no
   * route without its cluster and no listener without its routes.
   */
  public void write(Path folder) throws IOException {
    new Folder(folder).write(files);
  }

  /** Where a connection manager has its routes: in itself, or in a file that Envoy watches. */
  private static Map<String, Object> routes(
      String table, Map<String, Map<String, Object>> tables, @Nullable String folder) {
    return folder == null
        ? map("route_config", Tree.untyped(tables.getOrDefault(table, map())))
        : map(
            "rds",
            map(
                "config_source",
                Bootstrap.file(folder, fileOf(table)),
                "route_config_name",
                table));
  }

  private static String fileOf(String table) {
    return ROUTES + table + ".yaml";
  }

  private static String resources(List<Map<String, Object>> resources) {
    return Tree.yaml(map("resources", resources));
  }
}
