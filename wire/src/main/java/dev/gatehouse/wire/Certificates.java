package dev.gatehouse.wire;

import static dev.gatehouse.wire.Tree.map;
import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.Secret;
import java.io.ByteArrayInputStream;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The certificates and private keys of TLS listeners. Envoy refuses a whole listener for one that it cannot read, so what is plainly none
 * is found here and costs its own listener alone.
 */
final class Certificates {
  private final PolicySet policies;
  private final Problems problems;

  Certificates(PolicySet policies, Problems problems) {
    this.policies = policies;
    this.problems = problems;
  }

  /** {@code TlsCertificate}s; empty, with the problem said, if the listener cannot be served. */
  List<Map<String, Object>> of(Site site) {
    var refs = site.listener().certificateRefs();
    var path = "spec.listeners[" + site.gateway().listeners().indexOf(site.listener())
        + "].tls.certificateRefs";
    if (refs.isEmpty()) {
      problems.error(
          site.listener().origin(),
          path,
          "an HTTPS listener needs a certificate: name a Secret of type kubernetes.io/tls; the listener is left out");
    }
    var all = new ArrayList<Map<String, Object>>();
    for (int i = 0; i < refs.size(); i++) {
      var ref = refs.get(i);
      var secret = policies.secret(ref);
      if (secret == null) {
        problems.error(
            ref.origin(),
            path + "[" + i + "]",
            "without this certificate listener %s is left out".formatted(site.key()));
        return List.of();
      }
      if (!sound(secret, ref.origin(), path + "[" + i + "]")) {
        return List.of();
      }
      all.add(map(
          "certificate_chain", map("inline_string", text(secret, "tls.crt")),
          "private_key", map("inline_string", text(secret, "tls.key"))));
    }
    return all;
  }

  private boolean sound(Secret secret, Origin origin, String path) {
    if (!text(secret, "tls.key").contains("PRIVATE KEY-----")) {
      problems.error(
          origin,
          path,
          secret.meta().title() + " (" + secret.meta().origin()
              + ") has no private key in PEM under \"tls.key\"; the listener is left out");
      return false;
    }
    try {
      var chain = CertificateFactory.getInstance("X.509")
          .generateCertificates(
              new ByteArrayInputStream(secret.data().getOrDefault("tls.crt", new byte[0])));
      if (!chain.isEmpty()) {
        return true;
      }
    } catch (CertificateException e) {
      // Said below; what a parser says of a certificate helps nobody.
    }
    problems.error(
        origin,
        path,
        secret.meta().title() + " (" + secret.meta().origin()
            + ") has no certificate in PEM under \"tls.crt\"; the listener is left out");
    return false;
  }

  private static String text(Secret secret, String key) {
    return new String(secret.data().getOrDefault(key, new byte[0]), US_ASCII);
  }
}
