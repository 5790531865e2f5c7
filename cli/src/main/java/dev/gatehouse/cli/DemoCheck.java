package dev.gatehouse.cli;

import dev.gatehouse.sandbox.Gate;
import dev.gatehouse.sandbox.RawHttp;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Runs the demo's tour itself and prints what was promised and what came. */
final class DemoCheck {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  /** The tour's limits are by the minute: it takes far less than this, and must not cross the minute's end. */
  private static final long MARGIN_MILLIS = 10_000;

  private final Terminal terminal;
  private final Tour tour;
  private final RawHttp http;

  DemoCheck(Terminal terminal, Tour tour, Gate.Endpoint endpoint) {
    this.terminal = terminal;
    this.tour = tour;
    this.http = new RawHttp(endpoint.address(), endpoint.tls(), TIMEOUT);
  }

  /** 0 if every answer is as promised, else 1. */
  int run(boolean redis) {
    awaitFreshMinute();
    var out = terminal.out();
    out.printf("  %-8s %-30s %-34s %s%n", "", "request", "expected", "got");
    var failed = 0;
    for (var stop : tour.all()) {
      var got = new ArrayList<String>();
      var wrong = run(stop, got);
      out.printf(
          "  %s %-30s %-34s %s%n",
          wrong.isEmpty() ? terminal.green("ok      ") : terminal.red("WRONG   "),
          stop.method() + " " + stop.path()
              + (stop.who() == Tour.Who.NOBODY
                  ? ""
                  : " as " + (stop.who() == Tour.Who.READER ? "reader" : "admin")),
          stop.title(),
          String.join(" ", got));
      wrong.forEach(line -> out.println("           " + terminal.red(line)));
      failed += wrong.isEmpty() ? 0 : 1;
    }
    var total = tour.all().size();
    var counters = redis ? "in Redis" : "in memory";
    out.println(
        failed == 0
            ? terminal.green("all %d as promised, counters %s".formatted(total, counters))
            : terminal.red(
                "%d of %d are not as promised, counters %s".formatted(failed, total, counters)));
    return failed == 0 ? 0 : 1;
  }

  private List<String> run(Tour.Stop stop, List<String> got) {
    var wrong = new ArrayList<String>();
    for (var i = 0; i < stop.times(); i++) {
      try {
        var answer = http.send(tour.request(stop));
        got.add(Integer.toString(answer.status()));
        wrong.addAll(stop.wrong(answer, i));
      } catch (IOException e) {
        got.add("-");
        wrong.add("no answer: " + e.getMessage());
      }
    }
    return wrong;
  }

  private void awaitFreshMinute() {
    var left = 60_000 - System.currentTimeMillis() % 60_000;
    if (left >= MARGIN_MILLIS) {
      return;
    }
    terminal
        .out()
        .printf(
            "The minute ends in %d s, and with it the limits' windows: waiting for the next one.%n",
            left / 1_000 + 1);
    terminal.out().flush();
    try {
      Thread.sleep(left + 50);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
