package dev.gatehouse.e2e;

import com.google.protobuf.UInt64Value;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.Entry;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.RateLimitOverride;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import io.envoyproxy.envoy.type.v3.RateLimitUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;

/** A random configuration of envoyproxy/ratelimit with all of its fields, and requests that meet it more often than not. */
final class ReferenceConfig {
  private static final List<String> KEYS = List.of("user", "path", "plan", "ip");
  private static final List<String> VALUES =
      List.of("", "", "a", "b", "abc", "a*", "*c", "a*c", "*");
  private static final List<String> SENT = List.of("a", "b", "abc", "abbc", "c", "x", "a*", "");
  private static final List<String> UNITS = List.of("hour", "DAY", "Week", "month", "year");

  private final List<Node> roots;

  private record Node(String key, String value, String yaml, List<Node> children) {}

  ReferenceConfig(Random random) {
    roots = level(random, 0);
  }

  private static List<Node> level(Random random, int depth) {
    var nodes = new ArrayList<Node>();
    var taken = new HashSet<String>();
    for (int i = 1 + random.nextInt(depth == 0 ? 8 : 4); i > 0; i--) {
      var key = pick(random, KEYS);
      var value = pick(random, VALUES);
      if (taken.add(key + "=" + value)) {
        var children =
            depth < 2 && random.nextInt(3) > 0 ? level(random, depth + 1) : List.<Node>of();
        nodes.add(new Node(key, value, fields(random, value, children.isEmpty()), children));
      }
    }
    return nodes;
  }

  private static String fields(Random random, String value, boolean leaf) {
    var yaml = new StringBuilder();
    if (leaf || random.nextInt(3) == 0) {
      yaml.append(limit(random));
    }
    flag(yaml, random, 8, "shadow_mode");
    flag(yaml, random, 8, "quota_mode");
    flag(yaml, random, 6, "detailed_metric");
    flag(yaml, random, 6, "value_to_metric");
    if (value.contains("*")) {
      flag(yaml, random, 2, "share_threshold");
    }
    if (random.nextInt(6) == 0) {
      yaml.append("metadata: {tier: ")
          .append(random.nextInt(3))
          .append(", nested: {more: text}}\n");
    }
    return yaml.toString();
  }

  private static String limit(Random random) {
    if (random.nextInt(12) == 0) {
      return "rate_limit: {unlimited: true}\n";
    }
    var name = random.nextInt(3) == 0 ? "name: n" + random.nextInt(4) + ", " : "";
    var replaces =
        random.nextInt(6) == 0 ? "replaces: [{name: n" + (4 + random.nextInt(2)) + "}], " : "";
    if (random.nextInt(10) == 0) {
      name = "name: n" + (4 + random.nextInt(2)) + ", ";
      replaces = "";
    }
    return "rate_limit: {" + name + replaces + "unit: " + pick(random, UNITS)
        + ", requests_per_unit: " + random.nextInt(40) + "}\n";
  }

  private static void flag(StringBuilder yaml, Random random, int oneIn, String name) {
    if (random.nextInt(oneIn) == 0) {
      yaml.append(name).append(": true\n");
    }
  }

  String yaml() {
    var yaml = new StringBuilder("domain: shop\ndescriptors:\n");
    roots.forEach(node -> append(yaml, node, ""));
    return yaml.toString();
  }

  private static void append(StringBuilder yaml, Node node, String indent) {
    yaml.append(indent).append("- key: ").append(node.key).append('\n');
    if (!node.value.isEmpty()) {
      yaml.append(indent).append("  value: \"").append(node.value).append("\"\n");
    }
    node.yaml
        .lines()
        .forEach(line -> yaml.append(indent).append("  ").append(line).append('\n'));
    if (!node.children.isEmpty()) {
      yaml.append(indent).append("  descriptors:\n");
      node.children.forEach(child -> append(yaml, child, indent + "  "));
    }
  }

  RateLimitRequest request(Random random) {
    var request =
        RateLimitRequest.newBuilder().setDomain(random.nextInt(40) == 0 ? "other" : "shop");
    if (random.nextInt(200) == 0) {
      return request.clearDomain().build();
    }
    for (int i = 1 + random.nextInt(3); i > 0 && random.nextInt(300) > 0; i--) {
      request.addDescriptors(descriptor(random));
    }
    if (random.nextInt(4) == 0) {
      request.setHitsAddend(random.nextInt(5));
    }
    return request.build();
  }

  private RateLimitDescriptor descriptor(Random random) {
    var descriptor = RateLimitDescriptor.newBuilder();
    var level = roots;
    do {
      var node = random.nextInt(10) == 0 ? null : level.get(random.nextInt(level.size()));
      var key = node == null ? pick(random, KEYS) : node.key;
      var value = node == null || node.value.isEmpty() || node.value.contains("*")
          ? pick(random, SENT)
          : node.value;
      descriptor.addEntries(Entry.newBuilder().setKey(key).setValue(value));
      level = node == null ? List.of() : node.children;
    } while (!level.isEmpty() && random.nextInt(5) > 0);
    if (random.nextInt(6) == 0) {
      descriptor.setHitsAddend(UInt64Value.of(random.nextInt(4)));
    }
    if (random.nextInt(25) == 0) {
      descriptor.setLimit(RateLimitOverride.newBuilder()
          .setRequestsPerUnit(random.nextInt(30))
          .setUnit(random.nextBoolean() ? RateLimitUnit.HOUR : RateLimitUnit.DAY));
    }
    return descriptor.build();
  }

  private static <T> T pick(Random random, List<T> from) {
    return from.get(random.nextInt(from.size()));
  }
}
