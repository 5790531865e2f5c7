package dev.gatehouse.cli.reference;

import dev.gatehouse.cli.reference.Honour.Here;
import dev.gatehouse.cli.reference.Honour.No;
import dev.gatehouse.cli.reference.Kind.Flag;
import dev.gatehouse.cli.reference.Kind.Fraction;
import dev.gatehouse.cli.reference.Kind.OneOf;
import dev.gatehouse.cli.reference.Kind.Pairs;
import dev.gatehouse.cli.reference.Kind.Text;
import dev.gatehouse.cli.reference.Kind.Time;
import dev.gatehouse.cli.reference.Kind.Whole;
import java.time.Duration;

/**
 * Every environment variable of envoyproxy/ratelimit, by its name, and those that Envoy Gateway sets for it. The one place that knows them:
 * settings are read by it, {@code --help} and docs/ratelimit-compatibility.md list it, and a start reports what is set and not honoured.
 */
@SuppressWarnings("ImmutableEnumChecker") // what it holds are records of texts and numbers
public enum Variable {
  HOST(
      Group.LISTENERS,
      "0.0.0.0",
      new Text(),
      "address of HTTP: /healthcheck, /json",
      alsoAlone("PORT")),
  PORT(Group.LISTENERS, "8080", new Whole(0, 65_535), "port of HTTP", flag("--admin")),
  GRPC_HOST(Group.LISTENERS, "0.0.0.0", new Text(), "address of gRPC", flag("--listen")),
  GRPC_PORT(Group.LISTENERS, "8081", new Whole(0, 65_535), "port of gRPC", flag("--listen")),
  GRPC_UDS(
      Group.LISTENERS,
      "",
      new Text(),
      "path of a socket for gRPC, instead of host and port",
      here()),
  GRPC_MAX_CONNECTION_AGE(
      Group.LISTENERS,
      "24h",
      new Time(),
      "after which a connection is asked to go; 0 is never",
      flag("--max-connection-age")),
  GRPC_MAX_CONNECTION_AGE_GRACE(
      Group.LISTENERS,
      "1h",
      new Time(),
      "after which it is then closed",
      flag("--max-connection-age-grace")),
  DEBUG_HOST(Group.LISTENERS, "0.0.0.0", new Text(), "address of the debug pages", flag("--debug")),
  DEBUG_PORT(
      Group.LISTENERS,
      "6070",
      new Whole(0, 65_535),
      "port of the debug pages: /, /stats, /rlconfig",
      flag("--debug")),

  GRPC_SERVER_USE_TLS(Group.TLS, "false", new Flag(), "gRPC takes TLS only", here()),
  GRPC_SERVER_TLS_CERT(
      Group.TLS, "", new Text(), "file of the certificate chain", flag("--tls-cert")),
  GRPC_SERVER_TLS_KEY(Group.TLS, "", new Text(), "file of the private key", flag("--tls-key")),
  GRPC_CLIENT_TLS_CACERT(
      Group.TLS,
      "",
      new Text(),
      "file of the CA that a client's certificate must be of",
      flag("--tls-client-ca")),
  GRPC_SERVER_TLS_CA_CERT(
      Group.TLS,
      "",
      new Text(),
      "the same under the name that Envoy Gateway sets",
      here("checked; the reference never reads it")),
  GRPC_CLIENT_TLS_SAN(
      Group.TLS,
      "",
      new Text(),
      "DNS name that a client's certificate must be for",
      flag("--tls-client-name")),

  LOG_LEVEL(
      Group.LOGS,
      "WARN",
      new Text(),
      "trace, debug, info, warn, error, fatal or panic",
      flag("--log-level")),
  LOG_FORMAT(
      Group.LOGS,
      "text",
      new OneOf("text", "json"),
      "text or json",
      here("the members of a JSON line have our names")),

  CONFIG_TYPE(
      Group.CONFIGURATION,
      "FILE",
      new OneOf("FILE", "GRPC_XDS_SOTW"),
      "where limits come from",
      here()),
  FORCE_START_WITHOUT_INITIAL_CONFIG(
      Group.CONFIGURATION,
      "false",
      new Flag(),
      "serve before there is a configuration",
      here(
          "until then requests are answered with an error, as there; without it the process is not ready")),
  MERGE_DOMAIN_CONFIG(
      Group.CONFIGURATION, "false", new Flag(), "several files may define one domain", here()),
  HEALTHY_WITH_AT_LEAST_ONE_CONFIG_LOADED(
      Group.CONFIGURATION,
      "false",
      new Flag(),
      "unhealthy until a configuration with a domain is loaded",
      here()),
  RUNTIME_ROOT(
      Group.CONFIGURATION,
      "/srv/runtime_data/current",
      new Text(),
      "folder, or link to one, of the files",
      here()),
  RUNTIME_SUBDIRECTORY(Group.CONFIGURATION, "", new Text(), "folder below it", here()),
  RUNTIME_APPDIRECTORY(
      Group.CONFIGURATION, "config", new Text(), "folder below that, with the YAML files", here()),
  RUNTIME_IGNOREDOTFILES(
      Group.CONFIGURATION, "false", new Flag(), "leave out what begins with a dot", here()),
  RUNTIME_WATCH_ROOT(
      Group.CONFIGURATION,
      "true",
      new Flag(),
      "watch the link at the root, not the files",
      here("both are watched")),

