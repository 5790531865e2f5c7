package dev.gatehouse.authz;

import com.google.protobuf.ByteString;
import dev.gatehouse.authz.jwt.BadKeySet;
import dev.gatehouse.authz.jwt.KeySources;
import dev.gatehouse.authz.jwt.Requirements;
import dev.gatehouse.authz.rules.ClaimPath;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.policy.attach.RouteKey;
import dev.gatehouse.server.Service.WarmUpCall;
import io.envoyproxy.envoy.config.core.v3.HeaderMap;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.jsonwebtoken.Jwts;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.interfaces.RSAPublicKey;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the code of a decision warm before the first caller comes: classes, crypto, JSON, answers. It decides on tokens of its own,
 * signed with a key that nobody else ever sees, against a plan that no request can reach.
 */
final class WarmUp {
  private static final Logger LOG = LoggerFactory.getLogger(WarmUp.class);
  private static final String NOWHERE = "gatehouse.dev/warm-up/ext-authz";
  private static final int TOKENS = 8;
  private static final int ROUNDS = 400;

  /** How long to wait for the providers' keys; those that are not there by then are answered 503 until they are. */
  private static final long KEYS_WITHIN_MILLIS = 2000;

  private final KeySources keys;
  private final Answers answers;
  private final InstantSource clock;

  WarmUp(KeySources keys, Answers answers, InstantSource clock) {
    this.keys = keys;
    this.answers = answers;
    this.clock = clock;
  }

  /** Over a real connection: requests whose binding no policy can have, in both forms of headers. */
  static List<WarmUpCall> calls() {
    var name = AuthorizationGrpc.getCheckMethod().getFullMethodName();
    return List.of(
        new WarmUpCall(name, List.of(request("none", true).toByteArray())),
        new WarmUpCall(name, List.of(request("none", false).toByteArray())));
  }

  void run() {
    try {
      decide();
      var _ = keys.settled()
          .completeOnTimeout(null, KEYS_WITHIN_MILLIS, TimeUnit.MILLISECONDS)
          .join();
    } catch (BadKeySet | RuntimeException e) {
      LOG.warn("warm-up failed; the first requests may be slow", e);
    }
  }

  private void decide() throws BadKeySet {
    var pair = Jwts.SIG.RS256.keyPair().build();
    var source = keys.local(keySet((RSAPublicKey) pair.getPublic()));
    var provider = new Provider(
        "warm-up",
        keys.verifier(source, Requirements.of("warm-up", Set.of())),
        TokenLocation.DEFAULT,
        List.of(new Provider.ClaimHeader(ClaimPath.of("sub"), "x-user")));
    var requests = requests(pair);
    for (int i = 0; i < ROUNDS; i++) {
      var method = new TokenMethod(
          List.of(provider), true, new TokenCache(TokenCache.DEFAULT_BYTES), 16 << 10);
      var guard = new Guard(
          "gatehouse/warm-up",
          Set.of("x-user"),
          Guard.Passing.STRICT,
          List.of(method),
          null,
          ResponsePlan.NONE);
      var plan =
          new RoutePlan.Guarded(new RouteKey("HTTPRoute", "gatehouse", "warm-up", "0"), guard);
      for (var request : requests.subList(0, i < TOKENS ? requests.size() : 1)) {
        decide(plan, request); // verified
        decide(plan, request); // verified, and kept
        decide(plan, request); // known
      }
    }
  }

  private void decide(RoutePlan plan, CheckRequest request) {
    var view = RequestView.of(request.getAttributes(), false);
    var verdict = new Authorizer().decide(plan, view, Facts.NONE, clock.instant());
    var answer = answers.of(verdict, view.decisionId());
    if (!(verdict instanceof Verdict.Allow) || answer.length == 0) {
      throw new IllegalStateException("a token of the warm-up's own was not taken: " + verdict);
    }
  }

  private List<CheckRequest> requests(KeyPair pair) {
    var requests = new ArrayList<CheckRequest>();
    for (int i = 0; i < TOKENS; i++) {
      var token = Jwts.builder()
          .header()
          .keyId("warm-up")
          .and()
          .issuer("warm-up")
          .subject("warm-up-" + i)
          .claim("scope", "a b")
          .expiration(Date.from(clock.instant().plusSeconds(600)))
          .signWith(pair.getPrivate(), Jwts.SIG.RS256)
          .compact();
      requests.add(request(token, i % 2 == 0));
    }
    return requests;
  }

  private static CheckRequest request(String token, boolean raw) {
    var http = AttributeContext.HttpRequest.newBuilder()
        .setMethod("GET")
        .setPath("/warm-up?a=b")
        .setHost("gatehouse.invalid")
        .setScheme("http");
    if (raw) {
      http.setHeaderMap(HeaderMap.newBuilder()
          .addHeaders(header(":path", "/warm-up?a=b"))
          .addHeaders(header("authorization", "Bearer " + token)));
    } else {
      http.putHeaders(":path", "/warm-up?a=b").putHeaders("authorization", "Bearer " + token);
    }
    return CheckRequest.newBuilder()
        .setAttributes(AttributeContext.newBuilder()
            .setRequest(AttributeContext.Request.newBuilder().setHttp(http))
            .putContextExtensions(Bindings.LISTENER, NOWHERE)
            .putContextExtensions(Bindings.ROUTE, "HTTPRoute/gatehouse.dev/warm-up/0"))
        .build();
  }

  private static HeaderValue header(String name, String value) {
    return HeaderValue.newBuilder()
        .setKey(name)
        .setRawValue(ByteString.copyFromUtf8(value))
        .build();
  }

  private static String keySet(RSAPublicKey key) {
    return """
        {"keys": [{"kty": "RSA", "kid": "warm-up", "n": "%s", "e": "%s"}]}""".formatted(number(key.getModulus()), number(key.getPublicExponent()));
  }

  /** RFC 7518 §2, Base64urlUInt. */
  private static String number(BigInteger number) {
    var bytes = number.toByteArray();
    int sign = bytes[0] == 0 ? 1 : 0;
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(Arrays.copyOfRange(bytes, sign, bytes.length));
  }
}
