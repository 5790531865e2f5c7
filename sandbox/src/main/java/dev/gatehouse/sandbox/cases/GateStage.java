package dev.gatehouse.sandbox.cases;

import dev.gatehouse.authz.ExtAuthzSettings;
import dev.gatehouse.extproc.ExtProcSettings;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.resource.BackendTrafficPolicy;
import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.ratelimit.RateLimitSettings;
import dev.gatehouse.sandbox.Echo;
import dev.gatehouse.sandbox.Gate;
import dev.gatehouse.sandbox.Issuer;
import dev.gatehouse.sandbox.Shop;
import dev.gatehouse.server.DecisionListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.UUID;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A gate of the case's own. */
final class GateStage implements Stage {
  private static final Duration RELOADED_WITHIN = Duration.ofSeconds(15);
  private static final Duration MARGIN = Duration.ofSeconds(5);

  private final Path folder;
  private final Path policies;
  private final Issuer issuer;
  private final Upstreams upstreams;
  private final LinkedBlockingQueue<Edited> reloads = new LinkedBlockingQueue<>();
  private final Gate gate;

  GateStage(
      Path folder,
      CaseFile.Settings settings,
      Issuer issuer,
      CaseRunner.Settings runner,
      Path work) {
    this.folder = folder;
    this.policies = work.resolve("policies");
    this.issuer = issuer;
    this.upstreams = new Upstreams("shop".equals(settings.upstream()) ? new Shop() : new Echo());
    copy(folder.resolve("policies"));
    var external = "x-envoy-external-address".equals(settings.clientAddress());
    try {
      this.gate = Gate.open(
          new Gate.Settings(
              List.of(policies),
              work,
              runner.envoy(),
              0,
              upstreams::port,
              new ExtAuthzSettings(
                  "allow".equals(settings.unmatched()),
                  settings.matchRoutes(),
                  external,
                  ExtAuthzSettings.defaults().maxTokenBytes()),
              counters(settings, runner),
              new ExtProcSettings(settings.matchRoutes(), external),
              DecisionListener.NONE,
              new Tweaks(settings)::apply,
              null),
          (reload, problems) -> reloads.add(new Edited(
              reload.inForce(), problems.stream().map(Object::toString).toList())));
    } catch (RuntimeException e) {
      upstreams.close();
      throw e;
    }
    awaitFreshWindow();
  }

  /** A prefix of its own for each case: its windows begin empty in a Redis that others use too. */
  private static RateLimitSettings counters(
      CaseFile.Settings settings, CaseRunner.Settings runner) {
    var usual = RateLimitSettings.defaults();
    if (!settings.redis()) {
      return usual;
    }
    if (runner.redisUrl() == null) {
      throw new CaseException("settings.redis: no Redis is known (set REDIS_URL)");
    }
    // A machine under test load is slower than one that serves.
    return RateLimitSettings.of(runner.redisUrl(), Duration.ofMillis(500), UUID.randomUUID() + ":");
  }

  /** A window that ended in the middle of the case would let it fail: near an edge it waits for the next one. */
  private void awaitFreshWindow() {
    var now = System.currentTimeMillis();
    var left = gate.inForce().policies().rules().stream()
        .map(rule -> rule.traffic())
        .filter(Attachment.Of.class::isInstance)
        .flatMap(
            traffic -> ((Attachment.Of<BackendTrafficPolicy>) traffic).policy().rules().stream())
        .flatMap(GateStage::limits)
        .mapToLong(limit -> limit.every() * millis(limit.unit()))
        .filter(unit -> unit > MARGIN.toMillis())
        .map(unit -> unit - now % unit)
        .filter(millis -> millis < MARGIN.toMillis())
        .max();
    if (left.isPresent()) {
      try {
        Thread.sleep(left.getAsLong() + 20);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static Stream<BackendTrafficPolicy.Limit> limits(BackendTrafficPolicy.Rule rule) {
    var plan = rule.plan();
    return Stream.concat(
        Stream.of(rule.limit()), plan == null ? Stream.of() : plan.limits().values().stream());
  }

  private static long millis(BackendTrafficPolicy.Unit unit) {
    return switch (unit) {
      case SECOND -> 1_000L;
      case MINUTE -> 60_000L;
      case HOUR -> 3_600_000L;
      case DAY -> 86_400_000L;
      case WEEK -> 7 * 86_400_000L;
      case MONTH -> 30 * 86_400_000L;
      case YEAR -> 365 * 86_400_000L;
    };
  }

  private void copy(Path from) {
    if (!Files.isDirectory(from)) {
      throw new CaseException(from + ": not a folder");
    }
    try (var files = Files.walk(from)) {
      for (var file : files.filter(Files::isRegularFile).toList()) {
        var to = policies.resolve(from.relativize(file).toString());
        Files.createDirectories(to.getParent());
        Files.writeString(to, filled(Files.readString(file)));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String filled(String policy) {
    return policy
        .replace("${issuer}", issuer.url())
        .replace("${jwks}", issuer.jwks())
        .replace("${unreachable}", "http://127.0.0.1:1");
  }

  @Override
  public Gate.Endpoint endpoint(@Nullable Integer port) {
    var endpoints = gate.endpoints();
    if (port == null) {
      return endpoints.values().iterator().next();
    }
    var endpoint = endpoints.get(port);
    if (endpoint == null) {
      throw new CaseException(
          "listener: " + port + " (expected: a port of the Gateways, " + endpoints.keySet() + ")");
    }
    return endpoint;
  }

  @Override
  public Issuer issuer() {
    return issuer;
  }

  @Override
  public Upstreams upstreams() {
    return upstreams;
  }

  @Override
  public SortedMap<String, Long> stats(String regex) {
    return gate.envoy().stats(regex);
  }

  /** In the files of the case, not in the filled copies of them. */
  @Override
  public List<String> errors() {
    return gate.inForce().problems().stream()
        .filter(problem -> problem.severity() == Problem.Severity.ERROR)
        .map(problem -> problem
            .toString()
            .replace(policies.toString(), folder.resolve("policies").toString()))
        .toList();
  }

  @Override
  public Edited edit(Map<String, @Nullable String> files) {
    reloads.clear();
    files.forEach(this::replace);
    gate.poll();
    try {
      var last = reloads.poll(RELOADED_WITHIN.toMillis(), TimeUnit.MILLISECONDS);
      if (last == null) {
        throw new CaseException(
            "edit: nothing was loaded within " + RELOADED_WITHIN.toSeconds() + " s");
      }
      for (var next = reloads.poll(); next != null; next = reloads.poll()) {
        last = next;
      }
      return last;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CaseException("interrupted");
    }
  }

  private void replace(String file, @Nullable String content) {
    var path = policies.resolve(file).normalize();
    if (!path.startsWith(policies)) {
      throw new CaseException("edit: " + file + " is not below policies/");
    }
    try {
      if (content == null) {
        Files.delete(path);
        return;
      }
      Files.createDirectories(path.getParent());
      var part = Files.writeString(
          path.resolveSibling("." + path.getFileName() + ".part"), filled(content));
      Files.move(part, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    gate.close();
    upstreams.close();
  }
}
