package dev.gatehouse.authz.certificate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import javax.security.auth.x500.X500Principal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SubjectsTest {
  @ParameterizedTest
  @CsvSource({
    "spiffe://corp/ns/shop,spiffe://corp/ns/shop,true",
    "spiffe://corp/ns/shop,spiffe://corp/ns/shop2,false",
    "spiffe://corp/ns/shop,spiffe://corp/ns/Shop,false",
    "spiffe://corp/ns/shop,spiffe://corp/ns/shop/x,false",
    "spiffe://corp/*,spiffe://corp/a,true",
    "spiffe://corp/*,spiffe://corp/a/b/c,true",
    "spiffe://corp/*,spiffe://corp,false",
    "spiffe://corp/*,spiffe://corp/,false",
    "spiffe://corp/*,spiffe://corpo/a,false",
    "spiffe://corp/*,spiffe://corp.evil/a,false",
    "spiffe://corp/*,spiffe://evil/spiffe://corp/a,false",
    "spiffe://corp/ns/*,spiffe://corp/nsx/a,false",
    "spiffe://corp/ns/*,spiffe://corp/ns/../admin,false",
    "spiffe://corp/ns/*,spiffe://corp/ns/./a,false",
    "spiffe://corp/ns/*,spiffe://corp/ns//a,false",
    "spiffe://corp/ns/*,spiffe://corp/ns/a/,false",
    "spiffe://corp/ns/*,spiffe://corp/ns/%2e%2e/a,false",
    "spiffe://corp/ns/*,spiffe://corp/ns/a?b,false",
    "spiffe://corp/ns/*,spiffe://corp/ns/a#b,false",
    "spiffe://corp/ns/*,spiffe://corp/ns/*,false",
    "https://corp.example/c/*,https://corp.example/c/7,true",
    "https://corp.example/c/*,https://corp.example.evil/c/7,false",
    "urn:uuid:f81d4fae,urn:uuid:f81d4fae,true"
  })
  void a_uri_is_whole_or_below_a_path(String wanted, String shown, boolean admitted) {
    assertThat(Subjects.of(List.of(wanted)).admit(who("CN=x", List.of(shown), List.of())))
        .isEqualTo(admitted);
  }

  @ParameterizedTest
  @CsvSource({
    "orders.corp.example,orders.corp.example,true",
    "orders.corp.example,ORDERS.Corp.Example,true",
    "Orders.corp.example,orders.corp.example,true",
    "orders.corp.example,xorders.corp.example,false",
    "orders.corp.example,orders.corp.example.evil,false",
    "*.corp.example,orders.corp.example,true",
    "*.corp.example,a_b.corp.example,true",
    "*.corp.example,a.b.corp.example,false",
    "*.corp.example,corp.example,false",
    "*.corp.example,.corp.example,false",
    "*.corp.example,*.corp.example,false",
    "*.corp.example,o*.corp.example,false",
    "*.corp.example,-a.corp.example,false",
    "*.corp.example,a-.corp.example,false",
    "*.corp.example,orders.corp.example.,false",
    "*.corp.example,orders.corp.exampleevil,false",
    "*.corp.example,evilcorp.example,false",
    "orders.corp.example,*.corp.example,false"
  })
  void a_dns_name_is_whole_or_one_label_below_another(
      String wanted, String shown, boolean admitted) {
    assertThat(Subjects.of(List.of(wanted)).admit(who("CN=x", List.of(), List.of(shown))))
        .isEqualTo(admitted);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "CN=orders,O=Corp | CN=orders,O=Corp | true",
        "cn=Orders, o=corp | CN=orders,O=Corp | true",
        "CN=orders,O=Corp | O=Corp,CN=orders | false",
        "CN=orders,O=Corp | CN=orders | false",
        "CN=orders | CN=orders,O=Corp | false",
        "CN=orders,O=Corp | CN=orders+O=Corp | false",
        "CN=orders,O=Corp | CN=orders\\,O\\=Corp | false",
        "CN=orders,O=Corp | CN=xorders,O=Corp | false"
      })
  void a_subject_is_the_whole_name_in_canonical_form(
      String wanted, String shown, boolean admitted) {
    assertThat(Subjects.of(List.of(wanted)).admit(who(shown, List.of(), List.of())))
        .isEqualTo(admitted);
  }

  @Test
  void the_common_name_is_no_dns_name_and_one_kind_of_name_is_not_another() {
    var who = who("CN=orders.corp.example", List.of("spiffe://corp/a"), List.of("b.example"));
    for (var wanted : new String[] {"orders.corp.example", "*.corp.example", "CN=b.example"}) {
      assertThat(Subjects.of(List.of(wanted)).admit(who)).as(wanted).isFalse();
    }
  }

  @Test
  void any_of_several_is_enough_and_none_at_all_admits_everybody() {
    var who = who("CN=x", List.of("spiffe://corp/a"), List.of("b.example"));
    assertThat(Subjects.of(List.of("CN=y", "b.example")).admit(who)).isTrue();
    assertThat(Subjects.of(List.of("CN=y", "c.example")).admit(who)).isFalse();
    assertThat(Subjects.of(List.of()).admit(who)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "*",
        "*.",
        "**.corp",
        "a.*.corp",
        "a*.corp",
        "*.*.corp",
        "corp.",
        "-a.corp",
        "a..b",
        "orders.corp.example:443",
        "ö.example",
        "spiffe://*",
        "spiffe://*/a",
        "spiffe://Corp/a",
        "spiffe://corp/",
        "spiffe://corp/a/",
        "spiffe://corp/a//b",
        "spiffe://corp/../b",
        "spiffe://corp/a*",
        "spiffe://corp/*/b",
        "spiffe://corp/**",
        "spiffe://corp:80/a",
        "SPIFFE://corp/a",
        "https://*",
        "https:///*",
        "CN=*",
        "=a",
        "XX=y"
      })
  void what_is_no_name_is_an_error_that_quotes_it(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Subjects.of(List.of(text)))
        .withMessageStartingWith("\"" + text + "\" (expected: ");
  }

  private static CertificateIdentity who(String subject, List<String> uris, List<String> dns) {
    return new CertificateIdentity(
        new X500Principal(subject), uris, dns, "1", "f", Pki.NOW, Pki.NOW);
  }
}