  CONFIG_GRPC_XDS_NODE_ID(Group.XDS, "default", new Text(), "node id", here()),
  CONFIG_GRPC_XDS_NODE_METADATA(Group.XDS, "", new Text(), "node metadata, a=1,b=2", here()),
  CONFIG_GRPC_XDS_SERVER_URL(
      Group.XDS, "localhost:18000", new Text(), "host:port of the ADS server", here()),
  CONFIG_GRPC_XDS_SERVER_CONNECT_RETRY_INTERVAL(
      Group.XDS,
      "3s",
      new Time(),
      "wait between attempts while there is no connection",
      here("half to one and a half of it")),
  CONFIG_GRPC_XDS_CLIENT_ADDITIONAL_HEADERS(
      Group.XDS, "", new Pairs(), "metadata of the stream, a:1,b:2", here()),
  CONFIG_GRPC_XDS_SERVER_USE_TLS(Group.XDS, "false", new Flag(), "connect with TLS", here()),
  CONFIG_GRPC_XDS_CLIENT_TLS_CERT(
      Group.XDS, "", new Text(), "file of our certificate chain", here()),
  CONFIG_GRPC_XDS_CLIENT_TLS_KEY(Group.XDS, "", new Text(), "file of our private key", here()),
  CONFIG_GRPC_XDS_SERVER_TLS_CACERT(Group.XDS, "", new Text(), "file of the server's CA", here()),
  CONFIG_GRPC_XDS_SERVER_TLS_SAN(
      Group.XDS,
      "",
      new Text(),
      "name that the server's certificate must be for",
      here("instead of the URL's host")),
  XDS_CLIENT_BACKOFF_INITIAL_INTERVAL(
      Group.XDS,
      "10s",
      new Time(),
      "wait after a stream has ended",
      here("twice as long each time")),
  XDS_CLIENT_BACKOFF_MAX_INTERVAL(Group.XDS, "60s", new Time(), "the longest wait", here()),
  XDS_CLIENT_BACKOFF_RANDOM_FACTOR(
      Group.XDS, "0.5", new Fraction(), "part of a wait that is random", here()),
  XDS_CLIENT_BACKOFF_JITTER(Group.XDS, "true", new Flag(), "waits are random", here()),
  XDS_CLIENT_MAX_MSG_SIZE_IN_BYTES(
      Group.XDS, "", new Whole(1, Integer.MAX_VALUE), "the largest response", here()),

  EXPIRATION_JITTER_MAX_SECONDS(
      Group.LIMITER,
      "300",
      new Whole(0, Integer.MAX_VALUE),
      "keys expire so much later at random",
      no("keys expire with their windows, to the millisecond: Redis removes them one by one")),
  LOCAL_CACHE_SIZE_IN_BYTES(
      Group.LIMITER,
      "0",
      new Whole(0, Integer.MAX_VALUE),
      "memory for keys that are known to be over their limit; 0 asks Redis always",
      here()),
  NEAR_LIMIT_RATIO(
      Group.LIMITER,
      "0.8",
      new Fraction(),
      "part of a limit above which near_limit counts",
      here()),
  CACHE_KEY_PREFIX(
      Group.LIMITER, "", new Text(), "before every key in Redis", flag("--redis-key-prefix")),
  BACKEND_TYPE(
      Group.LIMITER,
      "redis",
      new OneOf("redis", "memcache", "memory"),
      "where counters are",
      here("memcache is refused; memory is ours: this process's own")),
  STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT(
      Group.LIMITER,
      "false",
      new Flag(),
      "a request that is over a limit consumes none",
      here("exactly and in one round trip, as --all-or-nothing")),
  SHADOW_MODE(Group.LIMITER, "false", new Flag(), "nothing is denied", here()),
  QUOTA_MODE(Group.LIMITER, "false", new Flag(), "every limit is a quota", here()),
  RESPONSE_DYNAMIC_METADATA(
      Group.LIMITER, "false", new Flag(), "answers hold dynamic metadata", here()),
  USE_CALENDAR_MONTH_RATE_LIMIT(
      Group.LIMITER,
      "false",
      new Flag(),
      "MONTH is the calendar's month in UTC, not 30 days",
      here()),
  LIMIT_RESPONSE_HEADERS_ENABLED(
      Group.LIMITER, "false", new Flag(), "answers hold headers with the limit", here()),
  LIMIT_LIMIT_HEADER(
      Group.LIMITER, "RateLimit-Limit", new Text(), "name of the header with the limit", here()),
  LIMIT_REMAINING_HEADER(
      Group.LIMITER,
      "RateLimit-Remaining",
      new Text(),
      "name of the header with what is left",
      here()),
  LIMIT_RESET_HEADER(
      Group.LIMITER,
      "RateLimit-Reset",
      new Text(),
      "name of the header with the seconds until the window ends",
      here()),

