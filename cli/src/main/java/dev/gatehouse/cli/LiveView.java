package dev.gatehouse.cli;

import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.source.Reload;
import dev.gatehouse.server.Decision;
import dev.gatehouse.server.Decision.Outcome;
import dev.gatehouse.server.DecisionListener;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * Shows each request in a line: what Envoy's access log says of it, joined by request id with what the three services decided. A
 * request that no service was asked about (a preflight, a redirect, no route) is a line too.
 */
final class LiveView implements DecisionListener, AutoCloseable {
  /** Envoy's default format: method, path, status, …, request id, host, upstream. */
  private static final Pattern LINE = Pattern.compile(
      "^\\[[^]]*] \"(\\S+) (\\S+) [^\"]*\" (\\d+) (\\S+) .*\"([^\"]*)\" \"([^\"]*)\" \"([^\"]*)\"$");

  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm:ss");
  private static final List<String> ORDER = List.of("ext-authz", "ratelimit", "ext-proc");
  private static final JsonMapper JSON = JsonMapper.shared();

  /** ext-proc ends its stream a moment after Envoy has written its line. */
  private static final long JOIN_MILLIS = 80;

  /** Requests whose line has not come yet; more than a person can read. */
  private static final int WAITING = 10_000;

  private final Terminal terminal;
  private final boolean json;
  private final ScheduledExecutorService printer = Executors.newSingleThreadScheduledExecutor(
      Thread.ofPlatform().daemon().name("gatehouse-live-view").factory());
  private final Map<String, List<Decision>> waiting = new LinkedHashMap<>() {
    private static final long serialVersionUID = 1L;

    @Override
    protected boolean removeEldestEntry(Map.Entry<String, List<Decision>> eldest) {
      return size() > WAITING;
    }
  };

  LiveView(Terminal terminal, boolean json) {
    this.terminal = terminal;
    this.json = json;
  }

  /** On an event loop: hands over and returns. */
  @Override
  public void decided(Decision decision) {
    later(
        0,
        () -> waiting
            .computeIfAbsent(decision.requestId(), id -> new ArrayList<>())
            .add(decision));
  }

  /** A line of Envoy's access log. */
  void finished(String line) {
    var match = LINE.matcher(line);
    if (!match.matches()) {
      return;
    }
    var at = LocalTime.now(ZoneId.systemDefault());
    var request = new Finished(
        at,
        match.group(1),
        match.group(2).split("\\?", 2)[0],
        Integer.parseInt(match.group(3)),
        match.group(4),
        match.group(5),
        match.group(7).equals("-"));
    later(JOIN_MILLIS, () -> show(request));
  }

  private record Finished(
      LocalTime at,
      String method,
      String path,
      int status,
      String flags,
      String id,
      boolean byEnvoy) {}

  void reloaded(Reload reload, List<Problem> problems) {
    var at = LocalTime.now(ZoneId.systemDefault());
    later(0, () -> show(at, reload, problems));
  }

