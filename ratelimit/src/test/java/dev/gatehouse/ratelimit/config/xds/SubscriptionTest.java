package dev.gatehouse.ratelimit.config.xds;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import dev.gatehouse.envoy.ratelimit.config.v3.RateLimitConfig;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SubscriptionTest {
  private static final XdsSettings SETTINGS = new XdsSettings(
      "localhost:18000",
      "envoy-ratelimit",
      Map.of("zone", "a"),
      Map.of(),
      Duration.ofSeconds(3),
      XdsSettings.Retry.DEFAULT,
      XdsSettings.DEFAULT_MAX_MESSAGE_BYTES,
      null);

  private final List<String> arrived = new ArrayList<>();
  private List<String> wrong = List.of();
  private final Subscription subscription = new Subscription(SETTINGS, (version, resources) -> {
    arrived.add(version);
    return wrong;
  });

  private static Any domain(String name) {
    return Any.pack(RateLimitConfig.newBuilder().setName(name).setDomain(name).build());
  }

  private DiscoveryRequest answer(String version, String nonce, Any... resources) {
    return subscription.answer(DiscoveryResponse.newBuilder()
        .setTypeUrl(Subscription.TYPE_URL)
        .setVersionInfo(version)
        .setNonce(nonce)
        .addAllResources(List.of(resources))
        .build());
  }

  @Test
  void the_first_request_asks_for_everything_of_the_type_and_says_who_asks() {
    var first = subscription.first();

    assertThat(first.getTypeUrl())
        .isEqualTo("type.googleapis.com/ratelimit.config.ratelimit.v3.RateLimitConfig");
    assertThat(first.getResourceNamesList()).isEmpty();
    assertThat(first.getNode().getId()).isEqualTo("envoy-ratelimit");
    assertThat(first.getNode().getMetadata().getFieldsOrThrow("zone").getStringValue())
        .isEqualTo("a");
    assertThat(first.getVersionInfo()).isEmpty();
    assertThat(first.getResponseNonce()).isEmpty();
  }

  @Test
  void what_is_in_force_is_acknowledged_with_its_version_and_nonce() {
    var ack = answer("7", "n1", domain("shop"));

    assertThat(arrived).containsExactly("7");
    assertThat(ack.hasErrorDetail()).isFalse();
    assertThat(ack.getVersionInfo()).isEqualTo("7");
    assertThat(ack.getResponseNonce()).isEqualTo("n1");
    assertThat(ack.getNode().getId()).isEqualTo("envoy-ratelimit");
  }

  @Test
  void a_refusal_names_the_version_that_stays_and_everything_that_is_wrong() {
    answer("7", "n1", domain("shop"));
    wrong = List.of("domain shop: first", "domain shop: second");

    var nack = answer("8", "n2", domain("shop"), domain("shop"), domain("more"));

    assertThat(nack.getVersionInfo()).isEqualTo("7");
    assertThat(nack.getResponseNonce()).isEqualTo("n2");
    assertThat(nack.getErrorDetail().getCode()).isEqualTo(3);
    assertThat(nack.getErrorDetail().getMessage())
        .isEqualTo("domain shop: first\ndomain shop: second");
  }

  @Test
  void a_refusal_of_the_very_first_version_names_none() {
    wrong = List.of("wrong");

    assertThat(answer("1", "n1", domain("shop")).getVersionInfo()).isEmpty();
  }

  @Test
  void the_same_resources_in_any_order_are_acknowledged_and_put_in_force_once() {
    answer("7", "n1", domain("a"), domain("b"));

    var again = answer("8", "n2", domain("b"), domain("a"));

    assertThat(arrived).containsExactly("7");
    assertThat(again.getVersionInfo()).isEqualTo("8");
    assertThat(again.hasErrorDetail()).isFalse();
  }

  @Test
  void what_was_refused_is_refused_again_without_being_read_again() {
    wrong = List.of("wrong");
    answer("7", "n1", domain("a"));
    wrong = List.of("never asked");

    assertThat(answer("7", "n2", domain("a")).getErrorDetail().getMessage()).isEqualTo("wrong");
    assertThat(arrived).containsExactly("7");
  }

  @Test
  void what_was_refused_is_read_again_after_something_else_was_in_force() {
    wrong = List.of("wrong");
    answer("7", "n1", domain("a"));
    wrong = List.of();
    answer("8", "n2", domain("b"));

    assertThat(answer("9", "n3", domain("a")).hasErrorDetail()).isFalse();
    assertThat(arrived).containsExactly("7", "8", "9");
  }

  @Test
  void no_resources_are_a_configuration_too() {
    answer("7", "n1", domain("a"));

    assertThat(answer("8", "n2").getVersionInfo()).isEqualTo("8");
    assertThat(arrived).containsExactly("7", "8");
  }

  @Test
  void another_type_is_refused() {
    var nack = subscription.answer(DiscoveryResponse.newBuilder()
        .setTypeUrl("type.googleapis.com/envoy.config.cluster.v3.Cluster")
        .setNonce("n")
        .build());

    assertThat(nack.getErrorDetail().getMessage())
        .isEqualTo("type_url: \"type.googleapis.com/envoy.config.cluster.v3.Cluster\" was not asked"
            + " for (expected: type.googleapis.com/ratelimit.config.ratelimit.v3.RateLimitConfig)");
    assertThat(nack.getTypeUrl()).isEqualTo(Subscription.TYPE_URL);
    assertThat(arrived).isEmpty();
  }

  @Test
  void a_fault_of_ours_is_a_refusal() {
    var failing = new Subscription(SETTINGS, (version, resources) -> {
      throw new IllegalStateException("boom");
    });

    var nack = failing.answer(
        DiscoveryResponse.newBuilder().setNonce("n").addResources(domain("a")).build());

    assertThat(nack.getErrorDetail().getMessage())
        .contains("a fault of Gatehouse", "IllegalStateException")
        .doesNotContain("boom");
  }

  @Test
  void a_long_list_of_errors_is_cut() {
    wrong = List.of("x".repeat(100_000));

    assertThat(answer("1", "n", domain("a")).getErrorDetail().getMessage())
        .hasSize(16_001)
        .endsWith("…");
  }
}
