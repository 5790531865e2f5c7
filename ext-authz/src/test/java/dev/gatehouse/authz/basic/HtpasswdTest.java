package dev.gatehouse.authz.basic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HtpasswdTest {
  static final String SHA_S3CRET = "{SHA}/vNB+F2HQ559kaLUZbmHHvZrXpg=";
  static final String BCRYPT_S3CRET =
      "$2y$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG";

  @Test
  void users_with_sha_and_bcrypt_are_read() throws BadHtpasswd {
    var users = Htpasswd.parse("# ours\n\nalice:" + SHA_S3CRET + "\r\nbob:" + BCRYPT_S3CRET
        + "\nkarl möller:" + SHA_S3CRET);
    assertThat(users.of("alice")).isInstanceOf(Htpasswd.Sha.class);
    assertThat(users.of("bob")).isInstanceOf(Htpasswd.Bcrypt.class);
    assertThat(users.of("karl möller")).isNotNull();
    assertThat(users.of("# ours")).isNull();
    assertThat(users.slow()).isTrue();
    assertThat(Htpasswd.parse("alice:" + SHA_S3CRET).slow()).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "u:$apr1$abc$0123456789012345678901 | MD5",
        "u:$1$abc$0123456789012345678901 | MD5",
        "u:$6$abc$0123456789012345678901 | SHA-crypt",
        "u:{SSHA}MTIzNDU2Nzg5MDEyMzQ1Njc4OTA= | not accepted",
        "u:rl5dDOFdPz3jE | not accepted",
        "u:s3cret | plain text",
        "u: | not accepted",
        "u:$2x$05$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG | not accepted"
      })
  void another_hash_is_an_error_that_names_what_is_accepted(String line, String what) {
    assertThatExceptionOfType(BadHtpasswd.class)
        .isThrownBy(() -> Htpasswd.parse(line))
        .withMessageContaining("line 1: ")
        .withMessageContaining(what)
        .withMessageContaining("{SHA}")
        .withMessageContaining("$2y$");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{SHA}/vNB+F2HQ559kaLUZbmHHvZrXpg",
        "{SHA}/vNB+F2HQ559kaLUZbmHHvZrXph=",
        "{SHA}/vNB+F2HQ559kaLUZbmHHvZrXpg= ",
        "{SHA}",
        "{SHA}MTIz",
        "{SHA}ä",
        "$2y$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5D",
        "$2y$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DGG",
        "$2y$4$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG",
        "$2y$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5D=",
        "$2y$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG:more"
      })
  void a_hash_is_exactly_of_its_form(String hash) {
    assertThatExceptionOfType(BadHtpasswd.class).isThrownBy(() -> Htpasswd.parse("u:" + hash));
  }

  @ParameterizedTest
  @ValueSource(strings = {"00", "03", "13", "31", "99"})
  void a_cost_that_guards_nothing_or_that_no_request_can_wait_for_is_an_error(String cost) {
    assertThatExceptionOfType(BadHtpasswd.class)
        .isThrownBy(() -> Htpasswd.parse("u:" + BCRYPT_S3CRET.replace("$04$", "$" + cost + "$")))
        .withMessageContaining("the cost " + Integer.parseInt(cost))
        .withMessageContaining("4 to 12");
  }

  @Test
  void all_bad_lines_are_named_at_once_and_none_is_quoted() {
    var text = "ok:" + SHA_S3CRET + "\nhunter2\n# fine\nok:" + SHA_S3CRET + "\nx:hunter3\n:"
        + SHA_S3CRET + "\na\tb:" + SHA_S3CRET + "\n" + "u".repeat(256) + ":" + SHA_S3CRET;
    assertThatExceptionOfType(BadHtpasswd.class)
        .isThrownBy(() -> Htpasswd.parse(text))
        .satisfies(e -> assertThat(e.problems())
            .extracting(p -> p.substring(0, p.indexOf(':')))
            .containsExactly("line 2", "line 4", "line 5", "line 6", "line 7", "line 8"))
        .satisfies(e -> assertThat(e.getMessage())
            .contains("the user of line 1 again")
            .doesNotContain("hunter", "/vNB"));
  }

  @Test
  void a_file_is_bounded_and_not_empty() {
    var many = IntStream.rangeClosed(0, Htpasswd.MAX_USERS)
        .mapToObj(i -> "u" + i + ":" + SHA_S3CRET)
        .collect(Collectors.joining("\n"));
    for (var text : List.of("", "# nobody\n", many, "#" + "x".repeat(Htpasswd.MAX_CHARS))) {
      assertThatExceptionOfType(BadHtpasswd.class).isThrownBy(() -> Htpasswd.parse(text));
    }
    var bad = "x\n".repeat(1000);
    assertThatExceptionOfType(BadHtpasswd.class)
        .isThrownBy(() -> Htpasswd.parse(bad))
        .satisfies(e -> assertThat(e.problems()).hasSize(100));
  }

  @Test
  void its_text_form_holds_no_hash() throws BadHtpasswd {
    assertThat(Htpasswd.parse("alice:" + SHA_S3CRET)).hasToString("Htpasswd[1 users]");
  }
}
