package dev.gatehouse.authz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.authz.jwt.Issuer;
import dev.gatehouse.server.Decision.Outcome;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** For random policies and requests: who passes has shown a good token, or the policy says that nobody has to. */
class AllowImpliesTokenTest {
  private static final long SEED = 20261122;
  private static final int POLICIES = 25;
  private static final int REQUESTS = 100;

  /** Good ones for the policy's provider, and what is none: the caller knows which. */
  private record Shown(String token, boolean good, boolean reader) {}

  private final Random random = new Random(SEED);
  private final List<Shown> tokens = List.of(
      new Shown(Issuer.token(), true, false),
      new Shown(Issuer.token("scope", "read"), true, true),
      new Shown(Issuer.token("scope", "write"), true, false),
      new Shown(Issuer.token("scope", "read", "exp", 1), false, true),
      new Shown(Issuer.token("scope", "read", "nbf", 1_999_999_999), false, true),
      new Shown(Issuer.token("scope", "read", "iss", "https://evil.example"), false, true),
      new Shown(Issuer.token("scope", "read", "aud", "other"), false, true),
      new Shown(
          Issuer.signed(
              "SHA256withRSA",
              Issuer.rsa("two").getPrivate(),
              Issuer.header(),
              "{\"iss\":\"" + Issuer.NAME
                  + "\",\"aud\":\"orders\",\"scope\":\"read\",\"exp\":1767229200}"),
          false,
          true),
      new Shown("x", false, false),
      new Shown("", false, false));

  @Test
  void an_allow_means_that_a_token_was_verified_or_none_was_asked_for() {
    int allowed = 0;
    for (int p = 0; p < POLICIES; p++) {
      boolean optional = random.nextBoolean();
      boolean rules = random.nextBoolean();
      boolean anyoneReads = rules && random.nextInt(4) == 0;
      try (var gate = Gate.of(Gate.policy(policy(optional, rules, anyoneReads)))) {
        for (int r = 0; r < REQUESTS; r++) {
          var shown = shown();
          var call = call(shown);
          boolean passed = gate.status(call) == 200;
          boolean identified = shown.size() == 1 && shown.getFirst().good;
          boolean anonymous = optional && shown.isEmpty();
          boolean permitted = !rules || anyoneReads || (identified && shown.getFirst().reader);
          assertThat(passed)
              .as("seed %d policy %d request %d: %s", SEED, p, r, gate.last())
              .isEqualTo((identified || anonymous) && permitted);
          assertThat(gate.last().outcome() == Outcome.ALLOWED).isEqualTo(passed);
          allowed += passed ? 1 : 0;
        }
      }
    }
    assertThat(allowed).isBetween(POLICIES * REQUESTS / 20, POLICIES * REQUESTS * 19 / 20);
  }

  private List<Shown> shown() {
    var shown = new ArrayList<Shown>();
    while (shown.size() < 3 && random.nextInt(3) != 0) {
      shown.add(tokens.get(random.nextInt(tokens.size())));
    }
    return shown;
  }

  /** Each token in one of the default places, which may be the same place twice. */
  private Call call(List<Shown> shown) {
    var path = new StringBuilder("/orders?a=b");
    var call = Call.get("/");
    for (var each : shown) {
      if (random.nextBoolean()) {
        path.append(random.nextBoolean() ? "&access_token=" : "&%61ccess_token=")
            .append(each.token);
      } else {
        call = call.with(
            "authorization", (random.nextBoolean() ? "Bearer " : "bearer  ") + each.token);
      }
    }
    var noise = new byte[random.nextInt(8)];
    random.nextBytes(noise);
    call = call.with("x-noise", com.google.protobuf.ByteString.copyFrom(noise))
        .with("x-user", new String(noise, StandardCharsets.ISO_8859_1).replaceAll("[^a-z]", "a"));
    var placed = new Call(
        call.method(),
        path.toString(),
        call.headers(),
        random.nextBoolean(),
        call.address(),
        call.listener(),
        call.route(),
        null);
    return placed;
  }

  private static String policy(boolean optional, boolean rules, boolean anyoneReads) {
    var spec = new StringBuilder(Gate.jwt("    audiences: [orders]\n"));
    spec.append("  optional: ").append(optional).append('\n');
    if (rules) {
      spec.append("""
          authorization:
            rules:
            - {action: Allow, principal: {jwt: {provider: corp, scopes: [read]}}}
          """);
    }
    if (anyoneReads) {
      spec.append(
          "  - {action: Allow, operation: {methods: [GET]}, principal: {clientCIDRs: [192.0.2.0/24]}}\n");
    }
    return spec.toString();
  }
}
