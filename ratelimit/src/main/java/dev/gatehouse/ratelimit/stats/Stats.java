package dev.gatehouse.ratelimit.stats;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * All statistics of the service.
 *
 * <p>Keys are bounded: at most {@code maxKeys} of the limits in force, and at most as many again that are made of what requests hold (a
 * limit with {@code detailed_metric} or {@code value_to_metric}, a limit that Envoy sends). What is beyond is summed under {@value #OTHER},
 * and so is what a request makes that is longer than {@value #MAX_LENGTH} characters.
 * A limit that leaves the configuration takes its counters along; a key of requests that nobody hit for an hour makes room.
 *
 * <p>Counting costs a look-up by a string whose hash is kept, and no allocation.
 */
public final class Stats {
  static final String SERVICE = "ratelimit.service.";
  static final String LIMITS = SERVICE + "rate_limit.";
  static final String RESPONSE_TIME = "ratelimit_server.ShouldRateLimit.response_time";

  /** The key of what is beyond the bound: a domain and a key, so that the mapping makes labels of it. */
  public static final String OTHER = "other.other";

  /** Of a key or a domain that a request makes, in characters. */
  static final int MAX_LENGTH = 512;

  private static final Pattern IPV4 = Pattern.compile("\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}");

  private final int maxKeys;
  private final float nearRatio;
  private final LimitStats other;
  private volatile Map<String, LimitStats> configured = Map.of();
  private final Map<String, LimitStats> ofRequests = new ConcurrentHashMap<>();
  private final AtomicInteger ofRequestsCount = new AtomicInteger();
  private final Map<String, StatCounter> unknownDomains = new ConcurrentHashMap<>();
  private final StatCounter otherDomains = new StatCounter();

  private final Map<String, StatCounter> service = new TreeMap<>();
  private final StatCounter totalRequests =
      service("ratelimit_server.ShouldRateLimit.total_requests");
  private final StatCounter redisError = service(SERVICE + "call.should_rate_limit.redis_error");
  private final StatCounter serviceError =
      service(SERVICE + "call.should_rate_limit.service_error");
  private final StatCounter configLoadSuccess = service(SERVICE + "config_load_success");
  private final StatCounter configLoadError = service(SERVICE + "config_load_error");
  private final StatCounter globalShadowMode = service(SERVICE + "global_shadow_mode");
  private final ResponseTimes responseTimes = new ResponseTimes();

  /**
   * @param maxKeys of each kind, 1 or more
   * @param nearRatio the part of a limit above which a hit is near it ({@code NEAR_LIMIT_RATIO})
   */
  public Stats(int maxKeys, float nearRatio) {
    if (maxKeys < 1) {
      throw new IllegalArgumentException("statistics keys: " + maxKeys + " (expected: >= 1)");
    }
    this.maxKeys = maxKeys;
    this.nearRatio = nearRatio;
    this.other = new LimitStats(OTHER, nearRatio);
  }

  private StatCounter service(String name) {
    return service.computeIfAbsent(name, n -> new StatCounter());
  }

  /**
   * The counters of a key; those under {@value #OTHER} if there are too many keys.
   *
   * @param key {@code domain.key_value.key}, as the reference puts it together
   */
  public LimitStats limit(String key) {
    var known = configured.get(key);
    if (known == null) {
      known = ofRequests.get(key);
    }
    return known != null ? known : ofRequest(key);
  }

  private LimitStats ofRequest(String key) {
    if (key.length() > MAX_LENGTH || ofRequestsCount.get() >= maxKeys) {
      return other;
    }
    if (ofRequestsCount.incrementAndGet() > maxKeys) {
      ofRequestsCount.decrementAndGet();
      return other;
    }
    var made = new LimitStats(sanitised(key), nearRatio);
    var before = ofRequests.putIfAbsent(key, made);
    if (before == null) {
      return made;
    }
    ofRequestsCount.decrementAndGet();
    return before;
  }

  /** The limits that are in force now: those that stay keep their counters, those that went take theirs along. */
  public void inForce(Collection<String> keys) {
    var before = configured;
    var now = new HashMap<String, LimitStats>();
    for (var key : keys) {
      if (now.size() >= maxKeys) {
        now.putIfAbsent(key, other);
        continue;
      }
      now.computeIfAbsent(key, k -> kept(before.get(k), k));
    }
    configured = Map.copyOf(now);
  }

  /** A key may have been one of requests until now: a limit is hit before it is told of. */
  private LimitStats kept(@Nullable LimitStats before, String key) {
    if (before != null && before != other) {
      return before;
    }
    var ofRequest = ofRequests.remove(key);
    if (ofRequest != null) {
      ofRequestsCount.decrementAndGet();
      return ofRequest;
    }
    return new LimitStats(sanitised(key), nearRatio);
  }

  /** A request for a domain that nothing is configured for. */
  public void domainNotFound(String domain) {
    var known = unknownDomains.get(domain);
    if (known == null) {
      known = domain.length() <= MAX_LENGTH && unknownDomains.size() < maxKeys
          ? unknownDomains.computeIfAbsent(domain, d -> new StatCounter())
          : otherDomains;
    }
    known.add(1);
  }

  /** @param nanos from a call's beginning to its answer */
  public void answered(long nanos) {
    totalRequests.add(1);
    responseTimes.took(nanos);
  }

  /** The counters could not be asked. */
  public void redisError() {
    redisError.add(1);
  }

  /** A request that is none. */
  public void serviceError() {
    serviceError.add(1);
  }

  /** @param inForce false if what was there before stays */
  public void configLoaded(boolean inForce) {
    (inForce ? configLoadSuccess : configLoadError).add(1);
  }

  /** A request would have been denied, but for {@code SHADOW_MODE}. */
  public void globalShadowMode() {
    globalShadowMode.add(1);
  }

  ResponseTimes responseTimes() {
    return responseTimes;
  }

  /** Every key's counters once. */
  void eachLimit(Consumer<LimitStats> action) {
    Stream.of(
            configured.values().stream().filter(limit -> limit != other),
            ofRequests.values().stream())
        .flatMap(limits -> limits)
        .forEach(action);
    if (other.counter(LimitStats.Stat.TOTAL_HITS).value() > 0) {
      action.accept(other);
    }
  }

  /** All counters that no limit has, by their names in statsd. */
  void eachCounter(BiConsumer<String, StatCounter> action) {
    service.forEach(action);
    unknownDomains.forEach((domain, counter) ->
        action.accept(LIMITS + sanitised(domain) + ".domain_not_found", counter));
    if (otherDomains.value() > 0) {
      action.accept(LIMITS + "other.domain_not_found", otherDomains);
    }
  }

  /** Forgets the keys of requests that were not hit at so many looks in a row. Of the flushing thread alone. */
  void forgetIdle(int looks) {
    ofRequests.forEach((key, limit) -> {
      if (limit.idleFor(looks) && ofRequests.remove(key, limit)) {
        ofRequestsCount.decrementAndGet();
      }
    });
  }

  /** Every statistic a line, {@code name: value}, by name. */
  public String text() {
    var lines = new TreeMap<String, Long>();
    eachLimit(limit -> {
      for (var stat : LimitStats.Stat.ALL) {
        lines.merge(limit.name(stat), limit.counter(stat).value(), Long::sum);
      }
    });
    eachCounter((name, counter) -> lines.merge(name, counter.value(), Long::sum));
    var text = new StringBuilder();
    lines.forEach((name, value) -> text.append(name).append(": ").append(value).append('\n'));
    return text.toString();
  }

  /** Colons and bars mean something to statsd, and the dots of an IPv4 address would be components. */
  static String sanitised(String key) {
    var text = key.replace(':', '_').replace('|', '_').replace('\n', '_');
    return IPV4.matcher(text).replaceAll(found -> found.group().replace('.', '_'));
  }
}
