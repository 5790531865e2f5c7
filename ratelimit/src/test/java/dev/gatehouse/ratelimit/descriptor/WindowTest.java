package dev.gatehouse.ratelimit.descriptor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

final class WindowTest {
  @Test
  void a_window_of_many_units_is_counted_from_the_epoch() {
    var five = Window.of(Unit.MINUTE, 5);
    assertThat(five.number(millis("2026-01-01T00:04:59.999Z")) + 1)
        .isEqualTo(five.number(millis("2026-01-01T00:05:00Z")));
    assertThat(five.remaining(millis("2026-01-01T00:05:00Z"))).isEqualTo(300_000);
    assertThat(five.remaining(millis("2026-01-01T00:09:59.999Z"))).isEqualTo(1);
  }

  @Test
  void a_calendar_month_ends_with_the_month() {
    var month = Window.of(Unit.MONTH).calendarMonths();
    assertThat(month.remaining(millis("2024-02-28T00:00:00Z"))).isEqualTo(2 * 86_400_000L);
    assertThat(month.remaining(millis("2026-02-28T00:00:00Z"))).isEqualTo(86_400_000L);
    assertThat(month.length(millis("2026-12-31T23:59:59Z"))).isEqualTo(31 * 86_400_000L);
    assertThat(month.number(millis("2026-12-31T23:59:59Z")) + 1)
        .isEqualTo(month.number(millis("2027-01-01T00:00:00Z")));
  }

  @Test
  void quarters_begin_in_january_april_july_and_october() {
    var quarter = Window.of(Unit.MONTH, 3).calendarMonths();
    assertThat(quarter.remaining(millis("2026-02-14T00:00:00Z")))
        .isEqualTo(millis("2026-04-01T00:00:00Z") - millis("2026-02-14T00:00:00Z"));
    assertThat(quarter.number(millis("2026-03-31T23:59:59Z")) + 1)
        .isEqualTo(quarter.number(millis("2026-04-01T00:00:00Z")));
  }

  @Test
  void only_months_are_the_calendars() {
    assertThat(Window.of(Unit.YEAR).calendarMonths()).isEqualTo(Window.of(Unit.YEAR));
    assertThat(Window.of(Unit.MONTH).calendarMonths()).isNotEqualTo(Window.of(Unit.MONTH));
  }

  @Test
  void no_two_windows_have_one_sign() {
    var signs = new ArrayList<String>();
    for (var unit : Unit.values()) {
      for (int every = 1; every < 100; every++) {
        signs.add(Window.of(unit, every).sign());
      }
    }
    signs.add(Window.of(Unit.MONTH).calendarMonths().sign());
    signs.add(Window.of(Unit.MONTH, 2).calendarMonths().sign());
    assertThat(signs).doesNotHaveDuplicates();
  }

  @Test
  void a_window_has_bounds() {
    assertThat(Window.fits(Unit.YEAR, 100)).isTrue();
    assertThat(Window.fits(Unit.YEAR, 101)).isFalse();
    assertThat(Window.fits(Unit.SECOND, 0)).isFalse();
    assertThatThrownBy(() -> Window.of(Unit.HOUR, -1)).hasMessageContaining("1 or more");
  }

  @Test
  void a_bucket_loses_nothing_to_rounding() {
    var bucket = Bucket.of(7, 1000, 7);
    assertThat(bucket).isEqualTo(new Bucket(7, 1000, 7000));
    assertThat(bucket.drained(7000, 1000)).isZero();
    assertThat(bucket.drained(7000, 999)).isEqualTo(7);
    assertThat(bucket.tokens(1)).isEqualTo(6);
    assertThat(bucket.millisFor(1000)).isEqualTo(143);
    assertThat(Bucket.of(1_000_000, Unit.YEAR.millis(), 1_000_000)).isNotNull();
    assertThat(Bucket.of(999_999_999, Unit.YEAR.millis(), 999_999_999)).isNull();
  }

  private static long millis(String instant) {
    return Instant.parse(instant).toEpochMilli();
  }
}
