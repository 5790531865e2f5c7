package dev.gatehouse.authz.certificate;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.security.auth.x500.X500Principal;

/**
 * Who a certificate says that its holder is, once the policy's authorities vouch for it.
 *
 * @param name the distinguished name; may be empty where there are other names
 * @param uris URI names (SAN), in the certificate's order; one at most where one is a SPIFFE ID
 * @param dns DNS names (SAN), as they are written; a common name is none (RFC 9525 §2)
 * @param serial in hexadecimal
 * @param fingerprint SHA-256 of its DER, in hexadecimal
 * @param notBefore from when all the certificates up to the authority are valid
 * @param notAfter until when, this second included
 */
public record CertificateIdentity(
    X500Principal name,
    List<String> uris,
    List<String> dns,
    String serial,
    String fingerprint,
    Instant notBefore,
    Instant notAfter) {

  /** What {@code auth.method} is. */
  public static final String METHOD = "certificate";

  /** The distinguished name as RFC 2253 writes it. */
  public String subject() {
    return name.getName();
  }

  /** What {@code auth.sub} is: a URI name, else a DNS name, else the subject, the first of each, as Envoy's {@code source.principal}. */
  public String sub() {
    if (!uris.isEmpty()) {
      return uris.getFirst();
    }
    return dns.isEmpty() ? subject() : dns.getFirst();
  }

  /** What {@code auth.claims} is. */
  public Map<String, Object> claims() {
    var claims = new LinkedHashMap<String, Object>();
    claims.put("subject", subject());
    claims.put("uris", uris);
    claims.put("dns", dns);
    claims.put("serial", serial);
    claims.put("fingerprint", fingerprint);
    return claims;
  }

  boolean valid(Instant now) {
    return !now.isBefore(notBefore) && !now.isAfter(notAfter);
  }
}
