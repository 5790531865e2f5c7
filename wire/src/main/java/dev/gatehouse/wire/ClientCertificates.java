package dev.gatehouse.wire;

import static dev.gatehouse.wire.Tree.map;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.SecurityPolicy;
import dev.gatehouse.policy.resource.SecurityPolicy.ClientCertificate;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What Envoy must do for policies with {@code clientCertificate}. It asks for a certificate and refuses none: ext-authz verifies it
 * against the policy's own authorities, and other routes of the listener take callers without.
 *
 * <p>{@link #HEADER} ends here. Envoy lets a client's through its connection manager only where some policy takes it ({@code Forwarded}),
 * takes it out of requests for all other routes before anybody sees it, and never sends it to an upstream: who is the caller, a policy says
 * in headers of its own.
 */
final class ClientCertificates {
  static final String HEADER = "x-forwarded-client-cert";

  private ClientCertificates() {}

  /** Fields of {@code CommonTlsContext}: how Envoy looks at clients of a TLS listener. */
  static Map<String, Object> validation(PolicySet policies, Site site) {
    return fromPeer(policies, site)
        ? map("validation_context", map("trust_chain_verification", "ACCEPT_UNTRUSTED"))
        : map();
  }

  /** {@code require_client_certificate}: said only where Envoy asks, as it wants it said. */
  static @Nullable Boolean required(PolicySet policies, Site site) {
    return fromPeer(policies, site) ? false : null;
  }

  /**
   * {@code forward_client_cert_details} of the connection manager of these listeners; null is Envoy's own, {@code SANITIZE}. {@code
   * FORWARD_ONLY} would not do: it takes the header away where the proxy in front has no certificate itself.
   */
  static @Nullable String forwarding(PolicySet policies, List<Site> sites) {
    for (var site : sites) {
      for (var rule : policies.rules()) {
        if (rule.listener().equals(site.key()) && forwarded(rule)) {
          return "ALWAYS_FORWARD_ONLY";
        }
      }
    }
    return null;
  }

  /** Whether any policy takes certificates that are forwarded, so that the header must be kept from those that do not. */
  static boolean anyForwarded(PolicySet policies) {
    return policies.rules().stream().anyMatch(ClientCertificates::forwarded);
  }

  static boolean forwarded(AttachedRule rule) {
    var wanted = wanted(rule);
    return wanted != null && wanted.forwarded();
  }

  /** Says which policies want a certificate of callers who cannot show one, because they come by plain HTTP. */
  static void checkPlain(PolicySet policies, Site site, Problems problems) {
    policies.rules().stream()
        .filter(rule -> rule.listener().equals(site.key()))
        .map(ClientCertificates::wanted)
        .filter(wanted -> wanted != null && !wanted.forwarded())
        .distinct()
        .forEach(wanted -> problems.warning(
            wanted.origin(),
            "spec.clientCertificate",
            "listener %s is plain HTTP: nobody has a certificate there".formatted(site.key())));
  }

  private static boolean fromPeer(PolicySet policies, Site site) {
    return policies.rules().stream()
        .filter(rule -> rule.listener().equals(site.key()))
        .map(ClientCertificates::wanted)
        .anyMatch(wanted -> wanted != null && !wanted.forwarded());
  }

  private static @Nullable ClientCertificate wanted(AttachedRule rule) {
    return rule.security() instanceof Attachment.Of<SecurityPolicy>(var policy)
        ? policy.clientCertificate()
        : null;
  }
}
