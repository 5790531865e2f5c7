package dev.gatehouse.ratelimit.config;

import dev.gatehouse.policy.resource.Origin;
import java.util.List;

/**
 * The limits of a domain as envoyproxy/ratelimit's configuration says them: what a YAML file or an xDS resource holds. As read; what is wrong
 * with its meaning {@link ConfigCompiler} says.
 *
 * @param name of the file or resource, for people
 */
public record DomainConfig(
    String name, String domain, List<DescriptorConfig> descriptors, Origin origin) {
  public DomainConfig {
    descriptors = List.copyOf(descriptors);
  }
}
