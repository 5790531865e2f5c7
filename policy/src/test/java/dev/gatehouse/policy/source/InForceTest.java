package dev.gatehouse.policy.source;

import static dev.gatehouse.policy.source.LoadTest.JWT;
import static dev.gatehouse.policy.source.LoadTest.SHOP;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

class InForceTest {
  private static final String SECRET =
      "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: hunter2}\n";
  private static final String KEYS =
      "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: keys}\ndata: {jwks: '{\"keys\":[\"hunter3\"]}'}\n";

  @TempDir
  Path folder;

  @Test
  void it_names_what_is_in_force_and_what_is_wrong_and_holds_no_content() throws IOException {
    Files.writeString(
        folder.resolve("shop.yaml"),
        SHOP + "---\n" + JWT + SECRET + KEYS + "---\n{apiVersion: apps/v1, kind: Deployment}\n");
    try (var source = PolicySource.folders(List.of(folder), false)) {
      source.start();

      var text = source.inForce().json();
      var json = JsonMapper.builder().build().readTree(text);

      assertThat(text).doesNotContain("hunter2", "hunter3", "idp.example.com");
      assertThat(json.at("/current").asBoolean()).isTrue();
      assertThat(json.at("/since").asString())
          .isEqualTo(source.inForce().since().toString());
      assertThat(json.at("/resources").propertyNames())
          .containsExactly(
              "Backend", "ConfigMap", "Gateway", "HTTPRoute", "Secret", "SecurityPolicy");
      assertThat(json.at("/resources/HTTPRoute/0/name").asString()).isEqualTo("shop/orders");
      assertThat(json.at("/resources/HTTPRoute/0/at").asString()).endsWith("shop.yaml:9:1");
      assertThat(json.at("/rules/0/listener").asString()).isEqualTo("shop/shop/http");
      assertThat(json.at("/rules/0/route").asString()).isEqualTo("HTTPRoute/shop/orders/read");
      assertThat(json.at("/rules/0/security/policy").asString())
          .isEqualTo("SecurityPolicy shop/orders");
      assertThat(json.at("/rules/0/guarded").asBoolean()).isTrue();
      assertThat(json.at("/rules/0/security/rejected").asBoolean()).isFalse();
      assertThat(json.at("/rules/0/traffic").isNull()).isTrue();
      assertThat(json.at("/problems/0/severity").asString()).isEqualTo("notice");
      assertThat(json.at("/problems/0/message").asString())
          .startsWith("skipped: Gatehouse does not read Deployment");
    }
  }
}
