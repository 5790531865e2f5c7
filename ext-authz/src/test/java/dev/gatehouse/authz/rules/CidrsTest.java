package dev.gatehouse.authz.rules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CidrsTest {
  @ParameterizedTest
  @CsvSource({
    "10.0.0.0/8, 10.255.255.255, YES",
    "10.0.0.0/8, 11.0.0.0, NO",
    "10.0.0.0/9, 10.127.0.1, YES",
    "10.0.0.0/9, 10.128.0.1, NO",
    "192.0.2.7/32, 192.0.2.7, YES",
    "192.0.2.7, 192.0.2.7, YES",
    "192.0.2.7, 192.0.2.8, NO",
    "0.0.0.0/0, 8.8.8.8, YES",
    "0.0.0.0/0, 2001:db8::1, NO",
    "::/0, 8.8.8.8, NO",
    "2001:db8::/32, 2001:db8:ffff::1, YES",
    "2001:db8::/33, 2001:db8:8000::1, NO",
    "10.0.0.0/8, ::ffff:10.1.2.3, YES",
    "::ffff:10.0.0.0/104, 10.1.2.3, YES",
    "10.0.0.0/8, '', UNSURE",
    "10.0.0.0/8, localhost, UNSURE",
    "10.0.0.0/8, '10.1.2.3,10.1.2.4', UNSURE",
    "10.0.0.0/8, 010.1.2.3.4, UNSURE"
  })
  void ranges_hold_addresses(String range, String address, Answer answer) {
    assertThat(Cidrs.of(List.of(range)).contain(address)).isEqualTo(answer);
  }

  @Test
  void any_of_several() {
    var cidrs = Cidrs.of(List.of("10.0.0.0/8", "2001:db8::/32"));
    assertThat(cidrs.contain("2001:db8::7")).isEqualTo(Answer.YES);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "x",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/",
        "10.0.0.0/8/8",
        "::/129",
        "::ffff:10.0.0.0/95"
      })
  void what_is_no_range_is_refused(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Cidrs.of(List.of(text)))
        .withMessageContaining("expected");
  }
}
