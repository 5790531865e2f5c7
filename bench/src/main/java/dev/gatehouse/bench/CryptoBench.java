package dev.gatehouse.bench;

import dev.gatehouse.authz.jwt.BadKeySet;
import dev.gatehouse.authz.jwt.BadToken;
import dev.gatehouse.authz.jwt.Crypto;
import dev.gatehouse.authz.jwt.KeySet;
import dev.gatehouse.authz.jwt.Signatures;
import dev.gatehouse.authz.jwt.TokenReader;
import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.security.Jwks;
import io.jsonwebtoken.security.PublicJwk;
import io.jsonwebtoken.security.SignatureAlgorithm;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;

/**
 * What a signature costs: CPU time of the thread that checks it through ext-authz's own signature layer, with the JDK's code and
 * with the provider that serves here, and how much of it is reading form and header. Medians over rounds; all take turns.
 */
@Command(
    name = "crypto",
    mixinStandardHelpOptions = true,
    description = {
      "What a signature costs: CPU time of the thread that checks it, with the JDK's code and with ours.",
      "Reading a token's form and header is part of both, and shown beside them. Medians of 15 rounds."
    })
final class CryptoBench implements Callable<Integer> {
  private static final int ROUNDS = 15;
  private static final long ROUND_NANOS = 100_000_000;
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private record Signed(String name, String token, String keys) {}

  @Override
  public Integer call() {
    System.out.println("ours: " + Crypto.best().name());
    System.out.printf(Locale.ROOT, "%-8s %10s %10s %10s%n", "", "JDK µs", "ours µs", "reading µs");
    try {
      for (var signed : List.of(
          signed("RS256", Jwts.SIG.RS256, Jwts.SIG.RS256.keyPair().build()),
          signed("PS256", Jwts.SIG.PS256, Jwts.SIG.RS256.keyPair().build()),
          signed("ES256", Jwts.SIG.ES256, Jwts.SIG.ES256.keyPair().build()),
          signed("Ed25519", Jwts.SIG.EdDSA, Jwks.CRV.Ed25519.keyPair().build()),
          signed("ES384", Jwts.SIG.ES384, Jwts.SIG.ES384.keyPair().build()),
          signed("ES512", Jwts.SIG.ES512, Jwts.SIG.ES512.keyPair().build()))) {
        compare(signed);
      }
      return 0;
    } catch (BadToken | BadKeySet e) {
      System.err.println("a token of our own was refused: " + e.getMessage());
      return 1;
    }
  }

  private static void compare(Signed signed) throws BadToken, BadKeySet {
    var jdk = KeySet.parse(signed.keys, Crypto.jdk());
    var ours = KeySet.parse(signed.keys, Crypto.best());
    var jdkMicros = new ArrayList<Double>();
    var oursMicros = new ArrayList<Double>();
    var readingMicros = new ArrayList<Double>();
    for (int round = -3; round < ROUNDS; round++) {
      byte[] token = signed.token.getBytes(StandardCharsets.US_ASCII);
      double withJdk = micros(() -> Signatures.check(token, jdk));
      double withOurs = micros(() -> Signatures.check(token, ours));
      double reading = micros(() -> TokenReader.jws(token));
      if (round >= 0) { // those before warm it
        jdkMicros.add(withJdk);
        oursMicros.add(withOurs);
        readingMicros.add(reading);
      }
    }
    System.out.printf(
        Locale.ROOT,
        "%-8s %10.1f %10.1f %10.1f%n",
        signed.name,
        median(jdkMicros),
        median(oursMicros),
        median(readingMicros));
  }

  private interface Work {
    Object run() throws BadToken;
  }

  private static double micros(Work work) throws BadToken {
    long begin = THREADS.getCurrentThreadCpuTime();
    long checks = 0;
    while (THREADS.getCurrentThreadCpuTime() - begin < ROUND_NANOS) {
      for (int i = 0; i < 20; i++) {
        var _ = work.run();
      }
      checks += 20;
    }
    return (THREADS.getCurrentThreadCpuTime() - begin) / 1e3 / checks;
  }

  private static double median(List<Double> micros) {
    return micros.stream().sorted().toList().get(micros.size() / 2);
  }

  /** A token with the claims of an ordinary access token. */
  private static Signed signed(String name, SignatureAlgorithm algorithm, KeyPair pair) {
    var now = Instant.now();
    var token = Jwts.builder()
        .header()
        .keyId("one")
        .type("at+jwt")
        .and()
        .issuer("https://idp.example.com")
        .subject("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
        .claim("aud", "orders")
        .claim("client_id", "shop")
        .claim("scope", "orders:read orders:write")
        .id("7d1c7a2e-3c0a-4f65-9f6e-2f6f0f8a9d11")
        .issuedAt(Date.from(now))
        .expiration(Date.from(now.plusSeconds(3600)))
        .signWith(pair.getPrivate(), algorithm)
        .compact();
    PublicJwk<?> jwk = Jwks.builder().key(pair.getPublic()).id("one").build();
    var members = jwk.entrySet().stream()
        .filter(member -> member.getValue() instanceof String)
        .map(member -> "\"" + member.getKey() + "\":\"" + member.getValue() + "\"")
        .collect(Collectors.joining(","));
    return new Signed(name, token, "{\"keys\":[{" + members + "}]}");
  }
}
