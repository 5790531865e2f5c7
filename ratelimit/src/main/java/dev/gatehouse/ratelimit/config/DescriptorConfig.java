package dev.gatehouse.ratelimit.config;

import com.google.protobuf.Struct;
import dev.gatehouse.policy.resource.Origin;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One entry of envoyproxy/ratelimit's {@code descriptors}.
 *
 * @param value empty matches every value of the key; {@code *} in it stands for any text
 * @param limit null where nothing limits what ends here
 * @param shadowMode counted and never denied; of this limit alone, not of those below
 * @param metadata told in the answer's dynamic metadata when the limit passes; null for none
 */
public record DescriptorConfig(
    String key,
    String value,
    @Nullable LimitConfig limit,
    List<DescriptorConfig> descriptors,
    boolean shadowMode,
    boolean quotaMode,
    boolean detailedMetric,
    boolean valueToMetric,
    boolean shareThreshold,
    @Nullable Struct metadata,
    Origin origin) {
  public DescriptorConfig {
    descriptors = List.copyOf(descriptors);
  }
}
