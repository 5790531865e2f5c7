package dev.gatehouse.ratelimit;

import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.source.Live;
import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.ratelimit.config.ConfigListener;
import dev.gatehouse.ratelimit.config.Sources;
import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.MemoryCounterStore;
import dev.gatehouse.ratelimit.counter.OverLimitCache;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.LimitTreeCompiler;
import dev.gatehouse.ratelimit.redis.RedisCounterStore;
import dev.gatehouse.server.HttpPage;
import dev.gatehouse.server.Prebuilt;
import dev.gatehouse.server.Service;
import dev.gatehouse.server.ServiceContext;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitServiceGrpc;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The ratelimit service, composed on this screen. */
public final class RateLimit implements Service {
  private final RateLimitService service;
  private final CounterStore store;
  private final Preview preview;
  private final Live<LimitTree> limits;
  private final HealthSettings health;
  private final RateLimitStats stats;
  private final Map<String, HttpPage> pages;

  private RateLimit(
      Live<LimitTree> limits,
      CounterStore store,
      RateLimitSettings settings,
      ServiceContext context) {
    this.limits = limits;
    this.health = settings.health();
    this.store = store;
    var answers = new Answers(settings.answers());
    this.preview = new Preview(limits, store, answers);
    var local = store instanceof MemoryCounterStore memory
        ? memory
        : new MemoryCounterStore(context.clock(), settings.memoryCounters());
    local.register(context.metrics());
    this.stats = new RateLimitStats(limits, settings.stats(), settings.nearLimitRatio());
    this.service = new RateLimitService(
        limits,
        settings.overLimitCacheBytes() == 0
            ? store
            : new OverLimitCache(store, settings.overLimitCacheBytes()),
        new Fallback(local, settings.replicas()),
        answers,
        new Report(context.decisions(), context.metrics(), stats));
    this.pages = pages(limits, context);
  }

  private Map<String, HttpPage> pages(Live<LimitTree> limits, ServiceContext context) {
    var all = new LinkedHashMap<String, HttpPage>();
    all.put("/json", new JsonCalls(service::shouldRateLimit, context.loops().all()).page());
    all.put("/stats", HttpPage.of(stats::page));
    all.put("/rlconfig", HttpPage.of(() -> ConfigDump.page(limits.current())));
    return Collections.unmodifiableMap(all);
  }

  /** Registers its compiler with the policies; call before {@link PolicySource#start}. */
  public static RateLimit create(
      PolicySource policies, RateLimitSettings settings, ServiceContext context) {
    var service =
        create(policies.live(new LimitTreeCompiler(settings.limits())), settings, context);
    policies.onLoad(reload -> service.configLoaded(reload.inForce()));
    return service;
  }

  /** With the limits of the policies and of a configuration beside them. */
  public static RateLimit create(
      Sources sources, RateLimitSettings settings, ServiceContext context) {
    var service = create(sources.live(), settings, context);
    sources.listen(new ConfigListener() {
      @Override
      public void inForce(LimitTree config, List<Problem> warnings) {
        service.configLoaded(true);
      }

      @Override
      public void refused(List<Problem> problems) {
        service.configLoaded(false);
      }
    });
    return service;
  }

  /** With limits from elsewhere. */
  static RateLimit create(
      Live<LimitTree> limits, RateLimitSettings settings, ServiceContext context) {
    var store = settings.redis() == null
        ? new MemoryCounterStore(context.clock(), settings.memoryCounters())
        : RedisCounterStore.start(settings.redis(), context.loops().all(), context.clock());
    return new RateLimit(limits, store, settings, context);
  }

  /**
   * Told after each load of limits.
   *
   * @param inForce false if what was there before stays
   */
  public void configLoaded(boolean inForce) {
    stats.configLoaded(inForce);
  }

  /** Looks without counting. */
  public Preview preview() {
    return preview;
  }

  @Override
  public String name() {
    return "ratelimit";
  }

  @Override
  public ServerServiceDefinition definition() {
    var generated = RateLimitServiceGrpc.getServiceDescriptor();
    var method = Prebuilt.answering(RateLimitServiceGrpc.getShouldRateLimitMethod());
    var descriptor = ServiceDescriptor.newBuilder(generated.getName())
        .setSchemaDescriptor(generated.getSchemaDescriptor())
        .addMethod(method)
        .build();
    return ServerServiceDefinition.builder(descriptor)
        .addMethod(method, new UnaryCalls<>(service::shouldRateLimit))
        .build();
  }

  /** Counts in a domain that no policy can have: in the two ways that a store has, and in both at once. */
  @Override
  public List<WarmUpCall> warmUpCalls() {
    var descriptors = LimitTreeCompiler.WARM_UP.stream()
        .map(step -> RateLimitDescriptor.newBuilder()
            .addEntries(RateLimitDescriptor.Entry.newBuilder()
                .setKey(step.key())
                .setValue(String.valueOf(step.value())))
            .build())
        .toList();
    return Stream.of(List.of(descriptors.getFirst()), List.of(descriptors.getLast()), descriptors)
        .map(RateLimit::warmUpCall)
        .toList();
  }

  private static WarmUpCall warmUpCall(List<RateLimitDescriptor> descriptors) {
    var request = RateLimitRequest.newBuilder()
        .setDomain(LimitTreeCompiler.WARM_UP_DOMAIN)
        .addAllDescriptors(descriptors)
        .build();
    return new WarmUpCall(
        RateLimitServiceGrpc.getShouldRateLimitMethod().getFullMethodName(),
        List.of(request.toByteArray()));
  }

  @Override
  public void warmUp() {
    store.warmUp();
  }

  @Override
  public Map<String, HttpPage> pages() {
    return pages;
  }

  @Override
  public @Nullable String unhealthy() {
    if (health.withoutStore() && !store.available()) {
      return "the counters cannot be reached";
    }
    return health.withoutDomains() && !hasDomain(limits.current())
        ? "no configuration with a domain is loaded"
        : null;
  }

  private static boolean hasDomain(LimitTree tree) {
    return tree.domains().stream()
        .anyMatch(domain -> !domain.equals(LimitTreeCompiler.WARM_UP_DOMAIN));
  }

  @Override
  public String metrics() {
    return stats.prometheus();
  }

  @Override
  public void close() {
    stats.close();
    store.close();
  }
}
