package dev.gatehouse.ratelimit.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.source.PolicySource;
import dev.gatehouse.ratelimit.Shop;
import dev.gatehouse.ratelimit.config.yaml.YamlReader;
import dev.gatehouse.ratelimit.descriptor.Defaults;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.Match;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SourcesTest {
  private static final String RULE = "{limit: {requests: 5, unit: Second}}";

  @TempDir
  Path folder;

  private final List<String> events = new ArrayList<>();
  private PolicySource policies;
  private Sources sources;

  private void start(boolean mergeDomains) {
    policies = PolicySource.folders(List.of(folder), false);
    sources = Sources.of(policies, Defaults.REFERENCE, mergeDomains);
    sources.listen(new ConfigListener() {
      @Override
      public void inForce(LimitTree config, List<Problem> warnings) {
        events.add("in force: " + config.domains());
      }

      @Override
      public void refused(List<Problem> problems) {
        events.add("refused: " + problems.size());
      }
    });
    policies.start();
  }

  @AfterEach
  void close() {
    policies.close();
  }

  private void writePolicy(String rule) {
    write(Shop.yaml(rule));
  }

  private void write(String yaml) {
    try {
      Files.writeString(folder.resolve("shop.yaml"), yaml);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<String> offer(String yaml) {
    var problems = new Problems();
    var configs = YamlReader.read("limits.yaml", yaml, problems);
    return sources.offer(configs, problems).stream().map(Problem::toString).toList();
  }

  private static String domain(String name, int requests) {
    return "domain: " + name
        + "\ndescriptors: [{key: user, rate_limit: {unit: day, requests_per_unit: " + requests
        + "}}]\n";
  }

  private Match ask(String domain) {
    return ask(domain, "user", "alice");
  }

  private Match ask(String domain, String key, String value) {
    return sources
        .live()
        .current()
        .match(
            domain,
            RateLimitDescriptor.newBuilder()
                .addEntries(RateLimitDescriptor.Entry.newBuilder().setKey(key).setValue(value))
                .build());
  }

  private Long limitOf(Match match) {
    return match instanceof Match.Limited(var limit, var subject, var metric)
        ? limit.requests()
        : null;
  }

  @Test
  void the_policies_and_a_configuration_are_one_tree() {
    writePolicy(RULE);
    start(false);
    sources.expectConfig();

    assertThat(offer(domain("a", 7))).isEmpty();

    assertThat(limitOf(ask("a"))).isEqualTo(7);
    assertThat(ask(Shop.DOMAIN, Shop.ROUTE, Shop.ROUTE)).isInstanceOf(Match.Unlimited.class);
    assertThat(sources.live().current().domains()).contains("a", Shop.DOMAIN);
    assertThat(events).containsExactly("in force: [a]");
  }

  @Test
  void until_a_configuration_came_only_what_the_policies_have_is_known() {
    writePolicy(RULE);
    start(false);
    sources.expectConfig();

    assertThat(ask("a")).isEqualTo(Match.NotLoaded.NOT_LOADED);
    assertThat(ask(Shop.DOMAIN, Shop.ROUTE, Shop.ROUTE)).isInstanceOf(Match.Unlimited.class);
    assertThat(sources.loaded()).isFalse();
    assertThat(sources.hasDomains()).isFalse();

    offer(domain("b", 7));

    assertThat(ask("a")).isEqualTo(Match.Unknown.DOMAIN);
    assertThat(sources.loaded()).isTrue();
    assertThat(sources.hasDomains()).isTrue();
  }

  @Test
  void where_none_is_expected_nothing_is_missing() {
    start(false);

    assertThat(sources.loaded()).isTrue();
    assertThat(ask("a")).isEqualTo(Match.Unknown.DOMAIN);
  }

  @Test
  void the_first_that_comes_is_told_good_or_bad() {
    start(false);
    assertThat(sources.firstCame().toCompletableFuture()).isNotDone();

    offer("domain: ''\n");

    assertThat(sources.firstCame().toCompletableFuture()).isDone();
    assertThat(sources.hasDomains()).isFalse();
  }

  @Test
  void a_bad_configuration_leaves_the_whole_of_the_last_good_one() {
    start(false);
    sources.expectConfig();
    offer(domain("a", 7) + "---\n" + domain("b", 7));

    assertThat(offer(domain("a", 8) + "---\ndomain: b\ndescriptors: [{kye: x}]\n"))
        .containsExactly(
            "limits.yaml:5:16: descriptors[0].kye: unknown field (did you mean \"key\"?)");

    assertThat(limitOf(ask("a"))).isEqualTo(7);
    assertThat(limitOf(ask("b"))).isEqualTo(7);
    assertThat(events).hasSize(2).last().isEqualTo("refused: 1");
  }

  @Test
  void a_configuration_without_domains_takes_all_away() {
    start(false);
    sources.expectConfig();
    offer(domain("a", 7));

    assertThat(sources.offer(List.of(), new Problems())).isEmpty();

    assertThat(ask("a")).isEqualTo(Match.Unknown.DOMAIN);
    assertThat(sources.hasDomains()).isFalse();
    assertThat(sources.loaded()).isTrue();
  }

  @Test
  void a_changed_policy_leaves_the_configuration_as_it_is() {
    writePolicy(RULE);
    start(false);
    sources.expectConfig();
    offer(domain("a", 7));

    writePolicy("{limit: {requests: 6, unit: Second}}");
    policies.poll();

    assertThat(limitOf(ask("a"))).isEqualTo(7);
    assertThat(sources.live().current().limits())
        .anyMatch(limit -> limit.requests() == 6 && limit.origin().equals("shop/limits"));
  }

  @Test
  void a_domain_of_the_policies_is_refused_in_a_configuration() {
    writePolicy(RULE);
    start(false);
    sources.expectConfig();

    assertThat(offer(domain("a", 7) + "---\n" + domain(Shop.DOMAIN, 7)))
        .containsExactly(
            "limits.yaml:4:1: domain: \"shop/web/http\" is a domain of the policies too"
                + " (Gateway listeners give theirs); a domain has one source");
    assertThat(ask("a")).isEqualTo(Match.NotLoaded.NOT_LOADED);
  }

  @Test
  void a_configuration_that_was_refused_for_a_policys_sake_comes_into_force_when_that_is_gone() {
    writePolicy(RULE);
    start(false);
    sources.expectConfig();
    offer(domain(Shop.DOMAIN, 7));
    var before = sources.policies();

    write("");
    policies.poll();

    assertThat(limitOf(ask(Shop.DOMAIN))).isEqualTo(7);
    assertThat(events).containsExactly("refused: 1", "in force: [shop/web/http]");
    assertThat(sources.policies()).isNotSameAs(before);
  }

  @Test
  void a_configuration_that_could_not_be_read_whole_does_not_come_into_force_by_itself() {
    writePolicy(RULE);
    start(false);
    sources.expectConfig();
    offer(domain(Shop.DOMAIN, 7) + "---\ndomain: b\ndescriptors: [{kye: x}]\n");

    write("");
    policies.poll();

    assertThat(ask(Shop.DOMAIN)).isEqualTo(Match.NotLoaded.NOT_LOADED);
  }

  @Test
  void a_domain_of_the_configuration_is_refused_in_the_policies() {
    start(false);
    sources.expectConfig();
    offer(domain(Shop.DOMAIN, 7));

    writePolicy(RULE);
    policies.poll();

    assertThat(policies.inForce().current()).isFalse();
    assertThat(policies.inForce().problems())
        .extracting(Problem::toString)
        .containsExactly("the domain \"shop/web/http\" of the policies is in the configuration"
            + " limits.yaml too; a domain has one source");
    assertThat(limitOf(ask(Shop.DOMAIN))).isEqualTo(7);
  }

  @Test
  void parts_of_a_domain_are_merged_only_where_that_was_asked_for() {
    var parts =
        "domain: a\ndescriptors: [{key: one, rate_limit: {unit: day, requests_per_unit: 1}}]\n"
            + "---\ndomain: a\ndescriptors: [{key: two, rate_limit: {unit: day, requests_per_unit: 2}}]\n";
    start(true);

    assertThat(offer(parts)).isEmpty();
    assertThat(limitOf(ask("a", "one", "x"))).isEqualTo(1);
    assertThat(limitOf(ask("a", "two", "x"))).isEqualTo(2);
    policies.close();

    start(false);
    assertThat(offer(parts)).singleElement().asString().contains("MERGE_DOMAIN_CONFIG");
  }

  @Test
  void a_listener_that_fails_keeps_nothing_from_coming_into_force() {
    start(false);
    sources.listen(new ConfigListener() {
      @Override
      public void inForce(LimitTree config, List<Problem> warnings) {
        throw new IllegalStateException("boom");
      }

      @Override
      public void refused(List<Problem> problems) {
        throw new IllegalStateException("boom");
      }
    });

    assertThat(offer(domain("a", 7))).isEmpty();
    assertThat(limitOf(ask("a"))).isEqualTo(7);
  }
}
