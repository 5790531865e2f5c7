package dev.gatehouse.authz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.ObjectRef;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.SecurityPolicy;
import dev.gatehouse.policy.source.Load;
import dev.gatehouse.server.tls.ClientTls;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ProviderTlsTest {
  private static final Origin PLACE = new Origin("policies.yaml", 7, 3);
  private static X509Bundle ca;
  private static X509Bundle client;

  @BeforeAll
  static void make() throws Exception {
    ca = new CertificateBuilder()
        .subject("CN=ca")
        .setIsCertificateAuthority(true)
        .ecp256()
        .buildSelfSigned();
    client = new CertificateBuilder().subject("CN=client").ecp256().buildIssuedBy(ca);
  }

  @Test
  void nothing_said_means_the_systems_authorities() throws Exception {
    assertThat(ProviderTls.of(null, policies(""))).isEqualTo(ClientTls.SYSTEM);
    assertThat(ProviderTls.of(new SecurityPolicy.ProviderTls(null, null), policies("")))
        .isEqualTo(ClientTls.SYSTEM);
  }

  @Test
  void certificates_come_from_secrets_and_config_maps() throws Exception {
    var of = policies(map("ca", "ca.crt", ca.getCertificatePEM())
        + "---\n"
        + secret(
            "client",
            "tls.crt",
            client.getCertificatePathPEM(),
            "tls.key",
            client.getPrivateKeyPEM()));
    var tls = ProviderTls.of(
        new SecurityPolicy.ProviderTls(ref("ConfigMap", "ca"), ref("Secret", "client")), of);
    assertThat(tls.ca()).isNotNull();
    assertThat(tls.certificate()).isNotNull();
    assertThat(tls.key()).isNotNull();
    var fromSecret = policies(secret("ca", "ca.crt", ca.getCertificatePEM()));
    assertThat(ProviderTls.of(new SecurityPolicy.ProviderTls(ref("Secret", "ca"), null), fromSecret)
            .ca())
        .isNotNull();
  }

  @Test
  void what_cannot_be_read_is_said_with_field_and_place() {
    refused(
        policies(""),
        ref("Secret", "ca"),
        null,
        "caCertificateRefs[0]",
        "there is no Secret \"shop/ca\"");
    refused(
        policies(map("ca", "ca.pem", "x")),
        ref("ConfigMap", "ca"),
        null,
        "caCertificateRefs[0]",
        "ConfigMap \"shop/ca\" has the keys [ca.pem] (expected: ca.crt)");
    refused(
        policies(map("ca", "ca.crt", "x")),
        ref("ConfigMap", "ca"),
        null,
        "caCertificateRefs[0]",
        "ConfigMap \"shop/ca\": ca.crt: no certificate");
    refused(
        policies(secret("client", "tls.crt", client.getCertificatePathPEM())),
        null,
        ref("Secret", "client"),
        "clientCertificateRef",
        "Secret \"shop/client\" has the keys [tls.crt] (expected: tls.key)");
    refused(
        policies(secret(
            "client", "tls.crt", client.getCertificatePathPEM(), "tls.key", ca.getPrivateKeyPEM())),
        null,
        ref("Secret", "client"),
        "clientCertificateRef",
        "Secret \"shop/client\": tls.key: not the key of the certificate in Secret \"shop/client\": tls.crt");
  }

  private static void refused(
      PolicySet policies,
      @Nullable ObjectRef ca,
      @Nullable ObjectRef client,
      String field,
      String message) {
    var error = catchThrowableOfType(
        ProviderTls.Unusable.class,
        () -> ProviderTls.of(new SecurityPolicy.ProviderTls(ca, client), policies));
    assertThat(error).hasMessageContaining(message);
    assertThat(error.field()).isEqualTo(field);
    assertThat(error.origin()).isEqualTo(PLACE);
  }

  private static ObjectRef ref(String kind, String name) {
    return new ObjectRef("", kind, "shop", name, PLACE);
  }

  private static PolicySet policies(String yaml) {
    var load = Load.text("policies.yaml", yaml);
    assertThat(load.problems().all()).isEmpty();
    return load.policies();
  }

  private static String map(String name, String... data) {
    return object("ConfigMap", "data", name, data);
  }

  private static String secret(String name, String... data) {
    return object("Secret", "stringData", name, data);
  }

  private static String object(String kind, String field, String name, String... data) {
    var yaml = new StringBuilder("apiVersion: v1\nkind: " + kind + "\nmetadata: {name: " + name
        + ", namespace: shop}\n" + field + ":\n");
    for (int i = 0; i < data.length; i += 2) {
      yaml.append("  ").append(data[i]).append(": |\n").append(data[i + 1].indent(4));
    }
    return yaml.toString();
  }
}
