package dev.gatehouse.authz.basic;

import static java.util.regex.Pattern.quote;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BasicCredentialTest {
  static BasicCredential of(String user, String password) {
    try {
      var read = BasicCredential.read(bytes("Basic " + base64(bytes(user + ":" + password))));
      assertThat(read).isNotNull();
      return read;
    } catch (BadCredential e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void the_example_of_the_rfc_is_read() throws BadCredential {
    var read = BasicCredential.read(bytes("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    assertThat(read).isNotNull();
    assertThat(read.user()).isEqualTo("Aladdin");
    assertThat(read.password()).asString().isEqualTo("open sesame");
    assertThat(read).hasToString("BasicCredential[Aladdin]");
  }

  @Test
  void the_first_colon_ends_the_user_and_a_password_may_be_empty_or_of_any_letters() {
    assertThat(of("a", "b:c:").password()).asString().isEqualTo("b:c:");
    assertThat(of("a", "").password()).isEmpty();
    assertThat(of("tëst", "123£").user()).isEqualTo("tëst");
    assertThat(of("tëst", "123£").password()).isEqualTo(bytes("123£"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"basic YTpi", "BASIC YTpi", "bAsIc   YTpi"})
  void the_scheme_is_compared_without_case(String value) throws BadCredential {
    var read = BasicCredential.read(bytes(value));
    assertThat(read).isNotNull();
    assertThat(read.user()).isEqualTo("a");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "Bearer YTpi", "Basi", "Basically YTpi", " Basic YTpi", "Basic\tYTpi"})
  void another_scheme_is_not_ours(String value) throws BadCredential {
    assertThat(BasicCredential.read(bytes(value))).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Basic",
        "Basic ",
        "Basic YTp",
        "Basic YTo",
        "Basic YTpi ",
        "Basic YTpi\n",
        "Basic YTpi=",
        "Basic YTo==",
        "Basic YTp=",
        "Basic YTpi, Basic YTpi",
        "Basic YTpi,Bearer x",
        "Basic YT-_",
        "Basic YTpi\u00e4"
      })
  void base64_is_canonical_and_nothing_stands_beside_it(String value) {
    refused(bytes(value));
  }

  @Test
  void stray_bits_in_base64_are_refused() {
    assertThat(base64(bytes("a:"))).isEqualTo("YTo=");
    refused(bytes("Basic YTp="));
    assertThat(base64(bytes("a:bc"))).isEqualTo("YTpiYw==");
    refused(bytes("Basic YTpiYx=="));
  }

  @Test
  void a_pair_without_a_colon_or_user_or_with_control_characters_is_refused() {
    for (var pair : new String[] {"ab", ":b", "a\u0000:b", "a:b\u0000c", "a:b\n", "a\u007f:b"}) {
      refused(bytes("Basic " + base64(bytes(pair))));
    }
  }

  @Test
  void what_is_not_utf_8_is_refused() {
    refused(bytes("Basic " + base64(new byte[] {'t', (byte) 0xeb, ':', 'x'})));
    refused(bytes("Basic " + base64(new byte[] {'t', ':', (byte) 0xc0, (byte) 0x80})));
  }

  @Test
  void sizes_are_bounded() {
    refused(bytes("Basic " + base64(bytes("u".repeat(256) + ":x"))));
    refused(bytes("Basic " + base64(bytes("u:" + "x".repeat(2000)))));
    assertThat(of("u".repeat(255), "x".repeat(1000)).password()).hasSize(1000);
  }

  @Test
  void whatever_comes_is_a_credential_or_refused_and_reads_as_it_is_written() throws Exception {
    var random = new Random(7);
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      var pair = new byte[3 + random.nextInt(12)];
      for (int j = 0; j < pair.length; j++) {
        pair[j] = (byte) (' ' + random.nextInt(0x5f));
      }
      pair[1 + random.nextInt(pair.length - 1)] = ':';
      var value = bytes("Basic " + base64(pair));
      if (random.nextBoolean()) {
        value[6 + random.nextInt(value.length - 6)] =
            (byte) "YTpiYw==+/ ,\u00e4\n".charAt(random.nextInt(14));
      }
      try {
        var read = BasicCredential.read(value);
        assertThat(read).isNotNull();
        var again =
            base64(bytes(read.user() + ":" + new String(read.password(), StandardCharsets.UTF_8)));
        assertThat(new String(value, StandardCharsets.UTF_8)).matches("Basic +" + quote(again));
      } catch (BadCredential e) {
        refused++;
      }
    }
    assertThat(refused).isBetween(5_000, 15_000);
  }

  private static void refused(byte[] value) {
    assertThatExceptionOfType(BadCredential.class).isThrownBy(() -> BasicCredential.read(value));
  }

  private static String base64(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
