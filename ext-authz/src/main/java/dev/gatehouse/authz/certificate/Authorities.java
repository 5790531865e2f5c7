package dev.gatehouse.authz.certificate;

import java.security.GeneralSecurityException;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Who may vouch for callers: the certificates of a policy's {@code ca.crt}. One that another of them issued is an intermediate, so that
 * what the other says of it holds; the rest are trusted as they are. Immutable.
 */
public final class Authorities {
  static final int MAX_CERTIFICATES = 256;

  /** A Secret holds no more. */
  static final int MAX_CHARS = 1 << 20;

  private static final String NAME_CONSTRAINTS = "2.5.29.30";
  private static final int CERTIFICATE_SIGNING = 5;
  private static final AtomicLong IDS = new AtomicLong();

  private final long id = IDS.incrementAndGet();
  private final Set<TrustAnchor> anchors;
  private final List<X509Certificate> intermediates;

  private Authorities(List<X509Certificate> anchors, List<X509Certificate> intermediates) {
    this.anchors =
        anchors.stream().map(c -> new TrustAnchor(c, null)).collect(Collectors.toUnmodifiableSet());
    this.intermediates = List.copyOf(intermediates);
  }

  /**
   * @param pem certificates in PEM, with or without text between them
   * @throws BadAuthorities naming every one that can vouch for nobody, and why
   */
  public static Authorities parse(String pem) throws BadAuthorities {
    var all = certificates(pem);
    var problems = new ArrayList<String>();
    var anchors = new ArrayList<X509Certificate>();
    var intermediates = new ArrayList<X509Certificate>();
    for (int i = 0; i < all.size(); i++) {
      var each = all.get(i);
      boolean anchor = issued(each, each) || all.stream().noneMatch(other -> issued(other, each));
      var problem = problemOf(each, anchor);
      if (problem != null) {
        problems.add(
            "certificate " + (i + 1) + " (" + each.getSubjectX500Principal() + "): " + problem);
      }
      (anchor ? anchors : intermediates).add(each);
    }
    if (anchors.isEmpty()) {
      problems.add("each was issued by another of them (expected: one that is trusted as it is)");
    }
    if (!problems.isEmpty()) {
      throw new BadAuthorities(problems);
    }
    return new Authorities(anchors, intermediates);
  }

  /** Another number for each ever made: what one vouches for another does not. */
  long id() {
    return id;
  }

  Set<TrustAnchor> anchors() {
    return anchors;
  }

  List<X509Certificate> intermediates() {
    return intermediates;
  }

  private static List<X509Certificate> certificates(String pem) throws BadAuthorities {
    if (pem.length() > MAX_CHARS) {
      throw new BadAuthorities(
          List.of(pem.length() + " characters (expected: at most " + MAX_CHARS + ")"));
    }
    try {
      return Pem.certificates(pem, true, MAX_CERTIFICATES).stream().distinct().toList();
    } catch (BadCertificate e) {
      throw new BadAuthorities(List.of(
          e.getMessage() + " (expected: certificates of authorities in PEM, and nothing secret)"));
    }
  }

  private static @Nullable String problemOf(X509Certificate certificate, boolean anchor) {
    if (certificate.getBasicConstraints() < 0) {
      return "it is no authority's (expected: basicConstraints CA:TRUE)"; // RFC 5280 §4.2.1.9
    }
    var usage = certificate.getKeyUsage();
    if (usage != null && !usage[CERTIFICATE_SIGNING]) {
      return "its key usage leaves out keyCertSign"; // RFC 5280 §4.2.1.3
    }
    if (anchor && certificate.getExtensionValue(NAME_CONSTRAINTS) != null) {
      return "it has name constraints, which hold only for an intermediate (put the certificate"
          + " that issued it here too)"; // RFC 5280 §6.1: an anchor is a name and a key
    }
    var weak = Strength.problemOfKey(certificate.getPublicKey());
    return weak != null || anchor ? weak : Strength.problemOfSignature(certificate);
  }

  static boolean issued(X509Certificate issuer, X509Certificate certificate) {
    if (!issuer.getSubjectX500Principal().equals(certificate.getIssuerX500Principal())) {
      return false;
    }
    try {
      certificate.verify(issuer.getPublicKey());
      return true;
    } catch (GeneralSecurityException | RuntimeException e) {
      return false;
    }
  }

  @Override
  public String toString() {
    return "Authorities[" + anchors.size() + " trusted, " + intermediates.size()
        + " intermediates]";
  }
}