  REDIS_TYPE(
      Group.REDIS,
      "SINGLE",
      new OneOf("SINGLE", "SENTINEL", "CLUSTER"),
      "what REDIS_URL names",
      here()),
  REDIS_SOCKET_TYPE(
      Group.REDIS, "unix", new OneOf("unix", "tcp"), "what kind of address REDIS_URL is", here()),
  REDIS_URL(
      Group.REDIS,
      "/var/run/nutcracker/ratelimit.sock",
      new Text(),
      "a socket, host:port, a URL, MASTER,host:port,… of Sentinels, host:port,… of a cluster",
      flag("--redis-url")),
  REDIS_POOL_SIZE(
      Group.REDIS,
      "10",
      new Whole(0, Integer.MAX_VALUE),
      "connections",
      no("one connection an event loop carries all: --event-loops")),
  REDIS_TIMEOUT(
      Group.REDIS,
      "10s",
      new Time(Duration.ofMillis(1)),
      "how long Redis may take",
      here("the default is 10ms, below the 20 ms that Envoy waits; --redis-timeout")),
  REDIS_AUTH(Group.REDIS, "", new Text(), "password, or user:password", here()),
  REDIS_SENTINEL_AUTH(Group.REDIS, "", new Text(), "the same for the Sentinels", here()),
  REDIS_TLS(Group.REDIS, "false", new Flag(), "connect with TLS", here()),
  REDIS_TLS_CLIENT_CERT(Group.REDIS, "", new Text(), "file of our certificate chain", here()),
  REDIS_TLS_CLIENT_KEY(Group.REDIS, "", new Text(), "file of our private key", here()),
  REDIS_TLS_CACERT(
      Group.REDIS, "", new Text(), "file of the server's CA; without it the system's", here()),
  REDIS_TLS_SKIP_HOSTNAME_VERIFICATION(
      Group.REDIS, "false", new Flag(), "take a certificate of that CA for any host", here()),
  REDIS_HEALTH_CHECK_ACTIVE_CONNECTION(
      Group.REDIS, "false", new Flag(), "unhealthy while there is no connection", here()),
  REDIS_PIPELINE_WINDOW(
      Group.REDIS,
      "0",
      new Time(),
      "how long commands are gathered",
      no("commands of one round of a loop leave in one write")),
  REDIS_PIPELINE_LIMIT(
      Group.REDIS,
      "0",
      new Whole(0, Integer.MAX_VALUE),
      "(without effect in the reference)",
      no("without effect there either")),
  REDIS_CLUSTER_PIPELINE_PARALLELISM(
      Group.REDIS,
      "1",
      new Whole(0, Integer.MAX_VALUE),
      "nodes asked at a time",
      no("all nodes are asked at once")),
  REDIS_POOL_ON_EMPTY_BEHAVIOR(
      Group.REDIS,
      "WAIT",
      new Text(),
      "what happens without a free connection",
      no("there is no pool")),
  REDIS_STARTUP_INITIAL_INTERVAL(
      Group.REDIS,
      "1s",
      new Time(),
      "wait before Redis is tried again at start",
      no("it starts without Redis and connects when it can")),
  REDIS_STARTUP_MAX_INTERVAL(
      Group.REDIS,
      "30s",
      new Time(),
      "the longest such wait",
      no("it starts without Redis and connects when it can")),
  REDIS_STARTUP_MAX_ELAPSED_TIME(
      Group.REDIS,
      "0",
      new Time(),
      "when that is given up; 0 is never",
      no("it starts without Redis and connects when it can")),
  REDIS_PERSECOND(
      Group.PER_SECOND,
      "false",
      new Flag(),
      "limits a second are in another Redis",
      here("true is refused")),
  REDIS_PERSECOND_SOCKET_TYPE(
      Group.PER_SECOND, "unix", new Text(), "as REDIS_SOCKET_TYPE", no("one Redis has all limits")),
  REDIS_PERSECOND_TYPE(
      Group.PER_SECOND, "SINGLE", new Text(), "as REDIS_TYPE", no("one Redis has all limits")),
  REDIS_PERSECOND_URL(
      Group.PER_SECOND,
      "/var/run/nutcracker/ratelimitpersecond.sock",
      new Text(),
      "as REDIS_URL",
      no("one Redis has all limits")),
  REDIS_PERSECOND_POOL_SIZE(
      Group.PER_SECOND, "10", new Text(), "as REDIS_POOL_SIZE", no("one Redis has all limits")),
  REDIS_PERSECOND_TIMEOUT(
      Group.PER_SECOND, "10s", new Text(), "as REDIS_TIMEOUT", no("one Redis has all limits")),
  REDIS_PERSECOND_AUTH(
      Group.PER_SECOND, "", new Text(), "as REDIS_AUTH", no("one Redis has all limits")),
  REDIS_PERSECOND_SENTINEL_AUTH(
      Group.PER_SECOND, "", new Text(), "as REDIS_SENTINEL_AUTH", no("one Redis has all limits")),
  REDIS_PERSECOND_TLS(
      Group.PER_SECOND, "false", new Text(), "as REDIS_TLS", no("one Redis has all limits")),
  REDIS_PERSECOND_PIPELINE_WINDOW(
      Group.PER_SECOND,
      "0",
      new Text(),
      "as REDIS_PIPELINE_WINDOW",
      no("one Redis has all limits")),
  REDIS_PERSECOND_PIPELINE_LIMIT(
      Group.PER_SECOND, "0", new Text(), "as REDIS_PIPELINE_LIMIT", no("one Redis has all limits")),
  REDIS_PERSECOND_CLUSTER_PIPELINE_PARALLELISM(
      Group.PER_SECOND,
      "1",
      new Text(),
      "as REDIS_CLUSTER_PIPELINE_PARALLELISM",
      no("one Redis has all limits")),
  REDIS_PERSECOND_POOL_ON_EMPTY_BEHAVIOR(
      Group.PER_SECOND,
      "WAIT",
      new Text(),
      "as REDIS_POOL_ON_EMPTY_BEHAVIOR",
      no("one Redis has all limits")),

