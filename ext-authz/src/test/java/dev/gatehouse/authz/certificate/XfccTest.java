package dev.gatehouse.authz.certificate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.gatehouse.authz.certificate.Xfcc.Key;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class XfccTest {
  @Test
  void what_envoys_write_is_read() throws BadCertificate {
    var elements = Xfcc.parse("By=http://frontend.lyft.com;Hash=468ed33be74eee6556d90c0149c1309e;"
        + "Subject=\"/C=US/ST=CA/L=San Francisco/OU=Lyft/CN=Test Client\";URI=http://a.example?x=y,"
        + "By=spiffe://corp/a;By=spiffe://corp/b;Hash=9b;Cert=\"-----BEGIN%20\";Subject=\"\";URI=;"
        + "DNS=a.example;dns=b.example;CHAIN=\"x\"");
    assertThat(elements).hasSize(2);
    assertThat(elements.getFirst().only(Key.SUBJECT))
        .isEqualTo("/C=US/ST=CA/L=San Francisco/OU=Lyft/CN=Test Client");
    assertThat(elements.getFirst().only(Key.URI)).isEqualTo("http://a.example?x=y");
    assertThat(elements.getFirst().only(Key.CERT)).isNull();
    var last = elements.getLast();
    assertThat(last.all(Key.BY)).containsExactly("spiffe://corp/a", "spiffe://corp/b");
    assertThat(last.all(Key.DNS)).containsExactly("a.example", "b.example");
    assertThat(last.only(Key.HASH)).isEqualTo("9b");
    assertThat(last.only(Key.CERT)).isEqualTo("-----BEGIN%20");
    assertThat(last.only(Key.CHAIN)).isEqualTo("x");
    assertThat(last.only(Key.SUBJECT)).isEmpty();
    assertThat(last.only(Key.URI)).isEmpty();
  }

  @Test
  void separators_in_quotes_separate_nothing_and_a_backslash_takes_a_quotes_meaning_away()
      throws BadCertificate {
    var one = Xfcc.parse("Subject=\"CN=a\\\",O=\\\\\";Hash=1").getFirst();
    assertThat(one.only(Key.SUBJECT)).isEqualTo("CN=a\",O=\\");
    assertThat(one.only(Key.HASH)).isEqualTo("1");
    assertThat(Xfcc.parse("Subject=\"CN=a\\,b;Cert=\\\"x,Hash=2\""))
        .singleElement()
        .satisfies(e -> {
          assertThat(e.only(Key.SUBJECT)).isEqualTo("CN=a\\,b;Cert=\"x,Hash=2");
          assertThat(e.only(Key.CERT)).isNull();
        });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ",",
        "Hash=1,",
        ",Hash=1",
        "Hash=1,,Hash=2",
        ";",
        "Hash=1;",
        "Hash",
        "=1",
        "Hash =1",
        " Hash=1",
        "Hash=1, Hash=2",
        "Hash=1;Hash=2",
        "Hash=1;hash=1",
        "Cert=\"a\";CERT=\"a\"",
        "Chain=a;Chain=a",
        "Subject=\"a\";Subject=\"a\"",
        "Cert=\"a",
        "Cert=\"a\\\"",
        "Cert=\"a\\",
        "Cert=\"",
        "Cert=\"a\"b",
        "Cert=\"a\" ;Hash=1",
        "Cert=a\"b\"",
        "URI=a b",
        "Foo=1",
        "Cert;Hash=1",
        "Hash=1\r\n",
        "Hash=\u00e4",
        "Hash=\u0000",
        "Hash=\u007f",
        "Hasħ=1"
      })
  void what_is_not_in_this_form_is_refused(String header) {
    assertThatExceptionOfType(BadCertificate.class).isThrownBy(() -> Xfcc.parse(header));
  }

  @Test
  void sizes_are_bounded() throws BadCertificate {
    assertThat(Xfcc.parse("Hash=1" + ",Hash=1".repeat(15))).hasSize(16);
    assertThat(Xfcc.parse("URI=1" + ";URI=1".repeat(127))).hasSize(1);
    for (var header : new String[] {
      "Hash=1" + ",Hash=1".repeat(16),
      "URI=1" + ";URI=1".repeat(128),
      "Hash=" + "1".repeat(Xfcc.MAX_CHARS)
    }) {
      assertThatExceptionOfType(BadCertificate.class).isThrownBy(() -> Xfcc.parse(header));
    }
  }

  @Test
  void whatever_comes_is_read_or_refused() {
    var pieces = new String[] {
      "By=",
      "Hash=",
      "Cert=",
      "Chain=",
      "Subject=",
      "URI=",
      "DNS=",
      "\"",
      "\\",
      "\\\"",
      ",",
      ";",
      "=",
      "a",
      " ",
      "%0A",
      "ä"
    };
    var random = new Random(4);
    int read = 0;
    for (int i = 0; i < 100_000; i++) {
      var header = new StringBuilder();
      for (int n = random.nextInt(10); n >= 0; n--) {
        header.append(pieces[random.nextInt(pieces.length)]);
      }
      try {
        assertThat(Xfcc.parse(header.toString())).isNotEmpty();
        read++;
      } catch (BadCertificate e) {
        assertThat(e.getMessage()).startsWith("x-forwarded-client-cert ");
      }
    }
    assertThat(read).isGreaterThan(100);
  }
}
