package dev.gatehouse.extproc.stream;

import dev.gatehouse.extproc.stream.Processor.Cause;
import dev.gatehouse.extproc.stream.Processor.Failure;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.Collector;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the streams of one processor come to, over all event loops: counted as they go without a lock or an allocation, and summed when
 * Prometheus asks. A failure is also told to the log, now and then. What they gather of bodies is not only counted but bounded.
 */
public final class StreamStats {
  private static final StreamStats UNHEARD = new StreamStats("warm-up");

  private static final long LEAST_BUDGET = 64 << 20;

  /** Bytes that a stream may gather without being one of the large ones, which leave the last eighth of the budget alone. */
  private static final long SMALL = 64 << 10;

  private final String processor;
  private final FailureLog log;
  private final Map<Kind, LongAdder> messages = adders(Kind.class);
  private final Map<Direction, LongAdder> bodyBytes = adders(Direction.class);
  private final Map<Cause, LongAdder> failures = adders(Cause.class);
  private final LongAdder ended = new LongAdder();
  private final LongAdder endedFailed = new LongAdder();
  private final LongAdder nanos = new LongAdder();
  private final AtomicLong gathered = new AtomicLong();
  private final LongAdder working = new LongAdder();
  private final long budget;
  private volatile boolean warmingUp;

  /**
   * Its streams may together gather a quarter of the heap at most, and at least 64 MiB.
   *
   * @param processor its name as a label and in the log
   */
  public StreamStats(String processor) {
    this(processor, Math.max(Runtime.getRuntime().maxMemory() / 4, LEAST_BUDGET));
  }

  /** @param budget bytes that all streams together may gather */
  public StreamStats(String processor, long budget) {
    this.processor = processor;
    this.log = new FailureLog(processor);
    this.budget = budget;
  }

  /** Streams that begin before {@link #ready} are the server's own, and in no metric. */
  public void warmingUp() {
    warmingUp = true;
  }

  /** From now on streams are counted. */
  public void ready() {
    warmingUp = false;
  }

  /** Where a stream that begins now counts. */
  StreamStats begun() {
    return warmingUp ? UNHEARD : this;
  }

  void message(Kind kind, int bytes) {
    adder(messages, kind).increment();
    if (bytes > 0) {
      adder(bodyBytes, kind.direction).add(bytes);
    }
  }

  /** Its processor could not do its part; {@link FailureLog#failed}. */
  void failed(String where, Failure failure, @Nullable Throwable thrown) {
    adder(failures, failure.cause()).increment();
    if (failure.cause() != Cause.BODY_TOO_LARGE) { // That is the client's doing, or the upstream's.
      log.failed(where, failure, thrown);
    }
  }

  /** A message took that long of an event loop; {@link FailureLog#held}. While it warms up that is what it warms up for. */
  void held(String where, long nanos) {
    if (this != UNHEARD) {
      log.held(where, nanos);
    }
  }

  /**
   * A stream has gathered more; it {@link #givesBack} that in any case.
   *
   * @param itsOwn all that this stream has gathered, these bytes included
   * @return whether that is within what all streams may gather together; a few that are large and slow do not keep small ones out
   */
  boolean gathers(int bytes, long itsOwn) {
    return gathered.addAndGet(bytes) <= (itsOwn <= SMALL ? budget : budget - budget / 8);
  }

  void givesBack(long bytes) {
    gathered.addAndGet(-bytes);
  }

  /** Bytes of bodies that streams have gathered and not given back. */
  public long gathered() {
    return gathered.get();
  }

  void workBegins() {
    working.increment();
  }

  void workEnds() {
    working.decrement();
  }

  void ended(boolean failed, long spent) {
    (failed ? endedFailed : ended).increment();
    nanos.add(spent);
  }

  /** What Prometheus is told of some processors' streams; the names are listed in docs/operations.md. */
  public static List<Collector> metrics(List<StreamStats> all) {
    return List.of(
        CounterWithCallback.builder()
            .name("gatehouse_ext_proc_streams_total")
            .help("Streams, one an HTTP request, that have ended.")
            .labelNames("processor", "result")
            .callback(counter -> all.forEach(stats -> {
              counter.call((double) stats.ended.sum(), stats.processor, "ok");
              counter.call((double) stats.endedFailed.sum(), stats.processor, "failed");
            }))
            .build(),
        counters(
            "gatehouse_ext_proc_messages_total",
            "Messages of Envoy's, by what they are about.",
            "message",
            all,
            stats -> stats.messages),
        counters(
            "gatehouse_ext_proc_body_bytes_total",
            "Bytes of bodies that Envoy sent.",
            "direction",
            all,
            stats -> stats.bodyBytes),
        counters(
            "gatehouse_ext_proc_failures_total",
            "Times that a processor could not do its part of a stream; what becomes of the request is its to say.",
            "cause",
            all,
            stats -> stats.failures),
        CounterWithCallback.builder()
            .name("gatehouse_ext_proc_processing_seconds_total")
            .help("Time that event loops spent on the messages of streams that have ended.")
            .labelNames("processor")
            .callback(counter ->
                all.forEach(stats -> counter.call(stats.nanos.sum() / 1e9, stats.processor)))
            .build(),
        gauge(
            "gatehouse_ext_proc_gathered_bytes",
            "Bytes of bodies that are gathered now, until their answers have gone (FULL_DUPLEX_STREAMED).",
            all,
            stats -> (double) stats.gathered()),
        gauge(
            "gatehouse_ext_proc_work_pending",
            "Work off the event loops that streams wait for now.",
            all,
            stats -> (double) stats.working.sum()));
  }

  private static Collector gauge(
      String name, String help, List<StreamStats> all, ToDoubleFunction<StreamStats> value) {
    return GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .labelNames("processor")
        .callback(
            gauge -> all.forEach(stats -> gauge.call(value.applyAsDouble(stats), stats.processor)))
        .build();
  }

  private static <E extends Enum<E>> Collector counters(
      String name,
      String help,
      String label,
      List<StreamStats> all,
      Function<StreamStats, Map<E, LongAdder>> values) {
    return CounterWithCallback.builder()
        .name(name)
        .help(help)
        .labelNames("processor", label)
        .callback(counter -> all.forEach(stats -> values
            .apply(stats)
            .forEach((key, value) -> counter.call(
                (double) value.sum(), stats.processor, key.name().toLowerCase(Locale.ROOT)))))
        .build();
  }

  private static <E extends Enum<E>> LongAdder adder(Map<E, LongAdder> adders, E key) {
    return Objects.requireNonNull(adders.get(key));
  }

  private static <E extends Enum<E>> Map<E, LongAdder> adders(Class<E> keys) {
    var adders = new EnumMap<E, LongAdder>(keys);
    Stream.of(keys.getEnumConstants()).forEach(key -> adders.put(key, new LongAdder()));
    return adders;
  }
}
