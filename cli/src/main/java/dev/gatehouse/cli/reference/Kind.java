package dev.gatehouse.cli.reference;

import java.time.Duration;
import java.util.List;

/** What a value looks like, as the reference's language writes it. */
sealed interface Kind {
  /** What errors say was expected. */
  String expected();

  /** Throws if the value is not of the kind. */
  void check(String value);

  record Text() implements Kind {
    @Override
    public String expected() {
      return "text";
    }

    @Override
    public void check(String value) {}
  }

  record Flag() implements Kind {
    @Override
    public String expected() {
      return "true or false";
    }

    @Override
    public void check(String value) {
      GoValues.flag(value);
    }
  }

  record Whole(long least, long most) implements Kind {
    @Override
    public String expected() {
      return most == Integer.MAX_VALUE
          ? "a number from " + least
          : "a number from " + least + " to " + most;
    }

    @Override
    public void check(String value) {
      long number = Long.parseLong(value);
      if (number < least || number > most) {
        throw new IllegalArgumentException(value);
      }
    }
  }

  record Fraction() implements Kind {
    @Override
    public String expected() {
      return "a number from 0 to 1";
    }

    @Override
    public void check(String value) {
      double number = Double.parseDouble(value);
      if (!(number >= 0 && number <= 1)) {
        throw new IllegalArgumentException(value);
      }
    }
  }

  record Time(Duration least) implements Kind {
    Time() {
      this(Duration.ZERO);
    }

    @Override
    public String expected() {
      return "a time such as 10ms, 1m30s or 24h"
          + (least.isZero() ? "" : "; at least " + least.toMillis() + "ms");
    }

    @Override
    public void check(String value) {
      if (GoValues.duration(value).compareTo(least) < 0) {
        throw new IllegalArgumentException(value);
      }
    }
  }

  record OneOf(List<String> values) implements Kind {
    OneOf(String... values) {
      this(List.of(values));
    }

    @Override
    public String expected() {
      return String.join(", ", values.subList(0, values.size() - 1)) + " or " + values.getLast();
    }

    @Override
    public void check(String value) {
      if (values.stream().noneMatch(value::equalsIgnoreCase)) {
        throw new IllegalArgumentException(value);
      }
    }
  }

  record Pairs() implements Kind {
    @Override
    public String expected() {
      return "name:value,name:value";
    }

    @Override
    public void check(String value) {
      GoValues.pairs(value);
    }
  }
}