  private void later(long millis, Runnable task) {
    try {
      var _ = printer.schedule(task, millis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // The demo is ending.
    }
  }

  private void show(Finished request) {
    var decisions = waiting.remove(request.id);
    var sorted = decisions == null
        ? List.<Decision>of()
        : decisions.stream()
            .sorted(Comparator.comparingInt(d -> ORDER.indexOf(d.service())))
            .toList();
    terminal.out().println(json ? asJson(request, sorted) : asText(request, sorted));
    terminal.out().flush();
  }

  private String asText(Finished request, List<Decision> decisions) {
    var parts = new ArrayList<String>();
    for (var decision : decisions) {
      var said = said(decision);
      if (said != null) {
        parts.add(said);
      }
    }
    if (parts.isEmpty()) {
      parts.add(unasked(request));
    }
    var micros = String.join(
        " ",
        decisions.stream()
            .map(d -> d.service() + " " + d.nanos() / 1_000 + " µs")
            .toList());
    var status = request.status < 400
        ? terminal.green(Integer.toString(request.status))
        : terminal.red(Integer.toString(request.status));
    return "%s %-7s %-14s %s %-8s %s  %s"
        .formatted(
            terminal.dim(TIME.format(request.at)),
            shown(request.method),
            shown(request.path),
            status,
            shown(who(decisions)),
            String.join(" · ", parts),
            terminal.dim(micros));
  }

  /** What a service has to say that a person wants to read; null where it had nothing to do. */
  private @Nullable String said(Decision decision) {
    if (decision.outcome() == Outcome.UNCHANGED) {
      return null;
    }
    var outcome = decision.outcome().name().toLowerCase(Locale.ROOT).replace('_', ' ');
    var text = new StringBuilder(outcome);
    if (!decision.policy().isEmpty()) {
      text.append(" by ").append(decision.policy());
    }
    if (!decision.reason().isEmpty() && !decision.reason().equals(outcome)) {
      text.append(" (").append(decision.reason()).append(')');
    }
    if (!decision.detail().isEmpty()) {
      text.append(": ").append(decision.detail());
    }
    var line = shown(text.toString());
    return switch (decision.outcome()) {
      case ALLOWED, CHANGED, UNCHANGED -> line;
      case RESPONDED -> terminal.yellow(line);
      case DENIED, UNAVAILABLE, OVER_LIMIT, FAILED -> terminal.red(line);
    };
  }

  private static String unasked(Finished request) {
    if (!request.byEnvoy) {
      return "open: no service was asked";
    }
    var what = request.method.equals("OPTIONS") && request.status < 300
        ? "CORS preflight"
        : request.status == 404
            ? "no route"
            : request.status >= 300 && request.status < 400
                ? "redirect"
                : request.flags.equals("-") ? "its own answer" : shown(request.flags);
    return "answered by Envoy: " + what;
  }

  private static String who(List<Decision> decisions) {
    return decisions.stream()
        .map(Decision::who)
        .filter(who -> !who.isEmpty())
        .findFirst()
        .orElse("-");
  }

  /** What a client sent must not move the terminal's cursor. */
  private static String shown(String text) {
    return text.chars().anyMatch(Character::isISOControl)
        ? text.replaceAll("\\p{Cntrl}", "?")
        : text;
  }

  private static String asJson(Finished request, List<Decision> decisions) {
    var all = new LinkedHashMap<String, Object>();
    all.put("time", request.at.toString());
    all.put("requestId", request.id);
    all.put("method", request.method);
    all.put("path", request.path);
    all.put("status", request.status);
    all.put("who", who(decisions));
    all.put("decisions", decisions.stream().map(LiveView::asMap).toList());
    return JSON.writeValueAsString(all);
  }

  private static Map<String, Object> asMap(Decision decision) {
    var map = new LinkedHashMap<String, Object>();
    map.put("service", decision.service());
    map.put("outcome", decision.outcome().name());
    map.put("policy", decision.policy());
    map.put("reason", decision.reason());
    map.put("detail", decision.detail());
    map.put("micros", decision.nanos() / 1_000);
    return map;
  }

  private void show(LocalTime at, Reload reload, List<Problem> problems) {
    if (json) {
      var all = new LinkedHashMap<String, Object>();
      all.put("time", at.toString());
      all.put("reload", reload.inForce() ? "in force" : "refused");
      all.put("problems", problems.stream().map(Problem::toString).toList());
      terminal.out().println(JSON.writeValueAsString(all));
      terminal.out().flush();
      return;
    }
    var time = terminal.dim(TIME.format(at));
    for (var problem : problems) {
      if (problem.severity() != Problem.Severity.NOTICE) {
        var text = shown(problem.toString());
        terminal
            .out()
            .println(time
                + " "
                + (problem.severity() == Problem.Severity.ERROR
                    ? terminal.red(text)
                    : terminal.yellow(text)));
      }
    }
    var since = TIME.format(LocalTime.ofInstant(reload.since(), ZoneId.systemDefault()));
    terminal
        .out()
        .println(time
            + " "
            + (reload.inForce()
                ? terminal.green("policies changed: "
                    + reload.policies().rules().size()
                    + " route rules are in force, in Envoy too")
                : terminal.red("policies changed, but not in force: those of " + since + " stay")));
    terminal.out().flush();
  }

  @Override
  public void close() {
    printer.shutdownNow();
  }
}
