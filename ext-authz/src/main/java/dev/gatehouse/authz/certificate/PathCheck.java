package dev.gatehouse.authz.certificate;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateParsingException;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXCertPathBuilderResult;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Whether the policy's authorities vouch for a certificate: RFC 5280 §6 by the JDK's PKIX, and what that leaves open. Revocation is not
 * looked at, nothing is fetched. Slow: a few signatures.
 */
final class PathCheck {
  /** Certificates that a caller may send: its own and intermediates. */
  static final int MAX_CHAIN = 8;

  private static final int MAX_NAMES = 64;
  private static final int DIGITAL_SIGNATURE = 0;
  private static final String CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
  private static final String ANY_USE = "2.5.29.37.0";
  private static final String ALTERNATIVE_NAMES = "2.5.29.17";
  private static final String EXTENDED_KEY_USAGE = "2.5.29.37";
  private static final int DNS_NAME = 2;
  private static final int URI_NAME = 6;

  private PathCheck() {}

  static CertificateIdentity check(
      Authorities authorities, PresentedCertificate presented, Instant now) throws BadCertificate {
    var chain = chain(presented);
    for (var each : chain) {
      refuse(Strength.problemOfKey(each.getPublicKey()));
      refuse(Strength.problemOfSignature(each));
    }
    var leaf = chain.getFirst();
    requireCallers(leaf);
    requireValid(leaf, now);
    var path = path(authorities, chain, now);
    return identity(leaf, path);
  }

  /** What is shown, the caller's own first; what is said of it twice must agree. */
  private static List<X509Certificate> chain(PresentedCertificate presented) throws BadCertificate {
    var chain = new ArrayList<X509Certificate>();
    var leafText = presented.leaf();
    var chainText = presented.chain();
    if (chainText != null) {
      chain.addAll(Pem.certificates(Pem.urlDecoded(chainText), false, MAX_CHAIN));
    }
    if (leafText != null) {
      var leaf = Pem.certificates(Pem.urlDecoded(leafText), false, 1).getFirst();
      if (chain.isEmpty()) {
        chain.add(leaf);
      }
      require(chain.getFirst().equals(leaf), "its Chain begins with another than its Cert");
    }
    var hash = presented.hash();
    require(
        hash == null || fingerprint(chain.getFirst()).equals(hash.toLowerCase(Locale.ROOT)),
        "its Hash is another certificate's");
    return chain;
  }

  /** What a caller's own certificate must be, whoever issued it. */
  private static void requireCallers(X509Certificate leaf) throws BadCertificate {
    require(leaf.getBasicConstraints() < 0, "it is an authority's, which is no caller's");
    require(!Authorities.issued(leaf, leaf), "it is signed by itself");
    var usage = leaf.getKeyUsage();
    // RFC 5280 §4.2.1.3: a TLS client signs (RFC 8446 §4.4.3).
    require(usage == null || usage[DIGITAL_SIGNATURE], "its key usage leaves out signatures");
    var uses = extendedKeyUsage(leaf);
    require(
        uses.isEmpty() || uses.contains(CLIENT_AUTH),
        "its extended key usage leaves out clientAuth"); // RFC 5280 §4.2.1.12
  }

  private static void requireValid(X509Certificate certificate, Instant now) throws BadCertificate {
    require(!now.isAfter(certificate.getNotAfter().toInstant()), "it has expired");
    require(!now.isBefore(certificate.getNotBefore().toInstant()), "it is not valid yet");
  }

  /** From the caller's certificate to the authority, that included. */
  private static List<X509Certificate> path(
      Authorities authorities, List<X509Certificate> chain, Instant now) throws BadCertificate {
    var built = build(authorities, chain, now);
    var path = new ArrayList<X509Certificate>();
    for (var each : built.getCertPath().getCertificates()) {
      path.add((X509Certificate) each);
    }
    var anchor = built.getTrustAnchor().getTrustedCert();
    // PKIX takes no more of an anchor than its name and key.
    requireValid(anchor, now);
    require(
        anchor.getBasicConstraints() >= path.size() - 1,
        "there are more intermediates than the authority allows");
    path.add(anchor);
    for (var each : path.subList(1, path.size())) {
      // As others do: an authority that is not for clients vouches for none.
      var uses = extendedKeyUsage(each);
      require(
          uses.isEmpty() || uses.contains(CLIENT_AUTH) || uses.contains(ANY_USE),
          "an authority's extended key usage leaves out clientAuth");
    }
    return path;
  }

