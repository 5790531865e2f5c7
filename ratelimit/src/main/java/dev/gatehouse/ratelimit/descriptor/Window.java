package dev.gatehouse.ratelimit.descriptor;

import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Locale;

/**
 * A fixed window: so many of a {@link Unit}, one after another since the Unix epoch, or so many months of the calendar (UTC). Immutable.
 */
public final class Window {
  /** A hundred years: no limit needs more, and no number of milliseconds overflows. */
  public static final int MAX_YEARS = 100;

  private static final int MONTHS = 12;

  private final Unit unit;
  private final int every;
  private final boolean calendar;
  private final long millis;
  private final String sign;

  private Window(Unit unit, int every, boolean calendar) {
    this.unit = unit;
    this.every = every;
    this.calendar = calendar;
    this.millis = unit.millis() * every;
    this.sign = (calendar ? "C" : unit.letter()) + (every == 1 ? "" : every + ".");
  }

  public static Window of(Unit unit) {
    return of(unit, 1);
  }

  /** @param every how many units make the window; 1 or more, and at most {@link #MAX_YEARS} of time */
  public static Window of(Unit unit, int every) {
    if (!fits(unit, every)) {
      throw new IllegalArgumentException("a window of " + every + " " + unit
          + " (expected: 1 or more, at most " + MAX_YEARS + " years)");
    }
    return new Window(unit, every, false);
  }

  public static boolean fits(Unit unit, int every) {
    return every >= 1 && every <= Unit.YEAR.millis() / unit.millis() * MAX_YEARS;
  }

  /** The same; where its unit is the month, in months of the calendar instead of 30 days ({@code USE_CALENDAR_MONTH_RATE_LIMIT}). */
  public Window calendarMonths() {
    return unit == Unit.MONTH ? new Window(unit, every, true) : this;
  }

  public Unit unit() {
    return unit;
  }

  public int every() {
    return every;
  }

  /** Its length in milliseconds; of a calendar month 30 days. */
  public long millis() {
    return millis;
  }

  /** The number of the window that a time is in. */
  public long number(long nowMillis) {
    return calendar ? Math.floorDiv(month(nowMillis), every) : Math.floorDiv(nowMillis, millis);
  }

  /** How long that window still lasts, in milliseconds: more than 0. */
  public long remaining(long nowMillis) {
    return calendar
        ? firstOf((number(nowMillis) + 1) * every) - nowMillis
        : millis - Math.floorMod(nowMillis, millis);
  }

  /** The length of the window that a time is in; only the calendar's differ. */
  public long length(long nowMillis) {
    if (!calendar) {
      return millis;
    }
    long number = number(nowMillis);
    return firstOf((number + 1) * every) - firstOf(number * every);
  }

  /** Its sign in a store's keys, such as {@code m} or, of five minutes, {@code m5.}: no two windows share one. */
  public String sign() {
    return sign;
  }

  /** Months since the year 0. */
  private static long month(long nowMillis) {
    var date = Instant.ofEpochMilli(nowMillis).atOffset(ZoneOffset.UTC);
    return date.getYear() * (long) MONTHS + date.getMonthValue() - 1;
  }

  private static long firstOf(long month) {
    return LocalDate.of((int) (month / MONTHS), (int) (month % MONTHS) + 1, 1)
        .atStartOfDay(ZoneOffset.UTC)
        .toInstant()
        .toEpochMilli();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Window window && window.sign.equals(sign);
  }

  @Override
  public int hashCode() {
    return sign.hashCode();
  }

  /** As people say it: {@code minute}, {@code 5 minutes}. */
  @Override
  public String toString() {
    var name = unit.name().toLowerCase(Locale.ROOT);
    return every == 1 ? name : every + " " + name + "s";
  }
}
