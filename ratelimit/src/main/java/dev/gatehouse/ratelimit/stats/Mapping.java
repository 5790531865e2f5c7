package dev.gatehouse.ratelimit.stats;

import java.util.LinkedHashMap;
import java.util.Map;

/** Which series of Prometheus a statistic is. envoyproxy/ratelimit translates with statsd_exporter's mapper; this says the same. */
public interface Mapping {
  /** @param name as statsd has it: components between dots */
  Series counter(String name);

  /** @param name of a time */
  Timer timer(String name);

  /** @param scale by which milliseconds are multiplied before they are shown */
  record Timer(Series series, double scale) {}

  /** What the reference maps without a file. Two statistics that it leaves unmapped, so that each key is a metric of its own, have labels here. */
  static Mapping standard() {
    return new Standard(0.001);
  }

  /** The same, with response times in milliseconds ({@code PROMETHEUS_RESPONSE_TIME_AS_MILLISECONDS}). */
  static Mapping standardInMilliseconds() {
    return new Standard(1);
  }

  /** As statsd_exporter names what nothing maps: the name, with {@code _} for what Prometheus does not allow. */
  static Series unmapped(String name) {
    var metric = new StringBuilder(name.length() + 1);
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      boolean letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
      boolean digit = c >= '0' && c <= '9';
      if (digit && i == 0) {
        metric.append('_');
      }
      metric.append(letter || digit ? c : '_');
    }
    return new Series(metric.toString(), "");
  }

  /** {@code ratelimit.service.rate_limit.DOMAIN.KEY1[.KEY2…].STAT}: keys after the second are summed up. */
  record Standard(double timerScale) implements Mapping {
    private static final String CALLS = "ratelimit.service.call.should_rate_limit.";
    private static final String SERVER = "ratelimit_server.";
    private static final String NOT_FOUND = ".domain_not_found";

    @Override
    public Series counter(String name) {
      if (name.startsWith(Stats.LIMITS)) {
        return limit(name);
      }
      if (name.startsWith(CALLS)) {
        return Series.of(
            "ratelimit_service_should_rate_limit_error",
            Map.of("err_type", name.substring(CALLS.length())));
      }
      if (name.startsWith(SERVER) && name.endsWith(".total_requests")) {
        return Series.of("ratelimit_service_total_requests", method(name, ".total_requests"));
      }
      return unmapped(name);
    }

    private static Series limit(String name) {
      if (name.endsWith(NOT_FOUND)) {
        var domain = name.substring(Stats.LIMITS.length(), name.length() - NOT_FOUND.length());
        return Series.of("ratelimit_service_rate_limit_domain_not_found", Map.of("domain", domain));
      }
      var parts = name.substring(Stats.LIMITS.length()).split("\\.", -1);
      if (parts.length < 3) {
        return unmapped(name);
      }
      var labels = new LinkedHashMap<String, String>();
      labels.put("domain", parts[0]);
      labels.put("key1", parts[1]);
      if (parts.length > 3) {
        labels.put("key2", parts[2]);
      }
      return Series.of("ratelimit_service_rate_limit_" + parts[parts.length - 1], labels);
    }

    @Override
    public Timer timer(String name) {
      return new Timer(
          Series.of("ratelimit_service_response_time_seconds", method(name, ".response_time")),
          timerScale);
    }

    private static Map<String, String> method(String name, String end) {
      return Map.of("grpc_method", name.substring(SERVER.length(), name.length() - end.length()));
    }
  }
}
