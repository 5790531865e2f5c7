package dev.gatehouse.authz;

import dev.gatehouse.authz.certificate.Authorities;
import dev.gatehouse.authz.certificate.BadAuthorities;
import dev.gatehouse.authz.certificate.ClientCertificates;
import dev.gatehouse.authz.certificate.Subjects;
import dev.gatehouse.authz.rules.Cidrs;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.ObjectRef;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.SecurityPolicy.ClientCertificate;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Makes a method of a policy's {@code clientCertificate}: its authorities, subjects and trusted proxies. */
final class CertificateCompiler {
  private static final String KEY = "ca.crt";
  private static final String PATH = "spec.clientCertificate";

  private final PolicySet policies;
  private final ClientCertificates certificates;
  private final Problems problems;

  CertificateCompiler(PolicySet policies, ClientCertificates certificates, Problems problems) {
    this.policies = policies;
    this.certificates = certificates;
    this.problems = problems;
  }

  /** Null with the problem said; an object that is not there was reported when the policy was attached. */
  @Nullable
  CertificateMethod compile(ClientCertificate auth) {
    var pem = pem(auth.ca());
    if (pem == null) {
      if (policies.secret(auth.ca()) != null || policies.configMap(auth.ca()) != null) {
        problems.error(
            auth.ca().origin(),
            PATH,
            auth.ca().kind() + " \"" + auth.ca().namespace() + "/" + auth.ca().name()
                + "\" has no key " + KEY);
      }
      return null;
    }
    try {
      return new CertificateMethod(
          certificates,
          Authorities.parse(pem),
          Subjects.of(auth.subjects()),
          auth.forwarded() ? Cidrs.of(auth.trusted()) : null);
    } catch (BadAuthorities e) {
      e.problems()
          .forEach(each -> problems.error(auth.ca().origin(), PATH + "[" + KEY + "]", each));
    } catch (IllegalArgumentException e) {
      problems.error(auth.origin(), PATH, String.valueOf(e.getMessage()));
    }
    return null;
  }

  private @Nullable String pem(ObjectRef ref) {
    var secret = policies.secret(ref);
    if (secret != null) {
      var bytes = secret.data().get(KEY);
      return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }
    var map = policies.configMap(ref);
    return map == null ? null : map.data().get(KEY);
  }
}
