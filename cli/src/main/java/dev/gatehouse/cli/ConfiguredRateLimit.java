package dev.gatehouse.cli;

import dev.gatehouse.cli.reference.ReferenceConfiguration;
import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.ratelimit.RateLimit;
import dev.gatehouse.ratelimit.RateLimitSettings;
import dev.gatehouse.ratelimit.config.Sources;
import dev.gatehouse.server.Delegating;
import dev.gatehouse.server.ServiceContext;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The ratelimit service with the reference's configuration beside the policies: it begins to load when the addresses are bound. */
final class ConfiguredRateLimit extends Delegating {
  private static final Logger LOG = LoggerFactory.getLogger("dev.gatehouse");

  private final Sources sources;
  private final ReferenceConfiguration configuration;
  private final boolean waits;
  private @Nullable AutoCloseable loading;

  private ConfiguredRateLimit(
      RateLimit service, Sources sources, ReferenceConfiguration configuration, boolean waits) {
    super(service);
    this.sources = sources;
    this.configuration = configuration;
    this.waits = waits;
  }

  /**
   * @param mergeDomains several configurations may say parts of one domain
   * @param waits not ready before the first configuration has come, good or bad; else requests are answered with an error until then
   */
  static ConfiguredRateLimit create(
      PolicySource policies,
      ReferenceConfiguration configuration,
      boolean mergeDomains,
      boolean waits,
      RateLimitSettings settings,
      ServiceContext context) {
    var sources = Sources.of(policies, settings.limits(), mergeDomains);
    var service = RateLimit.create(sources, settings, context);
    return new ConfiguredRateLimit(service, sources, configuration, waits);
  }

  /** On an ordinary thread, after binding: a probe hears meanwhile that the service is not ready. */
  @Override
  public void warmUp() {
    loading = configuration.start(sources);
    if (waits) {
      awaitFirst();
    }
    super.warmUp();
  }

  private void awaitFirst() {
    var came = new CountDownLatch(1);
    var _ = sources.firstCame().thenRun(came::countDown);
    if (came.getCount() > 0) {
      LOG.info("waiting for the first configuration");
    }
    try {
      came.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    if (loading != null) {
      try {
        loading.close();
      } catch (Exception e) {
        LOG.error("the configuration's source was not closed", e);
      }
    }
    super.close();
  }
}
