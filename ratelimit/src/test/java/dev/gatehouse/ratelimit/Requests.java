package dev.gatehouse.ratelimit;

import com.google.protobuf.UInt64Value;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import java.util.List;

/** Rate limit requests as Envoy sends them, for tests. */
final class Requests {
  private Requests() {}

  static RateLimitRequest request(RateLimitDescriptor... descriptors) {
    return request(Shop.DOMAIN, descriptors);
  }

  static RateLimitRequest request(String domain, RateLimitDescriptor... descriptors) {
    return RateLimitRequest.newBuilder()
        .setDomain(domain)
        .addAllDescriptors(List.of(descriptors))
        .build();
  }

  /** A descriptor of the shop's route; the rest of it as keys and values in turn. */
  static RateLimitDescriptor descriptor(String... keysAndValues) {
    var descriptor = RateLimitDescriptor.newBuilder().addEntries(entry(Shop.ROUTE, Shop.ROUTE));
    for (int i = 0; i < keysAndValues.length; i += 2) {
      descriptor.addEntries(entry(keysAndValues[i], keysAndValues[i + 1]));
    }
    return descriptor.build();
  }

  static RateLimitDescriptor adding(long hits, RateLimitDescriptor descriptor) {
    return descriptor.toBuilder().setHitsAddend(UInt64Value.of(hits)).build();
  }

  static RateLimitDescriptor.Entry entry(String key, String value) {
    return RateLimitDescriptor.Entry.newBuilder().setKey(key).setValue(value).build();
  }
}
