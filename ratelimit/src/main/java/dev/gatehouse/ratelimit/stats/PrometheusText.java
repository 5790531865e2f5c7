package dev.gatehouse.ratelimit.stats;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * The statistics in Prometheus's text format 0.0.4. Written by hand: Prometheus's own library puts {@code _total} behind a counter's name,
 * and the names that dashboards have do not end like that.
 */
public final class PrometheusText {
  private final Stats stats;
  private final Mapping mapping;
  private final Map<String, String> tags;

  /** @param tags labels of every series that has none of that name ({@code EXTRA_TAGS}) */
  public PrometheusText(Stats stats, Mapping mapping, Map<String, String> tags) {
    this.stats = stats;
    this.mapping = mapping;
    this.tags = tags;
  }

  /** Reads what was counted; takes milliseconds when there are many keys, so not on a loop that serves. */
  public String page() {
    var metrics = new TreeMap<String, Map<String, Long>>();
    stats.eachLimit(limit -> {
      if (limit.counter(LimitStats.Stat.TOTAL_HITS).value() > 0) {
        add(limit, metrics);
      }
    });
    stats.eachCounter((name, counter) -> sum(mapping.counter(name), counter.value(), metrics));
    var page = new StringBuilder(16 << 10);
    metrics.forEach((metric, series) -> {
      page.append("# TYPE ").append(metric).append(" counter\n");
      series.forEach((labels, value) -> line(page, metric, labels, value.toString()));
    });
    var timer = mapping.timer(Stats.RESPONSE_TIME);
    if (!timer.series().dropped()) {
      page.append("# TYPE ").append(timer.series().metric()).append(" histogram\n");
      stats.responseTimes().write(page, tagged(timer.series()), timer.scale());
    }
    return page.toString();
  }

  /** What nothing maps is a metric of its own for every key: not before there is something to say. */
  private void add(LimitStats limit, Map<String, Map<String, Long>> metrics) {
    for (var stat : LimitStats.Stat.ALL) {
      var series = limit.series(stat, mapping);
      long value = limit.counter(stat).value();
      if (value > 0 || !series.labels().isEmpty()) {
        sum(series, value, metrics);
      }
    }
  }

  /** Several statistics may be one series. */
  private void sum(Series series, long value, Map<String, Map<String, Long>> metrics) {
    if (series.dropped()) {
      return;
    }
    metrics
        .computeIfAbsent(series.metric(), m -> new LinkedHashMap<>())
        .merge(tagged(series).labels(), value, Long::sum);
  }

  private Series tagged(Series series) {
    var tagged = series;
    for (var tag : tags.entrySet()) {
      tagged = tagged.with(tag.getKey(), tag.getValue());
    }
    return tagged;
  }

  static void line(StringBuilder page, String metric, String labels, String value) {
    page.append(metric);
    if (!labels.isEmpty()) {
      page.append('{').append(labels).append('}');
    }
    page.append(' ').append(value).append('\n');
  }

  static String number(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : Double.toString(value);
  }
}