  MEMCACHE_HOST_PORT(
      Group.MEMCACHE, "", new Text(), "servers", no("counters are in Redis: REDIS_URL")),
  MEMCACHE_MAX_IDLE_CONNS(
      Group.MEMCACHE, "2", new Text(), "connections", no("counters are in Redis: REDIS_URL")),
  MEMCACHE_SRV(
      Group.MEMCACHE,
      "",
      new Text(),
      "DNS record of the servers",
      no("counters are in Redis: REDIS_URL")),
  MEMCACHE_SRV_REFRESH(
      Group.MEMCACHE,
      "0",
      new Text(),
      "how often it is asked for",
      no("counters are in Redis: REDIS_URL")),
  MEMCACHE_TLS(
      Group.MEMCACHE,
      "false",
      new Text(),
      "connect with TLS",
      no("counters are in Redis: REDIS_URL")),
  MEMCACHE_TLS_CLIENT_CERT(
      Group.MEMCACHE,
      "",
      new Text(),
      "file of our certificate chain",
      no("counters are in Redis: REDIS_URL")),
  MEMCACHE_TLS_CLIENT_KEY(
      Group.MEMCACHE,
      "",
      new Text(),
      "file of our private key",
      no("counters are in Redis: REDIS_URL")),
  MEMCACHE_TLS_CACERT(
      Group.MEMCACHE,
      "",
      new Text(),
      "file of the servers' CA",
      no("counters are in Redis: REDIS_URL")),
  MEMCACHE_TLS_SKIP_HOSTNAME_VERIFICATION(
      Group.MEMCACHE,
      "false",
      new Text(),
      "take a certificate for any host",
      no("counters are in Redis: REDIS_URL")),

