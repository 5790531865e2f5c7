package dev.gatehouse.ratelimit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.policy.source.Live;
import dev.gatehouse.ratelimit.descriptor.Defaults;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.LimitTreeCompiler;
import dev.gatehouse.ratelimit.descriptor.Step;
import dev.gatehouse.ratelimit.descriptor.Unit;
import dev.gatehouse.ratelimit.descriptor.Window;
import dev.gatehouse.ratelimit.stats.StatsSettings;
import dev.gatehouse.server.AdminPage;
import dev.gatehouse.server.DecisionListener;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.server.HttpPage;
import dev.gatehouse.server.ServiceContext;
import dev.gatehouse.testkit.FakeClock;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** {@code /json}, {@code /stats} and {@code /rlconfig}, and what the statistics say of the calls. */
final class RateLimitPagesTest {
  private static final String ADA =
      "{\"domain\":\"shop\",\"descriptors\":[{\"entries\":[{\"key\":\"user\",\"value\":\"ada\"}]}]}";

  private final EventLoops loops = EventLoops.start(2);
  private final List<AutoCloseable> running = new ArrayList<>();
  private final Live<LimitTree> limits = new Live<>(shop(5));

  @AfterEach
  void stop() throws Exception {
    for (var part : running) {
      part.close();
    }
    loops.close();
  }

  @Test
  void json_is_counted_and_answered_as_protobuf_writes_it() throws Exception {
    var service = start(RateLimitSettings.defaults());
    var first = post(service, ADA);
    assertThat(first.status()).isEqualTo(200);
    assertThat(first.body())
        .isEqualTo(
            "{\"overallCode\":\"OK\",\"statuses\":[{\"code\":\"OK\",\"currentLimit\":{\"requestsPerUnit\":5,\"unit\":\"HOUR\"},\"limitRemaining\":4,\"durationUntilReset\":\"3600s\"}]}");
    for (int i = 0; i < 4; i++) {
      assertThat(post(service, ADA).status()).isEqualTo(200);
    }
    assertThat(post(service, ADA).status()).isEqualTo(429);
  }

  @Test
  void what_is_no_request_is_400_and_says_why() throws Exception {
    var service = start(RateLimitSettings.defaults());
    assertThat(post(service, "{\"domain\":")).satisfies(RateLimitPagesTest::isRefused);
    assertThat(post(service, "[]")).satisfies(RateLimitPagesTest::isRefused);
    assertThat(post(service, "{\"domain\":\"shop\",\"descriptor\":[]}"))
        .satisfies(RateLimitPagesTest::isRefused)
        .satisfies(page -> assertThat(page.body()).contains("descriptor"));
    assertThat(post(service, "{\"domain\":\"\",\"descriptors\":[{}]}").body())
        .isEqualTo("rate limit domain must not be empty\n");
    assertThat(post(service, "{\"domain\":\"shop\"}").body())
        .isEqualTo("rate limit descriptor list must not be empty\n");
  }

  private static void isRefused(AdminPage page) {
    assertThat(page.status()).isEqualTo(400);
  }

  @Test
  void a_store_that_is_not_there_is_400_as_the_reference_answers_and_an_error_in_the_statistics()
      throws Exception {
    var service =
        start(RateLimitSettings.of("redis://127.0.0.1:1", java.time.Duration.ofMillis(10), ""));
    assertThat(post(service, ADA).status()).isEqualTo(400);
    await()
        .untilAsserted(() -> assertThat(stats(service))
            .contains(
                "ratelimit.service.call.should_rate_limit.redis_error: 1",
                "ratelimit.service.rate_limit.shop.user.total_hits: 1",
                "ratelimit.service.rate_limit.shop.user.within_limit: 0",
                "ratelimit_server.ShouldRateLimit.total_requests: 1"));
  }

  @Test
  void the_statistics_tell_of_hits_and_not_of_the_warm_up() throws Exception {
    var service = start(RateLimitSettings.defaults());
    for (int i = 0; i < 6; i++) {
      post(service, ADA);
    }
    post(service, ADA.replace("shop", "nowhere"));
    post(service, "{\"domain\":\"shop\"}");
    post(
        service,
        "{\"domain\":\"" + LimitTreeCompiler.WARM_UP_DOMAIN
            + "\",\"descriptors\":[{\"entries\":[{\"key\":\"warm-up\",\"value\":\"counted\"}]}]}");
    await()
        .untilAsserted(() -> assertThat(stats(service))
            .contains(
                "ratelimit.service.rate_limit.shop.user.total_hits: 6",
                "ratelimit.service.rate_limit.shop.user.within_limit: 5",
                "ratelimit.service.rate_limit.shop.user.over_limit: 1",
                "ratelimit.service.rate_limit.shop.user.near_limit: 1",
                "ratelimit.service.rate_limit.nowhere.domain_not_found: 1",
                "ratelimit.service.call.should_rate_limit.service_error: 1",
                "ratelimit_server.ShouldRateLimit.total_requests: 8")
            .noneMatch(line -> line.contains("warm-up")));
    assertThat(service.metrics())
        .contains("ratelimit_service_rate_limit_over_limit{domain=\"shop\",key1=\"user\"} 1\n");
  }

