package dev.gatehouse.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.util.concurrent.Future;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The pages of the admin interface. Runs on its own loop, which may wait. */
final class Admin {
  private static final PrometheusTextFormatWriter METRICS =
      ExpositionFormats.init().getPrometheusTextFormatWriter();
  private static final long LOOP_ANSWERS_WITHIN_SECONDS = 1;

  private final Readiness readiness;
  private final ServiceContext context;
  private final List<Service> services;
  private final Supplier<String> policies;

  private Admin(
      Readiness readiness,
      ServiceContext context,
      List<Service> services,
      Supplier<String> policies) {
    this.readiness = readiness;
    this.context = context;
    this.services = services;
    this.policies = policies;
  }

  static Map<String, HttpPage> pages(
      Readiness readiness,
      ServiceContext context,
      List<Service> services,
      Supplier<String> policies) {
    var admin = new Admin(readiness, context, services, policies);
    var pages = new LinkedHashMap<String, HttpPage>();
    pages.put("/healthz", HttpPage.of(admin::alive));
    pages.put("/readyz", HttpPage.of(admin::ready));
    pages.put("/healthcheck", HttpPage.of(admin::healthy));
    pages.put("/metrics", HttpPage.of(admin::metrics));
    pages.put("/policies", HttpPage.of(admin::inForce));
    services.forEach(service -> pages.putAll(service.pages()));
    return withList(pages);
  }

  /** The pages of another listener, under its own paths. */
  static Map<String, HttpPage> some(Map<String, HttpPage> all, ServerSettings.Http listener) {
    var pages = new LinkedHashMap<String, HttpPage>();
    listener
        .pages()
        .forEach((path, page) -> pages.put(
            path,
            Objects.requireNonNull(
                all.get(page), () -> "there is no page " + page + " for " + listener.name())));
    return withList(pages);
  }

  private static Map<String, HttpPage> withList(Map<String, HttpPage> pages) {
    var list = AdminPage.text(200, String.join("\n", pages.keySet()));
    pages.putIfAbsent("/", HttpPage.of(() -> list));
    return pages;
  }

  /** Alive means that every event loop still does what it is asked to; one that hangs never recovers by itself. */
  private AdminPage alive() {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LOOP_ANSWERS_WITHIN_SECONDS);
    List<Future<?>> signs = new ArrayList<>();
    context.loops().all().forEach(loop -> signs.add(loop.submit(() -> {})));
    for (var sign : signs) {
      if (!sign.awaitUninterruptibly(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        return AdminPage.text(503, "an event loop has not answered for a second");
      }
    }
    return AdminPage.text(200, "alive");
  }

  private AdminPage ready() {
    return switch (readiness.state()) {
      case READY -> {
        var why = unhealthy(services);
        yield why == null ? AdminPage.text(200, "ready") : AdminPage.text(503, "not ready: " + why);
      }
      case WARMING -> AdminPage.text(503, "not ready: warming up");
      case DRAINING -> AdminPage.text(503, "not ready: draining, since it was asked to stop");
    };
  }

  /** Under envoyproxy/ratelimit's name and in its words; Envoy Gateway's deployment probes it. */
  private AdminPage healthy() {
    return ready().status() == 200 ? AdminPage.plain(200, "OK") : AdminPage.plain(500, "");
  }

  /** The first reason that a service has to send callers elsewhere. */
  static @Nullable String unhealthy(List<Service> services) {
    for (var service : services) {
      var why = service.unhealthy();
      if (why != null) {
        return service.name() + ": " + why;
      }
    }
    return null;
  }

  private AdminPage inForce() {
    return AdminPage.json(policies.get());
  }

  private AdminPage metrics() {
    var page = new ByteArrayOutputStream(16 << 10);
    try {
      METRICS.write(page, context.metrics().scrape());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    var text = new StringBuilder(page.toString(UTF_8));
    services.forEach(service -> text.append(service.metrics()));
    return new AdminPage(200, METRICS.getContentType(), text.toString());
  }
}
