package dev.gatehouse.authz;

import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.ObjectRef;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.SecurityPolicy;
import dev.gatehouse.server.tls.ClientTls;
import dev.gatehouse.server.tls.TlsException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Reads the certificates for talking to an identity provider out of the objects that a policy names. */
final class ProviderTls {
  private static final String CA = "caCertificateRefs[0]";
  private static final String CLIENT = "clientCertificateRef";

  private ProviderTls() {}

  /** What is wrong, and with which field of {@code tls}. */
  static final class Unusable extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient Origin origin;
    private final String field;

    private Unusable(ObjectRef ref, String field, String message) {
      super(message);
      this.origin = ref.origin();
      this.field = field;
    }

    Origin origin() {
      return origin;
    }

    String field() {
      return field;
    }

    String message() {
      return Objects.requireNonNull(getMessage());
    }
  }

  /** @throws Unusable if an object is not there or does not hold what it should */
  static ClientTls of(SecurityPolicy.@Nullable ProviderTls tls, PolicySet policies)
      throws Unusable {
    if (tls == null) {
      return ClientTls.SYSTEM;
    }
    var ca = tls.ca();
    var client = tls.clientCertificate();
    var authorities = ca == null ? null : text(ca, CA, "ca.crt", policies);
    if (ca != null) {
      check(new ClientTls(authorities, null, null), ca, CA);
    }
    if (client == null) {
      return new ClientTls(authorities, null, null);
    }
    var all = new ClientTls(
        authorities,
        text(client, CLIENT, "tls.crt", policies),
        text(client, CLIENT, "tls.key", policies));
    check(all, client, CLIENT);
    return all;
  }

  private static void check(ClientTls tls, ObjectRef ref, String field) throws Unusable {
    try {
      var _ = tls.context();
    } catch (TlsException e) {
      throw new Unusable(ref, field, String.valueOf(e.getMessage()));
    }
  }

  private static ClientTls.Text text(ObjectRef ref, String field, String key, PolicySet policies)
      throws Unusable {
    var title = ref.kind() + " \"" + ref.namespace() + "/" + ref.name() + "\"";
    var secret = policies.secret(ref);
    var map = policies.configMap(ref);
    if (secret == null && map == null) {
      throw new Unusable(ref, field, "there is no " + title + " that it may use");
    }
    var value = secret != null
        ? ascii(secret.data().get(key))
        : Objects.requireNonNull(map).data().get(key);
    if (value == null) {
      var keys = secret != null
          ? secret.data().keySet()
          : Objects.requireNonNull(map).data().keySet();
      throw new Unusable(
          ref, field, title + " has the keys " + new TreeSet<>(keys) + " (expected: " + key + ")");
    }
    return new ClientTls.Text(title + ": " + key, value);
  }

  private static @Nullable String ascii(byte @Nullable [] bytes) {
    return bytes == null ? null : new String(bytes, StandardCharsets.US_ASCII);
  }
}