  @Test
  void what_shadow_mode_let_pass_is_counted() throws Exception {
    var usual = RateLimitSettings.defaults();
    var service = start(new RateLimitSettings(
        null,
        usual.limits(),
        new AnswerSettings(null, false, true, false),
        usual.nearLimitRatio(),
        usual.overLimitCacheBytes(),
        usual.replicas(),
        usual.memoryCounters(),
        usual.stats(),
        usual.health()));
    for (int i = 0; i < 7; i++) {
      assertThat(post(service, ADA).status()).isEqualTo(200);
    }
    await()
        .untilAsserted(
            () -> assertThat(stats(service)).contains("ratelimit.service.global_shadow_mode: 2"));
  }

  @Test
  void a_limit_that_goes_takes_its_statistics_along() throws Exception {
    var service = start(RateLimitSettings.defaults());
    var hits = "ratelimit.service.rate_limit.shop.user.total_hits: ";
    await().until(() -> stats(service).contains(hits + 0));
    post(service, ADA);
    await().until(() -> stats(service).contains(hits + 1));
    limits.swap(LimitTree.EMPTY);
    await().until(() -> stats(service).stream().noneMatch(line -> line.contains("shop.user")));
  }

  @Test
  void statistics_that_are_off_cost_and_tell_nothing() throws Exception {
    var usual = RateLimitSettings.defaults();
    var off = StatsSettings.defaults();
    var service = start(new RateLimitSettings(
        null,
        usual.limits(),
        usual.answers(),
        usual.nearLimitRatio(),
        usual.overLimitCacheBytes(),
        usual.replicas(),
        usual.memoryCounters(),
        new StatsSettings(false, off.maxKeys(), off.mapping(), off.tags(), null),
        usual.health()));
    post(service, ADA);
    assertThat(service.metrics()).isEmpty();
    assertThat(stats(service)).containsExactly("statistics are off (DISABLE_STATS)");
  }

  @Test
  void the_configuration_in_force_is_a_line_a_limit() throws Exception {
    var service = start(RateLimitSettings.defaults());
    assertThat(shown(service, "/rlconfig"))
        .isEqualTo(
            "shop.user: unit=HOUR requests_per_unit=5, shadow_mode: false, quota_mode: false\n");
    limits.swap(shop(7));
    assertThat(shown(service, "/rlconfig")).contains("requests_per_unit=7");
  }

  @Test
  void a_service_may_be_unhealthy_without_its_store_or_its_configuration() {
    var usual = RateLimitSettings.of("redis://127.0.0.1:1", java.time.Duration.ofMillis(10), "");
    var service = start(new RateLimitSettings(
        usual.redis(),
        usual.limits(),
        usual.answers(),
        usual.nearLimitRatio(),
        usual.overLimitCacheBytes(),
        usual.replicas(),
        usual.memoryCounters(),
        usual.stats(),
        new HealthSettings(true, false)));
    assertThat(service.unhealthy()).isEqualTo("the counters cannot be reached");
    var counting = RateLimitSettings.defaults();
    var configured = start(new RateLimitSettings(
        null,
        counting.limits(),
        counting.answers(),
        counting.nearLimitRatio(),
        counting.overLimitCacheBytes(),
        counting.replicas(),
        counting.memoryCounters(),
        counting.stats(),
        new HealthSettings(true, true)));
    assertThat(configured.unhealthy()).isNull();
    limits.swap(LimitTree.EMPTY);
    assertThat(configured.unhealthy()).isEqualTo("no configuration with a domain is loaded");
  }

  private RateLimit start(RateLimitSettings settings) {
    var service = RateLimit.create(
        limits,
        settings,
        new ServiceContext(
            loops, new PrometheusRegistry(), DecisionListener.NONE, new FakeClock()));
    running.add(service);
    return service;
  }

  private static LimitTree shop(long requests) {
    var tree = new LimitTree.Builder();
    tree.limit(
        "shop",
        List.of(new Step("user", null)),
        Defaults.REFERENCE.terms(requests, Window.of(Unit.HOUR), "shop").build());
    return tree.build();
  }

  private static AdminPage post(RateLimit service, String json) throws Exception {
    var page = (HttpPage.Posted) Objects.requireNonNull(service.pages().get("/json"));
    var answer = new CompletableFuture<AdminPage>();
    page.handler().posted(json.getBytes(UTF_8), answer::complete);
    return answer.get(10, TimeUnit.SECONDS);
  }

  private static List<String> stats(RateLimit service) {
    return shown(service, "/stats").lines().toList();
  }

  private static String shown(RateLimit service, String path) {
    var page = (HttpPage.Shown) Objects.requireNonNull(service.pages().get(path));
    return page.page().get().body();
  }
}