  USE_STATSD(Group.STATISTICS, "true", new Flag(), "send statistics to statsd", here()),
  STATSD_HOST(Group.STATISTICS, "localhost", new Text(), "its host", here()),
  STATSD_PORT(Group.STATISTICS, "8125", new Whole(1, 65_535), "its port", here()),
  STATSD_PROTOCOL(Group.STATISTICS, "tcp", new OneOf("tcp", "udp"), "tcp or udp", here()),
  EXTRA_TAGS(
      Group.STATISTICS,
      "",
      new Pairs(),
      "tags of every statistic, a:1,b:2",
      here("labels in Prometheus")),
  STATS_FLUSH_INTERVAL(
      Group.STATISTICS,
      "10s",
      new Time(Duration.ofMillis(1)),
      "how often statistics are sent",
      here("Prometheus always reads the numbers of the moment")),
  DISABLE_STATS(Group.STATISTICS, "false", new Flag(), "no statistics", here()),
  USE_DOG_STATSD(
      Group.STATISTICS,
      "false",
      new Flag(),
      "send statistics to DogStatsD",
      here("true is refused")),
  USE_DOG_STATSD_MOGRIFIERS(
      Group.STATISTICS,
      "",
      new Text(),
      "how DogStatsD's names are made",
      no("PROMETHEUS_MAPPER_YAML maps names for Prometheus")),
  USE_PROMETHEUS(
      Group.STATISTICS,
      "false",
      new Flag(),
      "serve statistics to Prometheus",
      here("beside statsd, if both are on")),
  PROMETHEUS_ADDR(Group.STATISTICS, ":9090", new Text(), "where", flag("--prometheus")),
  PROMETHEUS_PATH(
      Group.STATISTICS,
      "/metrics",
      new Text(),
      "under which path",
      here("a slash is put before it if there is none")),
  PROMETHEUS_MAPPER_YAML(
      Group.STATISTICS,
      "",
      new Text(),
      "file with statsd_exporter's mapping",
      here("what of it is not honoured is reported")),
  PROMETHEUS_RESPONSE_TIME_AS_MILLISECONDS(
      Group.STATISTICS,
      "false",
      new Flag(),
      "response times in milliseconds; not with a mapper file",
      here()),

  TRACING_ENABLED(
      Group.TRACING,
      "false",
      new Flag(),
      "send traces",
      no("there are no traces yet; --decision-log tells of each decision")),
  TRACING_SERVICE_NAME(
      Group.TRACING, "RateLimit", new Text(), "name in traces", no("there are no traces yet")),
  TRACING_SERVICE_NAMESPACE(
      Group.TRACING, "", new Text(), "namespace in traces", no("there are no traces yet")),
  TRACING_SERVICE_INSTANCE_ID(
      Group.TRACING, "", new Text(), "instance in traces", no("there are no traces yet")),
  TRACING_EXPORTER_PROTOCOL(
      Group.TRACING, "http", new Text(), "http or grpc", no("there are no traces yet")),
  TRACING_SAMPLING_RATE(
      Group.TRACING,
      "1",
      new Text(),
      "part of the calls that are traced",
      no("there are no traces yet")),
  OTEL_EXPORTER_OTLP_ENDPOINT(
      Group.TRACING, "", new Text(), "where traces are sent", no("there are no traces yet"));

  /** What a variable is about, in the order in which help and the docs show it. */
  public enum Group {
    LISTENERS("Listeners"),
    TLS("TLS towards Envoy"),
    LOGS("Logs"),
    CONFIGURATION("Configuration from files"),
    XDS("Configuration by xDS"),
    LIMITER("Limiter"),
    REDIS("Redis"),
    PER_SECOND("A second Redis"),
    MEMCACHE("Memcached"),
    STATISTICS("Statistics"),
    TRACING("Traces");

    private final String title;

    Group(String title) {
      this.title = title;
    }

    public String title() {
      return title;
    }
  }

  private final Group group;
  private final String usual;
  private final Kind kind;
  private final String meaning;
  private final Honour honour;

  Variable(Group group, String usual, Kind kind, String meaning, Honour honour) {
    this.group = group;
    this.usual = usual;
    this.kind = kind;
    this.meaning = meaning;
    this.honour = honour;
  }

  private static Honour here() {
    return new Here("");
  }

  private static Honour here(String note) {
    return new Here(note);
  }

  private static Honour flag(String flag) {
    return new Here(flag);
  }

  private static Honour alsoAlone(String beside) {
    return new Here(
        "outside bin/ratelimit only beside " + beside + ", since shells set it; --admin");
  }

  private static Honour no(String instead) {
    return new No(instead);
  }

  public Group group() {
    return group;
  }

  /** The reference's default; empty if there is none. */
  public String usual() {
    return usual;
  }

  Kind kind() {
    return kind;
  }

  public String meaning() {
    return meaning;
  }

  public Honour honour() {
    return honour;
  }
}
