package dev.gatehouse.policy.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.gatehouse.policy.resource.Policy;
import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.RejectedPolicy;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Policies as Envoy Gateway's end-to-end tests apply them. The files are not ours: {@code -Dgatehouse.data=FOLDER} says where they are. */
class EnvoyGatewaySamplesTest {
  private Path samples = Path.of("");

  @BeforeEach
  void find() {
    var data = System.getProperty("gatehouse.data", "");
    if (!data.isEmpty()) {
      samples = Path.of(data, "envoy-gateway", "policies");
      return;
    }
    var left =
        "Envoy Gateway's sample policies are not read: say where they are with -Dgatehouse.data=FOLDER";
    assertThat(System.getenv("CI")).as(left).isNotEqualTo("true");
    System.err.println("Left out: " + left);
    abort(left);
  }

  private Load load(String name) {
    return Load.folders(List.of(samples.resolve(name)));
  }

  private static List<String> errors(Load load) {
    return load.problems().all().stream()
        .filter(p -> p.severity() == Problem.Severity.ERROR)
        .map(p -> p.path() + ": " + p.message().replaceFirst("[;:].*", ""))
        .distinct()
        .toList();
  }

  private static List<String> rejected(Load load) {
    return load.policies().policies().stream()
        .filter(RejectedPolicy.class::isInstance)
        .map(Policy::meta)
        .map(meta -> meta.name())
        .toList();
  }

  @Test
  void those_with_supported_fields_are_read_without_error() {
    for (var name : List.of(
        "api-key-auth",
        "authorization-jwt",
        "basic-auth",
        "ext-auth-grpc-securitypolicy",
        "ext-proc-envoyextensionpolicy",
        "ratelimit-cidr-match",
        "ratelimit-header-match",
        "ratelimit-usage-ratelimit")) {
      var load = load(name + ".yaml");

      assertThat(errors(load)).as(name).isEmpty();
      assertThat(rejected(load)).as(name).isEmpty();
      assertThat(load.policies().policies()).as(name).isNotEmpty();
    }
  }

  @Test
  void recompute_route_is_refused() {
    assertThat(errors(load("jwt.yaml")))
        .containsExactly("spec.jwt.providers[0].recomputeRoute: never honoured");
    assertThat(rejected(load("jwt.yaml"))).containsExactly("jwt-example");
  }
}
