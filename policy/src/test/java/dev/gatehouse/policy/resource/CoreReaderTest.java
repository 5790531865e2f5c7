package dev.gatehouse.policy.resource;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CoreReaderTest {
  private static final String SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n";
  private static final String BACKEND =
      "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: b}\nspec: ";

  @Test
  void a_secrets_data_is_decoded_and_its_string_data_laid_over_it() {
    var secret = Read.of(
            SECRET
                + "type: Opaque\nimmutable: true\ndata:\n  a: MQ==\n  b: |\n    Mg\n    ==\nstringData: {a: three}\n")
        .only(Secret.class);

    assertThat(new String(secret.data().get("a"), UTF_8)).isEqualTo("three");
    assertThat(new String(secret.data().get("b"), UTF_8)).isEqualTo("2");
    assertThat(secret).hasToString("Secret default/s[a, b]");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "data: {k: hunter2!}",
        "data: {k: 31337}",
        "stringData: {k: {hunter2: 1}}",
        "stringData: [hunter2]",
        "type: 31337",
        "stringData: {k: true}",
        "data: hunter2"
      })
  void no_value_of_a_secret_is_in_an_error(String field) {
    var read = Read.of(SECRET + field + "\n");

    assertThat(read.problems())
        .isNotEmpty()
        .noneMatch(p -> p.contains("hunter2") || p.contains("31337"));
    assertThat(read.resources()).isEmpty();
  }

  @Test
  void a_config_map_holds_texts() {
    assertThat(Read.of(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: '{}', empty: ''}\n")
            .only(ConfigMap.class)
            .data())
        .containsEntry("k", "{}")
        .containsEntry("empty", "");
    assertThat(Read.of("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: 1}\n")
            .problems())
        .containsExactly("p.yaml:4:8: data[k]: expected a text, got a number: put it in quotes");
  }

  @Test
  void a_backends_endpoints_are_read() {
    var backend = Read.of(
            BACKEND
                + "{endpoints: [{ip: {address: '::1', port: 1}}, {fqdn: {hostname: a.example.com, port: 2}}, {unix: {path: /run/a.sock}}]}\n")
        .only(Backend.class);

    assertThat(backend.endpoints())
        .containsExactly(
            new Backend.Ip("::1", 1),
            new Backend.Fqdn("a.example.com", 2),
            new Backend.Unix("/run/a.sock"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{endpoints: []} | has no endpoints",
        "{endpoints: [{}]} | expected exactly one of ip, fqdn and unix",
        "{endpoints: [{ip: {address: localhost, port: 1}}]} | \"localhost\" is not an IP address",
        "{endpoints: [{ip: {address: 10.0.0.256, port: 1}}]} | \"10.0.0.256\" is not an IP address",
        "{endpoints: [{ip: {address: 10.0.0.1, port: 0}}]} | \"0\" is out of range",
        "{type: DynamicResolver} | \"DynamicResolver\" is not one of Endpoints",
        "{tls: {}, endpoints: [{unix: {path: /a}}]} | spec.tls: not supported yet",
      })
  void a_backend_that_cannot_be_honoured_is_not_in_force(String spec, String message) {
    var read = Read.of(BACKEND + spec + "\n");

    assertThat(read.problems()).anySatisfy(problem -> assertThat(problem).contains(message));
    assertThat(read.resources()).isEmpty();
  }

  @Test
  void a_reference_grant_is_read() {
    var grant = Read.of("""
        apiVersion: gateway.networking.k8s.io/v1beta1
        kind: ReferenceGrant
        metadata: {name: g, namespace: certs}
        spec:
          from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: shop}]
          to: [{group: "", kind: Secret, name: cert}, {group: "", kind: ConfigMap}]
        """).only(ReferenceGrant.class);

    assertThat(grant.from())
        .containsExactly(new ReferenceGrant.From("gateway.networking.k8s.io", "Gateway", "shop"));
    assertThat(grant.to())
        .containsExactly(
            new ReferenceGrant.To("", "Secret", "cert"),
            new ReferenceGrant.To("", "ConfigMap", null));
  }
}
