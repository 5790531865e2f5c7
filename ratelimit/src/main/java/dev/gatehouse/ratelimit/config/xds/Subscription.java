package dev.gatehouse.ratelimit.config.xds;

import com.google.protobuf.Any;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.rpc.Code;
import com.google.rpc.Status;
import dev.gatehouse.envoy.ratelimit.config.v3.RateLimitConfig;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the control plane has told so far, over all streams, and what it is answered: an ACK names the version that is in force now, a
 * NACK the one that stays in force and everything that is wrong with the other (Envoy's xDS protocol, state of the world).
 *
 * <p>A stream begins without a version. A control plane that counts its versions anew after a restart would otherwise take an old
 * number for its own and send nothing; so each stream brings everything once, and what is in force already is not put in force again.
 * Not thread-safe.
 */
final class Subscription {
  static final String TYPE_URL =
      "type.googleapis.com/" + RateLimitConfig.getDescriptor().getFullName();

  private static final int MAX_DETAIL = 16_000;
  private static final Logger LOG = LoggerFactory.getLogger(Subscription.class);

  private final Node node;
  private final Receiver receiver;
  private String version = "";
  private @Nullable Set<Any> accepted;
  private @Nullable Refused refused;

  /** Whoever puts the resources in force. */
  interface Receiver {
    /**
     * All resources that there are.
     *
     * @return everything that is wrong, and then nothing has changed; empty when they are in force
     */
    List<String> arrive(String version, List<Any> resources);

    /** What else decides whether they are wrong; another object when that has changed. */
    default Object conditions() {
      return "none";
    }
  }

  private record Refused(Set<Any> resources, Object conditions, String why) {}

  Subscription(XdsSettings settings, Receiver receiver) {
    this.node = node(settings);
    this.receiver = receiver;
  }

  /** A stream's first: everything of the type. */
  DiscoveryRequest first() {
    return request().build();
  }

  DiscoveryRequest answer(DiscoveryResponse response) {
    var why = refusal(response);
    if (why.isEmpty()) {
      version = response.getVersionInfo();
    }
    var answer = request().setVersionInfo(version).setResponseNonce(response.getNonce());
    if (!why.isEmpty()) {
      answer.setErrorDetail(
          Status.newBuilder().setCode(Code.INVALID_ARGUMENT_VALUE).setMessage(why));
    }
    return answer.build();
  }

  private String refusal(DiscoveryResponse response) {
    var type = response.getTypeUrl();
    if (!type.isEmpty() && !type.equals(TYPE_URL)) {
      return "type_url: \"" + type + "\" was not asked for (expected: " + TYPE_URL + ")";
    }
    // Their order says nothing: a control plane may keep them in a map.
    var all = Set.copyOf(response.getResourcesList());
    var before = refused;
    // What was refused may have come into force since, when the policies changed: then the one
    // before is news.
    if (before == null && all.equals(accepted)) {
      return "";
    }
    var conditions = receiver.conditions();
    if (before != null && before.conditions.equals(conditions) && all.equals(before.resources)) {
      return before.why;
    }
    var problems = arrive(response);
    if (problems.isEmpty()) {
      accepted = all;
      refused = null;
      return "";
    }
    var why = shortened(String.join("\n", problems));
    refused = new Refused(all, conditions, why);
    return why;
  }

  /** A fault of ours ends neither the stream nor what is in force. */
  private List<String> arrive(DiscoveryResponse response) {
    try {
      return receiver.arrive(response.getVersionInfo(), response.getResourcesList());
    } catch (RuntimeException | StackOverflowError e) {
      LOG.error("Version {} of the configuration could not be read", response.getVersionInfo(), e);
      return List.of("the configuration could not be read (" + e.getClass().getSimpleName()
          + ", a fault of Gatehouse; its log has more)");
    }
  }

  private static String shortened(String text) {
    return text.length() <= MAX_DETAIL ? text : text.substring(0, MAX_DETAIL) + "…";
  }

  private DiscoveryRequest.Builder request() {
    return DiscoveryRequest.newBuilder().setNode(node).setTypeUrl(TYPE_URL);
  }

  private static Node node(XdsSettings settings) {
    var metadata = Struct.newBuilder();
    settings
        .nodeMetadata()
        .forEach((name, value) ->
            metadata.putFields(name, Value.newBuilder().setStringValue(value).build()));
    return Node.newBuilder()
        .setId(settings.nodeId())
        .setUserAgentName("gatehouse-ratelimit")
        .setMetadata(metadata)
        .build();
  }
}
