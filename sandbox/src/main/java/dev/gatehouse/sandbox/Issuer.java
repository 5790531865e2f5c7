package dev.gatehouse.sandbox;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import tools.jackson.databind.json.JsonMapper;

/**
 * A token issuer: a key pair or two, their key set (RFC 7517), and tokens (RFC 7519) of any claims, signed. It signs whatever it
 * is told, so its keys are good for nothing but tests and the demo.
 */
public final class Issuer implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();

  private final KeyPair rsa;
  private final KeyPair ec;
  private final String prefix;
  private final HttpServer server;

  private Issuer(KeyPair rsa, KeyPair ec, String prefix) {
    this.rsa = rsa;
    this.ec = ec;
    this.prefix = prefix;
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    serve("/jwks.json", "application/jwk-set+json", this::jwks);
    serve("/.well-known/openid-configuration", "application/json", this::configuration);
    server.start();
  }

  private void serve(String path, String type, Supplier<String> text) {
    server.createContext(path, exchange -> {
      var body = text.get().getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("content-type", type);
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    });
  }

  /** New keys, for cases. */
  public static Issuer random() {
    return new Issuer(generateRsa(), generateEc(), "case");
  }

  /** The demo's key, which everybody knows: its policies hold the public half, so that they are plain files. */
  public static Issuer demo() {
    var pair = PrivateKeyPem.read(SigningKey.demoPem());
    return new Issuer(new KeyPair(pair.open(), pair.secret()), generateEc(), "gatehouse-demo-only");
  }

  /** What tokens say as {@code iss} in cases; the key set is below it at {@code /jwks.json}. */
  public String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** What OpenID Connect Discovery 1.0 §3 needs for finding the key set. */
  private String configuration() {
    return JSON.writeValueAsString(Map.of("issuer", url(), "jwks_uri", url() + "/jwks.json"));
  }

  /** The key set with both public keys. */
  public String jwks() {
    return JSON.writeValueAsString(Map.of(
        "keys",
        List.of(
            rsaJwk(prefix + "-rs256", (RSAPublicKey) rsa.getPublic()),
            ecJwk(prefix + "-es256", (ECPublicKey) ec.getPublic()))));
  }

  /** The key set with the RSA key alone, which for the demo is the same at every start. */
  public String rsaJwks() {
    return JSON.writeValueAsString(
        Map.of("keys", List.of(rsaJwk(prefix + "-rs256", (RSAPublicKey) rsa.getPublic()))));
  }

  /** A token signed with RS256. */
  public String token(Map<String, ?> claims) {
    return token("RS256", Map.of(), claims);
  }

  /**
   * A token.
   *
   * @param algorithm {@code RS256}, {@code ES256}, or {@code none} for an unsigned one
   * @param header laid over {@code alg}, {@code kid} and {@code typ}; a null value leaves one out
   */
  public String token(String algorithm, Map<String, ?> header, Map<String, ?> claims) {
    var head = new LinkedHashMap<String, Object>();
    head.put("alg", algorithm);
    head.put("typ", "JWT");
    if (!algorithm.equals("none")) {
      head.put("kid", prefix + "-" + algorithm.toLowerCase(java.util.Locale.ROOT));
    }
    header.forEach((name, value) -> {
      if (value == null) {
        head.remove(name);
      } else {
        head.put(name, value);
      }
    });
    var signed = part(head) + "." + part(claims);
    return signed + "." + BASE64.encodeToString(sign(algorithm, signed));
  }

  private static String part(Map<String, ?> json) {
    return BASE64.encodeToString(JSON.writeValueAsString(json).getBytes(StandardCharsets.UTF_8));
  }

  private byte[] sign(String algorithm, String text) {
    try {
      var signature = switch (algorithm) {
        case "none" -> null;
        case "RS256" -> Signature.getInstance("SHA256withRSA");
        // RFC 7518 section 3.4: r and s one after the other, not DER.
        case "ES256" -> Signature.getInstance("SHA256withECDSAinP1363Format");
        default ->
          throw new IllegalArgumentException(
              "algorithm " + algorithm + " (expected: RS256, ES256 or none)");
      };
      if (signature == null) {
        return new byte[0];
      }
      signature.initSign((algorithm.equals("RS256") ? rsa : ec).getPrivate());
      signature.update(text.getBytes(StandardCharsets.US_ASCII));
      return signature.sign();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Map<String, Object> rsaJwk(String kid, RSAPublicKey key) {
    var jwk = new LinkedHashMap<String, Object>();
    jwk.put("kty", "RSA");
    jwk.put("kid", kid);
    jwk.put("alg", "RS256");
    jwk.put("use", "sig");
    jwk.put("n", unsigned(key.getModulus(), 0));
    jwk.put("e", unsigned(key.getPublicExponent(), 0));
    return jwk;
  }

  private static Map<String, Object> ecJwk(String kid, ECPublicKey key) {
    var jwk = new LinkedHashMap<String, Object>();
    jwk.put("kty", "EC");
    jwk.put("kid", kid);
    jwk.put("alg", "ES256");
    jwk.put("use", "sig");
    jwk.put("crv", "P-256");
    jwk.put("x", unsigned(key.getW().getAffineX(), 32));
    jwk.put("y", unsigned(key.getW().getAffineY(), 32));
    return jwk;
  }

  /** Big-endian without a sign byte (RFC 7518 section 2), padded to a length where the key type has one. */
  private static String unsigned(BigInteger number, int length) {
    var bytes = number.toByteArray();
    if (bytes[0] == 0) {
      bytes = Arrays.copyOfRange(bytes, 1, bytes.length);
    }
    if (bytes.length < length) {
      var padded = new byte[length];
      System.arraycopy(bytes, 0, padded, length - bytes.length, bytes.length);
      bytes = padded;
    }
    return BASE64.encodeToString(bytes);
  }

  private static KeyPair generateRsa() {
    try {
      var generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static KeyPair generateEc() {
    try {
      var generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
