package dev.gatehouse.sandbox;

import dev.gatehouse.policy.attach.ListenerKey;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.HttpRoute;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problem.Severity;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.server.GatehouseServer;
import dev.gatehouse.wire.EnvoyConfig;
import dev.gatehouse.wire.WireSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

/** An Envoy whose files are made of the policies, and made again when those change. */
final class WiredEnvoy implements AutoCloseable {
  private static final String LOOPBACK = "127.0.0.1";
  private static final Duration FOLLOW_WITHIN = Duration.ofSeconds(10);
  private static final Duration POLL = Duration.ofMillis(5);

  private final Gate.Settings settings;
  private final GatehouseServer server;
  private final Ports ports = new Ports();
  private final int admin = ports.free();
  private final Path folder;
  private final Map<Integer, Gate.Endpoint> endpoints =
      Collections.synchronizedMap(new LinkedHashMap<>());
  private volatile List<Problem> problems = List.of();
  private final Envoy process;

  private WiredEnvoy(Gate.Settings settings, GatehouseServer server, PolicySet first)
      throws IOException {
    this.settings = settings;
    this.server = server;
    this.folder = Files.createDirectories(settings.work().resolve("envoy")).toRealPath();
    try {
      write(first);
      process = Envoy.start(
          settings.envoy(),
          folder.resolve("envoy.yaml"),
          admin,
          settings.work().resolve("envoy.log"),
          settings.accessLog());
    } catch (IOException | RuntimeException e) {
      ports.close();
      throw e;
    }
  }

  /** @throws IllegalStateException when Envoy refuses the configuration or a port is taken */
  static WiredEnvoy start(Gate.Settings settings, GatehouseServer server, PolicySet first) {
    WiredEnvoy envoy;
    try {
      envoy = new WiredEnvoy(settings, server, first);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    var refused = envoy.process.stats("\\.(update_rejected|listener_create_failure)$");
    if (refused.values().stream().anyMatch(count -> count > 0)) {
      var log = envoy.process.logTail(20);
      envoy.close();
      throw new IllegalStateException("Envoy refuses its configuration:\n" + log);
    }
    return envoy;
  }

  /** Makes the files of these policies and waits until Envoy has taken them; what is wrong with them. */
  synchronized List<Problem> follow(PolicySet policies) {
    try {
      var before = files();
      var taken = process.stats(UPDATES);
      write(policies);
      var after = files();
      var changed = after.keySet().stream()
          .filter(name -> !name.equals("envoy.yaml"))
          .filter(name -> !Objects.equals(after.get(name), before.get(name)))
          .toList();
      awaitTaken(changed, taken);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return problems;
  }

  private static final String UPDATES = "\\.(lds|cds|rds\\..*)\\.update_(success|rejected)$";

  /** Envoy counts each file that it has read again; a route table that no listener uses is never read. */
  private void awaitTaken(List<String> changed, Map<String, Long> before) {
    var deadline = System.nanoTime() + FOLLOW_WITHIN.toNanos();
    for (var file : changed) {
      var source = Pattern.compile(
          switch (file) {
            case "listeners.yaml" -> "^listener_manager\\.lds\\.update_(success|rejected)$";
            case "clusters.yaml" -> "^cluster_manager\\.cds\\.update_(success|rejected)$";
            default ->
              "\\.rds\\."
                  + Pattern.quote(file.replaceFirst("^routes-", "").replaceFirst("\\.yaml$", ""))
                  + "\\.update_(success|rejected)$";
          });
      while (sum(process.stats(UPDATES), source) <= sum(before, source)) {
        if (System.nanoTime() > deadline) {
          problem(
              "Envoy has not read " + file + " again within " + FOLLOW_WITHIN.toSeconds() + " s");
          return;
        }
        pause();
      }
    }
    var rejected = Pattern.compile("\\.update_rejected$");
    if (sum(process.stats(UPDATES), rejected) > sum(before, rejected)) {
      problem("Envoy refuses its new configuration: " + process.logTail(3));
    }
  }

  private static long sum(Map<String, Long> stats, Pattern names) {
    return stats.entrySet().stream()
        .filter(stat -> names.matcher(stat.getKey()).find())
        .mapToLong(Map.Entry::getValue)
        .sum();
  }

  private void problem(String message) {
    var all = new ArrayList<>(problems);
    all.add(new Problem(Severity.ERROR, Origin.NONE, "", message));
    problems = List.copyOf(all);
  }

  private static void pause() {
    try {
      Thread.sleep(POLL);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  private void write(PolicySet policies) throws IOException {
    var found = new Problems();
    var config = settings.tweak().apply(EnvoyConfig.of(policies, wire(policies), found));
    config.write(folder);
    problems = found.all();
  }

  private Map<String, String> files() throws IOException {
    var files = new HashMap<String, String>();
    try (var all = Files.newDirectoryStream(folder, "*.yaml")) {
      for (var file : all) {
        files.put(file.getFileName().toString(), Files.readString(file));
      }
    }
    return files;
  }

  private WireSettings wire(PolicySet policies) {
    return new WireSettings(
        address(server.address("ext-authz")),
        address(server.address("ratelimit")),
        address(server.address("ext-proc")),
        new WireSettings.Address(LOOPBACK, admin),
        LOOPBACK,
        listenerPorts(policies),
        backends(policies),
        settings.accessLog() != null,
        folder.toString());
  }

  private static WireSettings.Address address(InetSocketAddress address) {
    return new WireSettings.Address(LOOPBACK, address.getPort());
  }

  /** Each port of a Gateway becomes one on the loopback, the same one for as long as this lives. */
  private Map<String, Integer> listenerPorts(PolicySet policies) {
    var byListener = new HashMap<String, Integer>();
    for (var gateway : policies.gateways()) {
      for (var listener : gateway.listeners()) {
        var endpoint = endpoints.computeIfAbsent(
            listener.port(),
            port -> new Gate.Endpoint(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), free()),
                listener.protocol().equals("HTTPS")));
        byListener.put(
            ListenerKey.of(gateway.meta(), listener.name()).toString(),
            endpoint.address().getPort());
      }
    }
    return byListener;
  }

  private int free() {
    return endpoints.isEmpty() && settings.port() != 0 ? settings.port() : ports.free();
  }

  private Map<String, WireSettings.Address> backends(PolicySet policies) {
    var addresses = new HashMap<String, WireSettings.Address>();
    for (var rule : policies.rules()) {
      for (HttpRoute.BackendRef backend : rule.rule().backendRefs()) {
        addresses.computeIfAbsent(
            backend.ref().namespace() + "/" + backend.ref().name(),
            name -> new WireSettings.Address(LOOPBACK, settings.upstream().applyAsInt(name)));
      }
    }
    return addresses;
  }

  Envoy process() {
    return process;
  }

  List<Problem> problems() {
    return problems;
  }

  Map<Integer, Gate.Endpoint> endpoints() {
    synchronized (endpoints) {
      return new LinkedHashMap<>(endpoints);
    }
  }

  @Override
  public void close() {
    process.close();
    ports.close();
  }
}
