package dev.gatehouse.ratelimit.config.xds;

import com.google.protobuf.Any;
import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.ratelimit.config.Sources;
import java.util.List;
import java.util.SplittableRandom;

/** The configuration as a control plane serves it over xDS ({@code CONFIG_TYPE=GRPC_XDS_SOTW}). */
public final class XdsSource implements AutoCloseable {
  private final AdsClient client;

  private XdsSource(AdsClient client) {
    this.client = client;
  }

  /** Connects, and stays connected; returns at once. */
  public static XdsSource start(XdsSettings settings, Sources sources) {
    sources.expectConfig();
    var client = new AdsClient(settings, new Offer(sources), new SplittableRandom());
    client.start();
    return new XdsSource(client);
  }

  private record Offer(Sources sources) implements Subscription.Receiver {
    @Override
    public List<String> arrive(String version, List<Any> resources) {
      var problems = new Problems();
      var configs = Resources.read(resources, problems);
      return sources.offer(configs, problems).stream().map(Problem::toString).toList();
    }

    @Override
    public Object conditions() {
      return sources.policies();
    }
  }

  /** What is in force stays so. */
  @Override
  public void close() {
    client.close();
  }
}
