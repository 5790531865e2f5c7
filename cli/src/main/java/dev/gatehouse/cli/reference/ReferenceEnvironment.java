package dev.gatehouse.cli.reference;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The variables of envoyproxy/ratelimit as they are set for this process. An empty one counts as not set.
 *
 * @param dropIn whether what is not set has the reference's default; else it is as if the variable were not there
 */
public record ReferenceEnvironment(Map<String, String> env, boolean dropIn) {
  /** By this {@code bin/ratelimit} says that it stands in for the reference's program. */
  public static final String DROP_IN = "GATEHOUSE_DROP_IN";

  public static ReferenceEnvironment of(Map<String, String> env) {
    return new ReferenceEnvironment(env, Boolean.parseBoolean(env.get(DROP_IN)));
  }

  public boolean isSet(Variable variable) {
    return !env.getOrDefault(variable.name(), "").isEmpty();
  }

  /** What is set, or the default where that holds. */
  public Optional<String> text(Variable variable) {
    return isSet(variable)
        ? Optional.of(env.getOrDefault(variable.name(), ""))
        : Optional.of(variable.usual()).filter(usual -> dropIn && !usual.isEmpty());
  }

  /** What is set, or the reference's default even where this is no drop-in. */
  public String textOrUsual(Variable variable) {
    return isSet(variable) ? env.getOrDefault(variable.name(), "") : variable.usual();
  }

  /** False too for what is none, which {@link #problems} tells of. */
  public boolean flag(Variable variable) {
    return text(variable)
        .filter(value -> List.of("1", "t", "T", "TRUE", "true", "True").contains(value))
        .isPresent();
  }

  public Duration duration(Variable variable) {
    return GoValues.duration(textOrUsual(variable));
  }

  public long number(Variable variable) {
    return Long.parseLong(textOrUsual(variable));
  }

  public double fraction(Variable variable) {
    return Double.parseDouble(textOrUsual(variable));
  }

  public Map<String, String> pairs(Variable variable) {
    return GoValues.pairs(textOrUsual(variable));
  }

  /** All that is wrong with what is set, a sentence each. To be asked before anything is read. */
  public List<String> problems() {
    var problems = new ArrayList<String>();
    for (var variable : Variable.values()) {
      if (isSet(variable) && variable.honour() instanceof Honour.Here) {
        check(variable, problems);
      }
    }
    if (problems.isEmpty()) {
      refuse(problems);
    }
    return problems;
  }

  private void check(Variable variable, List<String> problems) {
    var value = env.getOrDefault(variable.name(), "");
    try {
      variable.kind().check(value);
    } catch (IllegalArgumentException e) {
      problems.add(variable + "=" + value + " (expected: " + variable.kind().expected() + ")");
    }
  }

  private void refuse(List<String> problems) {
    if (textOrUsual(Variable.BACKEND_TYPE).equalsIgnoreCase("memcache")) {
      problems.add(
          "BACKEND_TYPE=memcache: Memcached is not supported; set BACKEND_TYPE=redis and REDIS_URL,"
              + " or BACKEND_TYPE=memory for counters of this process alone");
    }
    if (flag(Variable.REDIS_PERSECOND)) {
      problems.add(
          "REDIS_PERSECOND=true: a second Redis is not supported; unset it, and all limits are in the"
              + " Redis of REDIS_URL");
    }
    if (flag(Variable.USE_DOG_STATSD)) {
      problems.add(
          "USE_DOG_STATSD=true: DogStatsD is not supported; set USE_STATSD=true, which DogStatsD's agent"
              + " understands too, or USE_PROMETHEUS=true");
    }
  }

  /** What is set and not honoured, a sentence each. */
  public List<String> notHonoured() {
    return Arrays.stream(Variable.values())
        .filter(this::isSet)
        .flatMap(variable -> variable.honour() instanceof Honour.No(var instead)
            ? java.util.stream.Stream.of(variable + " is set and not honoured: " + instead)
            : java.util.stream.Stream.empty())
        .toList();
  }
}
