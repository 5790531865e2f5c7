package dev.gatehouse.authz.jwt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.sun.net.httpserver.HttpServer;
import dev.gatehouse.authz.rules.ClaimPath;
import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.security.Keys;
import io.jsonwebtoken.security.SignatureAlgorithm;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class VerifierTest {
  private static final KeyPair MALLORY = Issuer.rsa("mallory");
  private static final Map<String, Object> MALLORY_JWK = Issuer.jwk(MALLORY, "one");
  private static final Requirements ANY =
      Requirements.of(Issuer.NAME, Set.of("orders", "invoices"));

  private final KeySources sources = new KeySources(() -> Issuer.NOW);

  @AfterEach
  void close() {
    sources.close();
  }

  static List<SignatureAlgorithm> algorithms() {
    return Issuer.algorithms();
  }

  @ParameterizedTest
  @MethodSource("algorithms")
  void every_public_key_algorithm_verifies_and_a_touched_token_does_not(
      SignatureAlgorithm algorithm) throws Exception {
    var set = Issuer.set(List.of(Issuer.jwk(Issuer.pair(algorithm), algorithm.getId())));
    var token = Issuer.token(algorithm);
    assertThat(verify(set, token).subject()).isEqualTo("alice");

    var parts = token.split("\\.");
    var other = Issuer.token(algorithm, "sub", "mallory").split("\\.");
    refused(set, parts[0] + "." + other[1] + "." + parts[2], "signature");
    refused(set, parts[0] + "." + parts[1] + "." + Issuer.base64(new byte[64]), "");
    refused(set, parts[0] + "." + parts[1] + ".AA", "");
  }

  @Test
  void an_hmac_with_the_public_key_as_secret_is_no_signature() {
    var secret = Keys.hmacShaKeyFor(Issuer.rsa("one").getPublic().getEncoded());
    var token =
        Jwts.builder().claims(Issuer.claims()).signWith(secret, Jwts.SIG.HS256).compact();
    refused(Issuer.set(), token, "alg");
  }

  @Test
  void a_psychic_signature_is_none() {
    var set = Issuer.set(List.of(Issuer.jwk(Issuer.pair(Jwts.SIG.ES256), "ES256")));
    var parts = Issuer.token(Jwts.SIG.ES256).split("\\.");
    refused(set, parts[0] + "." + parts[1] + "." + Issuer.base64(new byte[64]), "");
  }

  @Test
  void a_token_signed_with_a_key_that_it_brings_along_is_refused() {
    var token = Jwts.builder()
        .header()
        .keyId("one")
        .jwk(io.jsonwebtoken.security.Jwks.builder()
            .key((java.security.interfaces.RSAPublicKey) MALLORY.getPublic())
            .build())
        .and()
        .claims(Issuer.claims())
        .signWith(MALLORY.getPrivate(), Jwts.SIG.RS256)
        .compact();
    refused(Issuer.set(), token, "signature");
  }

  @Test
  void nothing_is_fetched_that_a_token_names() throws Exception {
    var asked = new AtomicInteger();
    var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", exchange -> {
      asked.incrementAndGet();
      exchange.sendResponseHeaders(200, 0);
      exchange.getResponseBody().write(bytes(Issuer.set(List.of(MALLORY_JWK))));
      exchange.close();
    });
    server.start();
    try {
      var url = "http://127.0.0.1:" + server.getAddress().getPort() + "/jwks";
      var claims = StrictJson.write(Issuer.claims());
      for (var names : List.<Map<String, Object>>of(
          Map.of("jku", url),
          Map.of("x5u", url),
          Map.of("kid", url),
          Map.of("jwk", MALLORY_JWK, "x5c", List.of("AA")))) {
        var header = new LinkedHashMap<String, Object>(Map.of("alg", "RS256", "kid", "one"));
        header.putAll(names);
        var json = StrictJson.write(header);
        var forged = Issuer.signed("SHA256withRSA", MALLORY.getPrivate(), json, claims);

        assertThatExceptionOfType(BadToken.class).isThrownBy(() -> verify(Issuer.set(), forged));
        if (!names.containsKey("kid")) {
          verify(Issuer.set(), Issuer.signed(json, claims));
        }
      }
      refused(Issuer.set(), Issuer.token("iss", url), "iss");
      assertThat(asked).hasValue(0);
    } finally {
      server.stop(0);
    }
  }

  @Test
  void the_issuer_is_the_providers() throws Exception {
    verify(Issuer.set(), Issuer.token());
    for (var issuer :
        new String[] {null, "", Issuer.NAME + "/", Issuer.NAME.toUpperCase(java.util.Locale.ROOT)
        }) {
      refused(Issuer.set(), Issuer.token("iss", issuer), "iss");
    }
  }

  @Test
  void one_audience_of_the_tokens_is_the_providers() throws Exception {
    verify(Issuer.set(), Issuer.token("aud", List.of("other", "orders")));
    verify(Issuer.set(), Issuer.token("aud", "invoices"));
    refused(Issuer.set(), Issuer.token("aud", "order"), "aud");
    refused(Issuer.set(), Issuer.token("aud", List.of()), "aud");
    refused(Issuer.set(), Issuer.token("aud", null), "aud");
  }

  @Test
  void times_have_a_minute_of_skew_and_no_more() throws Exception {
    long now = Issuer.NOW.getEpochSecond();
    verify(Issuer.set(), Issuer.token("exp", now - 59));
    refused(Issuer.set(), Issuer.token("exp", now - 60), "it has expired");
    verify(Issuer.set(), Issuer.token("nbf", now + 60));
    refused(Issuer.set(), Issuer.token("nbf", now + 61), "not valid yet");
    verify(Issuer.set(), Issuer.token("iat", now + 60));
    refused(Issuer.set(), Issuer.token("iat", now + 61), "not valid yet");
  }

  @ParameterizedTest
  @ValueSource(strings = {"logout+jwt", "dpop+jwt", "secevent+jwt", "id+jwt", "JOSE", ""})
  void a_token_of_another_purpose_is_refused(String type) {
    var header = "{\"alg\":\"RS256\",\"kid\":\"one\",\"typ\":\"" + type + "\"}";
    refused(Issuer.set(), Issuer.signed(header, StrictJson.write(Issuer.claims())), "typ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"JWT", "jwt", "at+jwt", "application/at+jwt"})
  void an_access_token_is_taken(String type) throws Exception {
    var header = "{\"alg\":\"RS256\",\"kid\":\"one\",\"typ\":\"" + type + "\"}";
    verify(Issuer.set(), Issuer.signed(header, StrictJson.write(Issuer.claims())));
  }

  @Test
  void without_a_kid_any_key_of_the_algorithm_may_have_signed() throws Exception {
    var set = Issuer.set(
        List.of(Issuer.jwk(Issuer.rsa("two"), "two"), Issuer.jwk(Issuer.rsa("one"), "one")));
    verify(set, Issuer.signed("{\"alg\":\"RS256\"}", StrictJson.write(Issuer.claims())));
    // A set without kids serves a token with one.
    verify(Issuer.set(List.of(Issuer.jwk(Issuer.rsa("one"), null))), Issuer.token());
  }

  @Test
  void numbers_among_the_claims_are_doubles_and_scopes_come_from_scope_or_scp() throws Exception {
    var token =
        verify(Issuer.set(), Issuer.token("n", 7, "m", Map.of("n", List.of(1)), "scope", " a  b "));
    assertThat(token.claims())
        .containsEntry("n", 7.0)
        .containsEntry("m", Map.of("n", List.of(1.0)));
    assertThat(token.scopes()).containsExactly("a", "b");
    assertThat(verify(Issuer.set(), Issuer.token("scp", List.of("a", "b"))).scopes())
        .containsExactly("a", "b");
    assertThat(verify(Issuer.set(), Issuer.token("scope", "", "scp", "a")).scopes())
        .isEmpty();
    assertThat(verify(Issuer.set(), Issuer.token("scope", 7)).scopes()).isEmpty();
  }

  @Test
  void a_token_stays_valid_until_exp_and_skew() throws Exception {
    var token = verify(Issuer.set(), Issuer.token("exp", Issuer.NOW.getEpochSecond() + 10));
    assertThat(token.valid(Issuer.NOW.plusSeconds(69))).isTrue();
    assertThat(token.valid(Issuer.NOW.plusSeconds(70))).isFalse();
  }

  @Test
  void an_algorithm_that_the_provider_does_not_list_is_refused() throws Exception {
    var only = Requirements.of(null, Set.of()).withAlgorithms(Set.of(Algorithm.RS256));
    var verifier = sources.verifier(sources.local(Issuer.set()), only);
    var token = TokenReader.read(bytes(Issuer.signed(
        "SHA384withRSA",
        Issuer.rsa("one").getPrivate(),
        "{\"alg\":\"RS384\"}",
        StrictJson.write(Issuer.claims()))));
    assertThatExceptionOfType(BadToken.class)
        .isThrownBy(() -> verifier.candidates(token, KeySet.parse(Issuer.set()), Issuer.NOW))
        .withMessageContaining("alg");
  }

  @Test
  void providers_that_ask_for_the_same_share_a_verifier_and_others_do_not() throws Exception {
    var keys = sources.local(Issuer.set());
    var one = sources.verifier(keys, Requirements.of("a", Set.of("x")));
    assertThat(sources.verifier(sources.local(Issuer.set()), Requirements.of("a", Set.of("x"))))
        .isSameAs(one);
    assertThat(sources.verifier(keys, Requirements.of("b", Set.of("x"))).id())
        .isNotEqualTo(one.id());
  }

  @Test
  void types_that_are_named_are_asked_for() throws Exception {
    var only = ANY.withTypes(Set.of("jwt", "id+jwt"));
    verify(only, typed("JWT"));
    verify(only, typed("application/id+jwt"));
    refused(only, typed("at+jwt"), "typ");
    refused(only, Issuer.signed("{\"alg\":\"RS256\"}", StrictJson.write(Issuer.claims())), "typ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"logout+jwt", "dpop+jwt", "secevent+jwt"})
  void some_types_are_never_for_access(String type) {
    assertThatIllegalArgumentException().isThrownBy(() -> ANY.withTypes(Set.of("jwt", type)));
  }

  @Test
  void an_access_token_of_rfc_9068_says_that_it_is_one() throws Exception {
    var access = ANY.withTypes(Set.of("at+jwt"));
    verify(access, accessToken("at+jwt"));
    verify(access, accessToken("application/at+jwt"));
    verify(access, accessToken("AT+JWT"));
    for (var type : List.of("JWT", "id+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "")) {
      refused(access, accessToken(type), "typ");
    }
    var untyped = "{\"alg\":\"RS256\",\"kid\":\"one\"}";
    refused(access, Issuer.signed(untyped, StrictJson.write(accessClaims())), "typ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"iss", "exp", "aud", "sub", "client_id", "iat", "jti"})
  void an_access_token_of_rfc_9068_has_every_claim(String claim) {
    var access = Requirements.of(null, Set.of()).withTypes(Set.of("at+jwt"));
    refused(access, accessToken("at+jwt", claim, null), claim);
  }

  @Test
  void required_claims_are_there_and_say_something() throws Exception {
    var required = ANY.withClaims(List.of(ClaimPath.of("client_id"), ClaimPath.of("realm.roles")));
    var good = Map.of("roles", List.of("admin"));
    verify(required, Issuer.token("client_id", "shop", "realm", good));
    verify(required, Issuer.token("client_id", 0, "realm.roles", false));
    refused(required, Issuer.token("realm", good), "client_id");
    refused(required, Issuer.token("client_id", "", "realm", good), "client_id");
    refused(required, Issuer.token("client_id", List.of(), "realm", good), "client_id");
    refused(required, Issuer.token("client_id", "shop", "realm", Map.of()), "realm.roles");
    var nothing = "{\"iss\":\"" + Issuer.NAME
        + "\",\"aud\":\"orders\",\"exp\":1767229200,\"realm.roles\":1,\"client_id\":null}";
    refused(required, Issuer.signed(Issuer.header(), nothing), "client_id");
  }

  @Test
  void a_lifetime_has_a_maximum_and_a_beginning() throws Exception {
    var hour = ANY.withMaxLifetime(Duration.ofHours(1));
    long now = Issuer.NOW.getEpochSecond();
    verify(hour, Issuer.token("iat", now, "exp", now + 3600));
    refused(hour, Issuer.token("iat", now, "exp", now + 3601), "longer than 3600 s");
    refused(hour, Issuer.token("iat", now - 3600, "exp", now + 10), "longer than 3600 s");
    refused(hour, Issuer.token("exp", now + 10), "iat is missing");
  }

  @Test
  void the_skew_is_the_providers() throws Exception {
    long now = Issuer.NOW.getEpochSecond();
    var none = ANY.withSkew(Duration.ZERO);
    verify(none, Issuer.token("exp", now + 1, "nbf", now, "iat", now));
    refused(none, Issuer.token("exp", now), "expired");
    refused(none, Issuer.token("nbf", now + 1), "not valid yet");
    refused(none, Issuer.token("iat", now + 1), "not valid yet");
    verify(ANY.withSkew(Duration.ofMinutes(5)), Issuer.token("exp", now - 299));
  }

  private static String typed(String type) {
    var header = "{\"alg\":\"RS256\",\"kid\":\"one\",\"typ\":\"" + type + "\"}";
    return Issuer.signed(header, StrictJson.write(Issuer.claims()));
  }

  private static String accessToken(String type, @Nullable Object... more) {
    var header = "{\"alg\":\"RS256\",\"kid\":\"one\",\"typ\":\"" + type + "\"}";
    return Issuer.signed(header, StrictJson.write(accessClaims(more)));
  }

  private static Map<String, Object> accessClaims(@Nullable Object... more) {
    var claims = Issuer.claims("client_id", "shop", "iat", Issuer.NOW.getEpochSecond(), "jti", "7");
    for (int i = 0; i < more.length; i += 2) {
      claims.remove(String.valueOf(more[i]));
    }
    return claims;
  }

  private VerifiedToken verify(String set, String token) throws BadToken, BadKeySet {
    return verify(set, ANY, token);
  }

  private VerifiedToken verify(Requirements asked, String token) throws BadToken, BadKeySet {
    return verify(Issuer.set(), asked, token);
  }

  private VerifiedToken verify(String set, Requirements asked, String token)
      throws BadToken, BadKeySet {
    var keys = KeySet.parse(set);
    var verifier = sources.verifier(sources.local(set), asked);
    var read = TokenReader.read(bytes(token));
    return verifier.verify(read, verifier.candidates(read, keys, Issuer.NOW), Issuer.NOW);
  }

  private void refused(String set, String token, String why) {
    assertThatExceptionOfType(BadToken.class)
        .isThrownBy(() -> verify(set, token))
        .withMessageContaining(why);
  }

  private void refused(Requirements asked, String token, String why) {
    assertThatExceptionOfType(BadToken.class)
        .as(token)
        .isThrownBy(() -> verify(asked, token))
        .withMessageContaining(why);
  }

  private static byte[] bytes(String token) {
    return token.getBytes(StandardCharsets.UTF_8);
  }
}
