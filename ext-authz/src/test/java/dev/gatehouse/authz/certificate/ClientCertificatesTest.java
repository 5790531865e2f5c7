package dev.gatehouse.authz.certificate;

import static dev.gatehouse.authz.certificate.Pki.NOW;
import static dev.gatehouse.authz.certificate.Pki.encoded;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.gatehouse.authz.certificate.ClientCertificates.Refused;
import dev.gatehouse.authz.certificate.ClientCertificates.Slow;
import dev.gatehouse.authz.certificate.ClientCertificates.Verified;
import io.netty.pkitesting.CertificateBuilder.Algorithm;
import io.netty.pkitesting.CertificateBuilder.KeyUsage;
import io.netty.pkitesting.X509Bundle;
import java.net.URI;
import java.security.KeyPairGenerator;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ClientCertificatesTest {
  private static final X509Bundle ROOT = Pki.authority("CN=Corp CA");
  private static final Authorities AUTHORITIES = authorities(ROOT);

  private final AtomicLong nanos = new AtomicLong();
  private final ClientCertificates certificates = new ClientCertificates(nanos::get);

  @Test
  void a_certificate_of_the_authority_says_who_it_is() throws BadCertificate {
    var caller = Pki.caller(ROOT, b -> b.addSanDnsName("a.example").addSanDnsName("b.example"));
    var who = verified(peer(caller));
    assertThat(who.sub()).isEqualTo("spiffe://corp/ns/shop/orders");
    assertThat(who.subject()).isEqualTo("CN=orders.corp.example,O=Corp");
    assertThat(who.claims())
        .isEqualTo(Map.of(
            "subject", "CN=orders.corp.example,O=Corp",
            "uris", List.of("spiffe://corp/ns/shop/orders"),
            "dns", List.of("a.example", "b.example"),
            "serial", caller.getCertificate().getSerialNumber().toString(16),
            "fingerprint", Pki.hash(caller)));
  }

  @Test
  void who_it_is_is_a_uri_else_a_dns_name_else_the_subject() throws BadCertificate {
    assertThat(verified(peer(Pki.bare(ROOT, b -> b.addSanDnsName("a.example")))).sub())
        .isEqualTo("a.example");
    var nameless = Pki.bare(ROOT, b -> b);
    assertThat(verified(peer(nameless)).sub()).isEqualTo("CN=orders.corp.example,O=Corp");
    assertThat(verified(peer(nameless)).dns()).isEmpty();
  }

  @Test
  void checking_is_slow_once_and_then_known() throws BadCertificate {
    var good = peer(Pki.caller(ROOT));
    var bad = peer(Pki.caller(Pki.authority("CN=Corp CA")));
    for (var shown : List.of(good, bad)) {
      assertThat(certificates.ask(AUTHORITIES, shown, NOW)).isInstanceOf(Slow.class);
      var answer = certificates.check(AUTHORITIES, shown, NOW);
      assertThat(answer).isInstanceOf(shown == good ? Verified.class : Refused.class);
      assertThat(certificates.ask(AUTHORITIES, shown, NOW)).isEqualTo(answer);
    }
  }

  @Test
  void what_was_found_out_is_forgotten_after_its_time() throws BadCertificate {
    var good = peer(Pki.caller(ROOT));
    var bad = peer(Pki.caller(Pki.authority("CN=Corp CA")));
    certificates.check(AUTHORITIES, good, NOW);
    certificates.check(AUTHORITIES, bad, NOW);
    nanos.addAndGet(ClientCertificates.KEPT_BAD.plusSeconds(1).toNanos());
    assertThat(certificates.ask(AUTHORITIES, bad, NOW)).isInstanceOf(Slow.class);
    assertThat(certificates.ask(AUTHORITIES, good, NOW)).isInstanceOf(Verified.class);
    nanos.addAndGet(ClientCertificates.KEPT_GOOD.toNanos());
    assertThat(certificates.ask(AUTHORITIES, good, NOW)).isInstanceOf(Slow.class);
  }

  @Test
  void times_are_looked_at_on_every_use() throws BadCertificate {
    var shown = peer(Pki.caller(ROOT));
    var until = NOW.plus(Pki.LIFE);
    assertThat(certificates.check(AUTHORITIES, shown, until)).isInstanceOf(Verified.class);
    refused(certificates.ask(AUTHORITIES, shown, until.plusSeconds(1)), "has expired");
    assertThat(certificates.ask(AUTHORITIES, shown, NOW)).isInstanceOf(Verified.class);
    refused(certificates.ask(AUTHORITIES, shown, NOW.minus(Pki.LIFE).minusSeconds(1)), "expired");
  }

  @Test
  void what_one_policys_authorities_vouch_for_anothers_do_not() throws BadCertificate {
    var shown = peer(Pki.caller(ROOT));
    certificates.check(AUTHORITIES, shown, NOW);
    var others = authorities(Pki.authority("CN=Other CA"));
    assertThat(certificates.ask(others, shown, NOW)).isInstanceOf(Slow.class);
    refused(certificates.check(others, shown, NOW), "no valid path");
  }

  @Test
  void another_authority_with_the_same_name_is_another() throws BadCertificate {
    refused(peer(Pki.caller(Pki.authority("CN=Corp CA"))), "no valid path");
  }

  @Test
  void of_two_trusted_authorities_with_the_same_name_each_vouches() throws Exception {
    var next = Pki.authority("CN=Corp CA");
    var both = authorities(ROOT, next);
    for (var issuer : List.of(ROOT, next)) {
      assertThat(certificates.check(both, peer(Pki.caller(issuer)), NOW))
          .isInstanceOf(Verified.class);
    }
  }

  @Test
  void a_changed_certificate_is_refused() throws Exception {
    var der = Pki.caller(ROOT).getCertificate().getEncoded();
    int refused = 0;
    for (int i = 0; i < der.length; i += 7) {
      var changed = der.clone();
      changed[i] ^= 1;
      var shown = PresentedCertificate.ofPeer(encoded(pem(changed)));
      var answer = certificates.check(AUTHORITIES, shown, NOW);
      assertThat(answer).as("byte " + i).isInstanceOf(Refused.class);
      refused++;
    }
    assertThat(refused).isGreaterThan(40);
  }

  @Test
  void times_outside_are_refused_of_the_caller_and_of_whoever_is_above() throws Exception {
    var expired = Pki.caller(ROOT, b -> b.notAfter(NOW.minusSeconds(1)));
    refused(peer(expired), "it has expired");
    var early = Pki.caller(ROOT, b -> b.notBefore(NOW.plusSeconds(2)));
    refused(peer(early), "not valid yet");
    var oldRoot = Pki.made(
        () -> Pki.authorityBuilder("CN=Old").notAfter(NOW.minusSeconds(1)).buildSelfSigned());
    refused(
        certificates.check(authorities(oldRoot), peer(Pki.caller(oldRoot)), NOW), "has expired");
    var oldMiddle = Pki.intermediate(ROOT, "CN=Middle", b -> b.notAfter(NOW.minusSeconds(1)));
    refused(forwardedChain(Pki.caller(oldMiddle)), "no valid path");
  }

  @Test
  void it_is_valid_for_as_long_as_all_above_it_are() throws BadCertificate {
    var middle = Pki.intermediate(ROOT, "CN=Middle", b -> b.notAfter(NOW.plusSeconds(60)));
    var shown = forwardedChain(Pki.caller(middle));
    assertThat(certificates.check(AUTHORITIES, shown, NOW)).isInstanceOf(Verified.class);
    refused(certificates.ask(AUTHORITIES, shown, NOW.plusSeconds(61)), "has expired");
  }

  @Test
  void a_certificate_for_servers_only_is_refused() throws BadCertificate {
    refused(peer(Pki.bare(ROOT, b -> b.addExtendedKeyUsageServerAuth())), "leaves out clientAuth");
    assertThat(verified(peer(Pki.bare(
            ROOT, b -> b.addExtendedKeyUsageServerAuth().addExtendedKeyUsageClientAuth()))))
        .isNotNull();
    refused(
        peer(Pki.caller(ROOT, b -> b.setKeyUsage(true, KeyUsage.keyEncipherment))),
        "leaves out signatures");
  }

  @Test
  void an_authority_for_servers_only_vouches_for_no_client() throws BadCertificate {
    var middle = Pki.intermediate(ROOT, "CN=Servers", b -> b.addExtendedKeyUsageServerAuth());
    refused(forwardedChain(Pki.caller(middle)), "authority's extended key usage");
  }

  @Test
  void what_is_signed_by_itself_or_is_an_authority_is_no_caller() throws Exception {
    refused(PresentedCertificate.ofPeer(encoded(SIGNED_BY_ITSELF)), "signed by itself");
    refused(peer(ROOT), "authority's");
    refused(peer(Pki.intermediate(ROOT, "CN=Middle", b -> b)), "authority's");
  }

  @Test
  void a_caller_cannot_issue() throws Exception {
    var middle = Pki.caller(ROOT, b -> b.subject("CN=Middle"));
    // The test kit lets only an authority issue: one of the same name and key, but for that.
    var pretended = Pki.made(
        () -> Pki.authorityBuilder("CN=Middle").keyPair(middle.getKeyPair()).buildSelfSigned());
    var forged = Pki.caller(pretended);
    var chain = forged.getCertificatePEM() + middle.getCertificatePEM();
    refused(
        PresentedCertificate.ofForwarded(
            "Hash=" + Pki.hash(forged) + ";Chain=\"" + encoded(chain) + "\""),
        "no valid path");
  }

  @Test
  void intermediates_come_from_the_chain_or_from_the_policy() throws Exception {
    var middle = Pki.intermediate(ROOT, "CN=Middle", b -> b);
    var caller = Pki.caller(middle);
    assertThat(verified(forwardedChain(caller)).sub()).startsWith("spiffe:");
    refused(peer(caller), "no valid path");
    assertThat(certificates.check(authorities(ROOT, middle), peer(caller), NOW))
        .isInstanceOf(Verified.class);
    assertThat(certificates.check(authorities(middle), peer(caller), NOW))
        .isInstanceOf(Verified.class);
  }

  @Test
  void an_intermediate_of_somebody_elses_leads_nowhere() throws BadCertificate {
    var others = Pki.authority("CN=Corp CA");
    refused(forwardedChain(Pki.caller(Pki.intermediate(others, "CN=Middle", b -> b))), "no valid");
  }

  @Test
  void limits_of_authorities_hold() throws Exception {
    var shallow = Pki.made(() -> Pki.authorityBuilder("CN=Shallow")
        .setPathLengthConstraint(OptionalInt.of(0))
        .buildSelfSigned());
    var below = Pki.intermediate(shallow, "CN=Below", b -> b);
    refused(
        certificates.check(authorities(shallow), forwardedChain(Pki.caller(below)), NOW),
        "more intermediates");
    assertThat(certificates.check(authorities(shallow), peer(Pki.caller(shallow)), NOW))
        .isInstanceOf(Verified.class);

    var constrained = Pki.intermediate(ROOT, "CN=Constrained", AuthoritiesTest::onlyCorp);
    var inside = Pki.bare(constrained, b -> b.addSanDnsName("a.corp.example"));
    var outside = Pki.bare(constrained, b -> b.addSanDnsName("a.evil.example"));
    var both = authorities(ROOT, constrained);
    assertThat(certificates.check(both, peer(inside), NOW)).isInstanceOf(Verified.class);
    refused(certificates.check(both, peer(outside), NOW), "no valid path");
  }

  @Test
  void weak_keys_and_signatures_are_refused() throws Exception {
    var generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(1024);
    var weak = generator.generateKeyPair();
    refused(peer(Pki.caller(ROOT, b -> b.publicKey(weak.getPublic()))), "RSA key of 1024 bits");
    var later = NOW.plus(Pki.LIFE);
    refused(
        certificates.check(
            Authorities.parse(OLD_AUTHORITY),
            PresentedCertificate.ofPeer(encoded(SIGNED_WITH_SHA1)),
            later),
        "signed with SHA1withECDSA");
  }

  @ParameterizedTest
  @EnumSource(
      value = Algorithm.class,
      names = {"ecp384", "rsa2048", "ed25519"})
  void strong_keys_of_other_kinds_are_taken(Algorithm algorithm) throws Exception {
    var root =
        Pki.made(() -> Pki.authorityBuilder("CN=Root").algorithm(algorithm).buildSelfSigned());
    var shown = peer(Pki.caller(root, b -> b.algorithm(algorithm)));
    assertThat(certificates.check(authorities(root), shown, NOW)).isInstanceOf(Verified.class);
  }

  @Test
  void a_spiffe_id_is_the_only_uri_and_in_its_form() throws BadCertificate {
    refused(
        peer(Pki.caller(ROOT, b -> b.addSanUriName(URI.create("https://a.example/x")))),
        "SPIFFE ID and another");
    for (var uri : new String[] {
      "spiffe://corp/",
      "spiffe://corp/a%2Fb",
      "SPIFFE://corp/a",
      "spiffe://corp/a/../b",
      "spiffe://corp/a?b=c",
      "spiffe://user@corp/a",
      "spiffe:/corp"
    }) {
      refused(peer(Pki.bare(ROOT, b -> b.addSanUriName(URI.create(uri)))), "its SPIFFE ID is none");
    }
    var two = Pki.bare(
        ROOT,
        b -> b.addSanUriName(URI.create("https://a.example/x"))
            .addSanUriName(URI.create("https://b.example/y")));
    assertThat(verified(peer(two)).sub()).isEqualTo("https://a.example/x");
  }

  @Test
  void the_common_name_is_never_a_dns_name() throws BadCertificate {
    var who = verified(peer(Pki.bare(ROOT, b -> b)));
    assertThat(who.subject()).startsWith("CN=orders.corp.example");
    assertThat(Subjects.of(List.of("orders.corp.example")).admit(who)).isFalse();
    assertThat(Subjects.of(List.of("*.corp.example")).admit(who)).isFalse();
    assertThat(Subjects.of(List.of("cn=orders.corp.example, o=corp")).admit(who))
        .isTrue();
  }

  @Test
  void a_certificate_that_names_nobody_is_refused() throws BadCertificate {
    refused(peer(Pki.bare(ROOT, b -> b.subject(""))), "names nobody");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "x", "%", "%2", "%zz", "%80", "ä", "-----BEGIN%20CERTIFICATE-----"})
  void what_is_no_certificate_is_refused(String text) throws BadCertificate {
    refused(PresentedCertificate.ofPeer(text), "");
  }

  @Test
  void the_peers_certificate_is_exactly_one_in_one_encoding() throws BadCertificate {
    var pem = Pki.caller(ROOT).getCertificatePEM();
    verified(PresentedCertificate.ofPeer(encoded(pem)));
    for (var other : new String[] {
      pem + pem,
      "remark\n" + pem,
      pem + "remark\n",
      pem.replaceFirst("=*\n-----END", "?\n-----END"),
      pem.replace("CERTIFICATE", "TRUSTED CERTIFICATE")
    }) {
      refused(PresentedCertificate.ofPeer(encoded(other)), "");
    }
    assertThatExceptionOfType(BadCertificate.class)
        .isThrownBy(() -> PresentedCertificate.ofPeer("x".repeat(100_000)));
  }

  @Test
  void more_certificates_than_anybody_needs_are_refused() throws BadCertificate {
    var caller = Pki.caller(ROOT);
    var many = caller.getCertificatePEM().repeat(PathCheck.MAX_CHAIN + 1);
    refused(
        PresentedCertificate.ofForwarded(
            "Hash=" + Pki.hash(caller) + ";Chain=\"" + encoded(many) + "\""),
        "more than 8");
  }

  @Test
  void a_forwarded_certificate_is_verified_as_the_peers_is() throws BadCertificate {
    var caller = Pki.caller(ROOT);
    var said = "By=spiffe://corp/edge;Hash=" + Pki.hash(caller) + ";Cert=\"" + encoded(caller)
        + "\";Subject=\"CN=somebody else\";URI=spiffe://corp/admin";
    assertThat(verified(PresentedCertificate.ofForwarded(said)).sub())
        .isEqualTo("spiffe://corp/ns/shop/orders");
    var forged = Pki.caller(Pki.authority("CN=Corp CA"));
    refused(
        PresentedCertificate.ofForwarded(
            "Hash=" + Pki.hash(forged) + ";Cert=\"" + encoded(forged) + "\""),
        "no valid path");
  }

  @Test
  void what_is_said_of_a_forwarded_certificate_must_agree() throws BadCertificate {
    var caller = Pki.caller(ROOT);
    var victim = Pki.caller(ROOT);
    var hash = "Hash=" + Pki.hash(caller);
    refused(
        PresentedCertificate.ofForwarded(hash + ";Cert=\"" + encoded(victim) + "\""), "its Hash");
    refused(
        PresentedCertificate.ofForwarded(hash + ";Cert=\"" + encoded(caller) + "\";Chain=\""
            + encoded(victim.getCertificatePathPEM()) + "\""),
        "its Chain");
    for (var header : new String[] {
      hash,
      hash + ";Subject=\"CN=orders\";URI=spiffe://corp/ns/shop/orders",
      "Cert=\"" + encoded(caller) + "\"",
      "URI=spiffe://corp/a"
    }) {
      assertThatExceptionOfType(BadCertificate.class)
          .isThrownBy(() -> PresentedCertificate.ofForwarded(header));
    }
  }

  /** Envoy writes URI and DNS names as they are: whoever gets a certificate with such a name would write the rest of the header. */
  @Test
  void a_name_that_ends_its_element_smuggles_nobody_in() throws BadCertificate {
    var attacker = Pki.caller(ROOT);
    var victim = Pki.caller(ROOT);
    var victims = "Hash=" + Pki.hash(victim) + ";Cert=\"" + encoded(victim) + "\"";
    var own = "Hash=" + Pki.hash(attacker) + ";Cert=\"" + encoded(attacker) + "\"";
    for (var header : new String[] {
      own + ";URI=x," + victims,
      own + ";URI=x;" + victims,
      own + ";DNS=x," + victims,
      own + "," + own
    }) {
      assertThatExceptionOfType(BadCertificate.class)
          .isThrownBy(() -> PresentedCertificate.ofForwarded(header));
    }
    refused(
        PresentedCertificate.ofForwarded(
            "Hash=" + Pki.hash(attacker) + ";Subject=\"\";URI=x;Cert=\"" + encoded(victim) + "\""),
        "its Hash");
  }

  private CertificateIdentity verified(PresentedCertificate shown) {
    var answer = certificates.check(AUTHORITIES, shown, NOW);
    assertThat(answer).isInstanceOf(Verified.class);
    return ((Verified) answer).who();
  }

  private void refused(PresentedCertificate shown, String why) {
    refused(certificates.check(AUTHORITIES, shown, NOW), why);
  }

  private static void refused(ClientCertificates.Answer answer, String why) {
    assertThat(answer).isInstanceOf(Refused.class);
    assertThat(((Refused) answer).why()).hasMessageContaining(why);
  }

  private static PresentedCertificate peer(X509Bundle caller) throws BadCertificate {
    return PresentedCertificate.ofPeer(encoded(caller));
  }

  private static PresentedCertificate forwardedChain(X509Bundle caller) throws BadCertificate {
    return PresentedCertificate.ofForwarded(
        "Hash=" + Pki.hash(caller) + ";Chain=\"" + encoded(caller.getCertificatePathPEM()) + "\"");
  }

  private static Authorities authorities(X509Bundle... all) {
    return Pki.made(() -> Authorities.parse(
        Stream.of(all).map(X509Bundle::getCertificatePEM).reduce("", String::concat)));
  }

  private static String pem(byte[] der) {
    return "-----BEGIN CERTIFICATE-----\n"
        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
        + "\n-----END CERTIFICATE-----\n";
  }

  /** These three were made by openssl, because the test kit makes nothing of the kind. Valid until 2126. */
  private static final String OLD_AUTHORITY = """
        -----BEGIN CERTIFICATE-----
        MIIBaDCCAQ6gAwIBAgIUE8aDJpM4+dKwsrXT27ZmvyIMq5cwCgYIKoZIzj0EAwIw
        ETEPMA0GA1UEAwwGT2xkIENBMCAXDTI2MTEyNTE3NTUzN1oYDzIxMjYxMTAxMTc1
        NTM3WjARMQ8wDQYDVQQDDAZPbGQgQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
        AARgGP4v+VA27imGrJRIADoZbOhRH1qBZ/5NoE5en7i5tQVqS1xtkplIbU17L49R
        IIzvnHf38ECcx8qM1UZ4cPqVo0IwQDAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB
        /wQEAwICBDAdBgNVHQ4EFgQUjxWzK1TRkz83OKRJAD4dgR/KOsAwCgYIKoZIzj0E
        AwIDSAAwRQIgOJsum1lxTBkfmHOFCoYK3Lo8XiQ87Dsj3NjtO5qi7jwCIQCXfq4G
        P0k+LLW+Z4IyFGwOfGUYs4MOwgjvoUltv9xpiA==
        -----END CERTIFICATE-----
        """;

  private static final String SIGNED_WITH_SHA1 = """
        -----BEGIN CERTIFICATE-----
        MIIBhDCCASygAwIBAgIBATAJBgcqhkjOPQQBMBExDzANBgNVBAMMBk9sZCBDQTAg
        Fw0yNjExMjUxNzU1MzdaGA8yMTI2MTEwMTE3NTUzN1owDzENMAsGA1UEAwwEd2Vh
        azBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABB59Gxk/E/NHCtPOdmlRJ6ZwvXkk
        48JX9AtiJBX0juif/qA/iPeekSgYQ/bC/P/ys/mkrvkchW5hSR/8PJe6FPSjdjB0
        MB0GA1UdEQQWMBSGEnNwaWZmZTovL2NvcnAvd2VhazATBgNVHSUEDDAKBggrBgEF
        BQcDAjAdBgNVHQ4EFgQULnlalOPdkVBZ7zPLqSMfywbQl5MwHwYDVR0jBBgwFoAU
        jxWzK1TRkz83OKRJAD4dgR/KOsAwCQYHKoZIzj0EAQNHADBEAiAkmEt8oXUCf3qy
        DGcezlmhGzIjIvuSw1hHFUXs3m/v5QIgP3UC1rsOfyLHW8gxSoDGElt9iZyEPkf/
        kSNmh7sBUmw=
        -----END CERTIFICATE-----
        """;

  private static final String SIGNED_BY_ITSELF = """
        -----BEGIN CERTIFICATE-----
        MIIBcDCCARegAwIBAgIUZNwAzicNCa+0s7CS5ciZNplu4rswCgYIKoZIzj0EAwIw
        DTELMAkGA1UEAwwCbWUwIBcNMjYxMTI1MTc1OTI0WhgPMjEyNjExMDExNzU5MjRa
        MA0xCzAJBgNVBAMMAm1lMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE21Xo4HUJ
        dZeQdXWcwc+p+h1z2ohuSpwgMvuFuQzGEj8T1QRyKK+fBuYdglZ66umuEUVH4Q9L
        ztbLfii/eqhoN6NTMFEwGwYDVR0RBBQwEoYQc3BpZmZlOi8vY29ycC9tZTATBgNV
        HSUEDDAKBggrBgEFBQcDAjAdBgNVHQ4EFgQUuG2zh8Xp2x0es0+IUwJoI5QWGzcw
        CgYIKoZIzj0EAwIDRwAwRAIgdLQ5f2+kJh5H9et/6if3w0mSxFNueTuTSD7wV3Jh
        3LQCIFwuXoO4vGNNj/DTfebN5w9ebXrKFykjRxfH7mtSognG
        -----END CERTIFICATE-----
        """;
}