  private static PKIXCertPathBuilderResult build(
      Authorities authorities, List<X509Certificate> chain, Instant now) throws BadCertificate {
    var known = new ArrayList<>(chain);
    known.addAll(authorities.intermediates());
    var target = new X509CertSelector();
    target.setCertificate(chain.getFirst());
    try {
      var parameters = new PKIXBuilderParameters(authorities.anchors(), target);
      parameters.setRevocationEnabled(false);
      parameters.setDate(Date.from(now));
      parameters.setMaxPathLength(MAX_CHAIN - 1);
      parameters.addCertStore(
          CertStore.getInstance("Collection", new CollectionCertStoreParameters(known)));
      return (PKIXCertPathBuilderResult) CertPathBuilder.getInstance("PKIX").build(parameters);
    } catch (GeneralSecurityException | RuntimeException e) {
      throw new BadCertificate("no valid path leads from it to one of the policy's authorities");
    }
  }

  private static CertificateIdentity identity(X509Certificate leaf, List<X509Certificate> path)
      throws BadCertificate {
    var uris = names(leaf, URI_NAME);
    requireSpiffe(uris);
    var dns = names(leaf, DNS_NAME);
    var name = leaf.getSubjectX500Principal();
    require(!name.getName().isEmpty() || !uris.isEmpty() || !dns.isEmpty(), "it names nobody");
    var from = path.stream().map(c -> c.getNotBefore().toInstant()).max(Instant::compareTo);
    var until = path.stream().map(c -> c.getNotAfter().toInstant()).min(Instant::compareTo);
    return new CertificateIdentity(
        name,
        uris,
        dns,
        leaf.getSerialNumber().toString(16),
        fingerprint(leaf),
        from.orElseThrow(),
        until.orElseThrow());
  }

  /** X.509-SVID §2: a certificate with a SPIFFE ID has one URI name; §5.2: with more it is to be refused. */
  private static void requireSpiffe(List<String> uris) throws BadCertificate {
    boolean spiffe = false;
    for (var uri : uris) {
      if (SpiffeId.claims(uri)) {
        spiffe = true;
        require(SpiffeId.valid(uri), "its SPIFFE ID is none");
      }
    }
    require(!spiffe || uris.size() == 1, "it has a SPIFFE ID and another URI name");
  }

  private static List<String> names(X509Certificate leaf, int kind) throws BadCertificate {
    try {
      var all = leaf.getSubjectAlternativeNames();
      if (all == null) {
        // The JDK says the same of a list that is not there and of one that it cannot read.
        require(leaf.getExtensionValue(ALTERNATIVE_NAMES) == null, "its names cannot be read");
        return List.of();
      }
      require(all.size() <= MAX_NAMES, "it has more than " + MAX_NAMES + " names");
      return all.stream()
          .filter(name -> name.getFirst().equals(kind))
          .map(name -> (String) name.getLast())
          .toList();
    } catch (CertificateParsingException e) {
      throw new BadCertificate("its names cannot be read");
    }
  }

  private static List<String> extendedKeyUsage(X509Certificate certificate) throws BadCertificate {
    try {
      var uses = certificate.getExtendedKeyUsage();
      if (uses == null) {
        require(
            certificate.getExtensionValue(EXTENDED_KEY_USAGE) == null,
            "an extended key usage cannot be read");
        return List.of();
      }
      return uses;
    } catch (CertificateParsingException e) {
      throw new BadCertificate("an extended key usage cannot be read");
    }
  }

  private static String fingerprint(X509Certificate certificate) throws BadCertificate {
    try {
      var sha256 = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(sha256.digest(certificate.getEncoded()));
    } catch (CertificateEncodingException e) {
      throw new BadCertificate("it cannot be encoded");
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  private static void refuse(@Nullable String problem) throws BadCertificate {
    if (problem != null) {
      throw new BadCertificate("in its chain: " + problem);
    }
  }

  private static void require(boolean holds, String otherwise) throws BadCertificate {
    if (!holds) {
      throw new BadCertificate(otherwise);
    }
  }
}
