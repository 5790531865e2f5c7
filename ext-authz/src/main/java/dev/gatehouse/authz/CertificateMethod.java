package dev.gatehouse.authz;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.gatehouse.authz.certificate.Authorities;
import dev.gatehouse.authz.certificate.BadCertificate;
import dev.gatehouse.authz.certificate.CertificateIdentity;
import dev.gatehouse.authz.certificate.ClientCertificates;
import dev.gatehouse.authz.certificate.PresentedCertificate;
import dev.gatehouse.authz.certificate.Subjects;
import dev.gatehouse.authz.rules.Cidrs;
import dev.gatehouse.policy.expr.Auth;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Client certificates ({@code clientCertificate}): the peer's own, or the one that a trusted proxy forwards, verified by the policy's
 * authorities. A forwarded one goes no further, whoever sent it: the upstream is told who it is by {@code response.headers}.
 */
final class CertificateMethod implements Method {
  private static final String FORWARDED = "x-forwarded-client-cert";

  private final ClientCertificates certificates;
  private final Authorities authorities;
  private final Subjects subjects;
  private final @Nullable Cidrs trusted;

  /** By the identity that is remembered, and so as long as that. */
  private final Cache<CertificateIdentity, Proof> proofs =
      Caffeine.newBuilder().weakKeys().build();

  /** @param trusted the proxies that may forward one; null for the peer's own */
  CertificateMethod(
      ClientCertificates certificates,
      Authorities authorities,
      Subjects subjects,
      @Nullable Cidrs trusted) {
    this.certificates = certificates;
    this.authorities = authorities;
    this.subjects = subjects;
    this.trusted = trusted;
  }

  @Override
  public String name() {
    return CertificateIdentity.METHOD;
  }

  @Override
  public String scheme() {
    return "ClientCertificate";
  }

  @Override
  public boolean required() {
    return true;
  }

  @Override
  public Stripped strips() {
    return trusted == null
        ? Stripped.NOTHING
        : new Stripped(List.of(FORWARDED), List.of(), List.of());
  }

  @Override
  public Attempt attempt(RequestView request, Facts facts, Instant now) {
    try {
      var shown = trusted == null ? ofPeer(request) : forwarded(request, trusted);
      return shown == null ? Attempt.ABSENT : verify(shown, now);
    } catch (BadCertificate e) {
      return new Attempt.Bad(String.valueOf(e.getMessage()));
    }
  }

  private static @Nullable PresentedCertificate ofPeer(RequestView request) throws BadCertificate {
    var certificate = request.attributes().getSource().getCertificate();
    return certificate.isEmpty() ? null : PresentedCertificate.ofPeer(certificate);
  }

  /** What anybody but a trusted proxy sends under that name is no credential. */
  private static @Nullable PresentedCertificate forwarded(RequestView request, Cidrs trusted)
      throws BadCertificate {
    var header = request.header(FORWARDED);
    return header == null || !trusted.surelyContain(request.peerAddress())
        ? null
        : PresentedCertificate.ofForwarded(header);
  }

  private Attempt verify(PresentedCertificate shown, Instant now) {
    return switch (certificates.ask(authorities, shown, now)) {
      case ClientCertificates.Verified(var who) ->
        subjects.admit(who)
            ? proofs.get(who, w -> new Proof(identity(w)))
            : new Attempt.Bad("the certificate's names are none of the policy's subjects");
      case ClientCertificates.Refused(var why) -> new Attempt.Bad(String.valueOf(why.getMessage()));
      case ClientCertificates.Slow _ ->
        new Attempt.Open(
            List.of(new Fact.Certificate(() -> certificates.check(authorities, shown, now))));
    };
  }

  private static Identity identity(CertificateIdentity who) {
    return new Identity(
        new Auth(CertificateIdentity.METHOD, who.sub(), null, List.of(), who.claims(), null),
        null,
        Map.of(),
        Map.of());
  }
}
