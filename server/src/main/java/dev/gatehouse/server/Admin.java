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
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** The pages of the admin interface. Runs on its own loop, which may wait. */
final class Admin {
  private static final PrometheusTextFormatWriter METRICS =
      ExpositionFormats.init().getPrometheusTextFormatWriter();
  private static final long LOOP_ANSWERS_WITHIN_SECONDS = 1;

  private final Readiness readiness;
  private final ServiceContext context;
  private final Supplier<String> policies;

  private Admin(Readiness readiness, ServiceContext context, Supplier<String> policies) {
    this.readiness = readiness;
    this.context = context;
    this.policies = policies;
  }

  static Map<String, Supplier<AdminPage>> pages(
      Readiness readiness, ServiceContext context, Supplier<String> policies) {
    var admin = new Admin(readiness, context, policies);
    var pages = new LinkedHashMap<String, Supplier<AdminPage>>();
    pages.put("/healthz", admin::alive);
    pages.put("/readyz", admin::ready);
    pages.put(
        "/healthcheck",
        admin::ready); // envoyproxy/ratelimit's name; Envoy Gateway's deployment probes it
    pages.put("/metrics", admin::metrics);
    pages.put("/policies", admin::inForce);
    var list = AdminPage.text(200, String.join("\n", pages.keySet()));
    pages.put("/", () -> list);
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
      case READY -> AdminPage.text(200, "ready");
      case WARMING -> AdminPage.text(503, "not ready: warming up");
      case DRAINING -> AdminPage.text(503, "not ready: draining, since it was asked to stop");
    };
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
    return new AdminPage(200, METRICS.getContentType(), page.toString(UTF_8));
  }
}
