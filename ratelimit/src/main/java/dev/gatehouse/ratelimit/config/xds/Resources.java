package dev.gatehouse.ratelimit.config.xds;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import dev.gatehouse.envoy.ratelimit.config.v3.RateLimitConfig;
import dev.gatehouse.envoy.ratelimit.config.v3.RateLimitPolicy;
import dev.gatehouse.envoy.ratelimit.config.v3.RateLimitReplace;
import dev.gatehouse.envoy.ratelimit.config.v3.RateLimitUnit;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.ratelimit.config.DescriptorConfig;
import dev.gatehouse.ratelimit.config.DomainConfig;
import dev.gatehouse.ratelimit.config.LimitConfig;
import dev.gatehouse.ratelimit.descriptor.Unit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads the resources of a response. A field that this version does not know is told as a warning: it may have mattered. */
final class Resources {
  private final Problems problems;
  private Origin origin = Origin.NONE;

  private Resources(Problems problems) {
    this.problems = problems;
  }

  /** By name and domain, whatever the order in which a control plane's map gave them. */
  static List<DomainConfig> read(List<Any> resources, Problems problems) {
    var reader = new Resources(problems);
    var configs = new ArrayList<DomainConfig>(resources.size());
    for (int i = 0; i < resources.size(); i++) {
      var config = reader.resource(resources.get(i), i);
      if (config != null) {
        configs.add(config);
      }
    }
    configs.sort(Comparator.comparing(DomainConfig::name).thenComparing(DomainConfig::domain));
    return configs;
  }

  private @Nullable DomainConfig resource(Any resource, int index) {
    origin = new Origin("xds/" + index, 0, 0);
    if (!resource.getTypeUrl().endsWith("/" + RateLimitConfig.getDescriptor().getFullName())) {
      problems.error(
          origin,
          "",
          "\"" + resource.getTypeUrl() + "\" is no rate limit configuration (expected: "
              + Subscription.TYPE_URL + ")");
      return null;
    }
    try {
      return domain(RateLimitConfig.parseFrom(resource.getValue()), index);
    } catch (InvalidProtocolBufferException e) {
      problems.error(origin, "", "cannot be read: " + e.getMessage());
      return null;
    }
  }

  private DomainConfig domain(RateLimitConfig config, int index) {
    var name = config.getName().isEmpty() ? String.valueOf(index) : config.getName();
    origin = new Origin("xds/" + name, 0, 0);
    warnOfUnknown(config, "");
    return new DomainConfig(
        name, config.getDomain(), descriptors(config.getDescriptorsList(), "descriptors"), origin);
  }

  private List<DescriptorConfig> descriptors(
      List<dev.gatehouse.envoy.ratelimit.config.v3.RateLimitDescriptor> descriptors, String at) {
    var read = new ArrayList<DescriptorConfig>(descriptors.size());
    for (int i = 0; i < descriptors.size(); i++) {
      var path = at + "[" + i + "]";
      var descriptor = descriptors.get(i);
      warnOfUnknown(descriptor, path);
      read.add(new DescriptorConfig(
          descriptor.getKey(),
          descriptor.getValue(),
          descriptor.hasRateLimit() ? limit(descriptor.getRateLimit(), path + ".rate_limit") : null,
          descriptors(descriptor.getDescriptorsList(), path + ".descriptors"),
          descriptor.getShadowMode(),
          descriptor.getQuotaMode(),
          descriptor.getDetailedMetric(),
          false,
          false,
          descriptor.hasMetadata() ? descriptor.getMetadata() : null,
          origin));
    }
    return read;
  }

  private LimitConfig limit(RateLimitPolicy limit, String at) {
    warnOfUnknown(limit, at);
    limit.getReplacesList().forEach(replace -> warnOfUnknown(replace, at + ".replaces"));
    return new LimitConfig(
        Integer.toUnsignedLong(limit.getRequestsPerUnit()),
        unit(limit, at),
        1,
        limit.getUnlimited(),
        limit.getName(),
        limit.getReplacesList().stream().map(RateLimitReplace::getName).toList(),
        null,
        null,
        origin);
  }

  private @Nullable Unit unit(RateLimitPolicy limit, String at) {
    return switch (limit.getUnit()) {
      case UNKNOWN -> null;
      case SECOND -> Unit.SECOND;
      case MINUTE -> Unit.MINUTE;
      case HOUR -> Unit.HOUR;
      case DAY -> Unit.DAY;
      case WEEK -> Unit.WEEK;
      case MONTH -> Unit.MONTH;
      case YEAR -> Unit.YEAR;
      case UNRECOGNIZED -> {
        problems.error(
            origin,
            at + ".unit",
            "value: " + limit.getUnitValue() + " (expected: 1 to " + RateLimitUnit.WEEK_VALUE
                + ", SECOND to WEEK)");
        yield Unit.SECOND;
      }
    };
  }

  private void warnOfUnknown(Message message, String at) {
    message
        .getUnknownFields()
        .asMap()
        .keySet()
        .forEach(number -> problems.warning(
            origin,
            at,
            "field number " + number + " of " + message.getDescriptorForType().getName()
                + " is not known to this version, and ignored"));
  }
}
