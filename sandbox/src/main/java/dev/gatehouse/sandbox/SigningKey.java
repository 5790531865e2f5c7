package dev.gatehouse.sandbox;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * A key that signs tokens (RFC 7515, 7519), and its public half as a key set (RFC 7517). It signs whatever it is told, so what it signs
 * with is good for nothing but tests and the demo.
 */
public final class SigningKey {
  /** What the demo's policies expect as {@code iss} and {@code aud}. */
  public static final String DEMO_ISSUER = "https://issuer.shop.example";

  public static final String DEMO_AUDIENCE = "shop";

  private static final String DEMO_KID = "gatehouse-demo-only-rs256";
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();

  private final PrivateKey secret;
  private final String algorithm;
  private final String kid;
  private final Map<String, Object> jwk;

  private SigningKey(
      PrivateKeyPem.Pair pair, @Nullable String wantedKid, @Nullable String wantedAlgorithm) {
    this.secret = pair.secret();
    this.algorithm = wantedAlgorithm == null ? usual(pair.open()) : wantedAlgorithm;
    var bare = bare(pair.open());
    this.kid = wantedKid == null ? thumbprint(bare) : wantedKid;
    this.jwk = new LinkedHashMap<>(bare);
    jwk.put("kid", kid);
    jwk.put("alg", algorithm);
    jwk.put("use", "sig");
    if (!fitting(pair.open()).contains(algorithm)) {
      throw new IllegalArgumentException("algorithm: " + algorithm + " (expected with this key: "
          + String.join(", ", fitting(pair.open())) + ")");
    }
  }

  /** The demo's key, which everybody has: its policies hold the public half, so that they are plain files. */
  public static SigningKey demo() {
    return of(demoPem(), DEMO_KID, null);
  }

  /**
   * A private key in PEM (RFC 7468): RSA, EC (P-256, P-384, P-521) or Ed25519, not encrypted.
   *
   * @param kid null means the key's SHA-256 thumbprint (RFC 7638)
   * @param algorithm null means RS256, the curve's own, or EdDSA
   * @throws IllegalArgumentException saying what is wrong
   */
  public static SigningKey of(String pem, @Nullable String kid, @Nullable String algorithm) {
    return new SigningKey(PrivateKeyPem.read(pem), kid, algorithm);
  }

  static String demoPem() {
    try (var in = SigningKey.class.getResourceAsStream("demo-only-key.pem")) {
      if (in == null) {
        throw new IllegalStateException("demo-only-key.pem is not on the class path");
      }
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** {@code alg}, {@code kid} and {@code typ}, and over them what is given; a null value leaves a member out. */
  public Map<String, @Nullable Object> header(Map<String, ? extends @Nullable Object> laidOver) {
    var header = new LinkedHashMap<String, @Nullable Object>();
    header.put("alg", algorithm);
    header.put("typ", "JWT");
    header.put("kid", kid);
    header.putAll(laidOver);
    header.values().removeIf(value -> value == null);
    return header;
  }

  /** A signed token of exactly this header and these claims. */
  public String token(
      Map<String, ? extends @Nullable Object> header,
      Map<String, ? extends @Nullable Object> claims) {
    var signed = part(header) + "." + part(claims);
    return signed + "." + BASE64.encodeToString(sign(signed));
  }

  /** The key set with the public half. */
  public String jwks() {
    return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(Map.of("keys", List.of(jwk)));
  }

  private static String part(Map<String, ? extends @Nullable Object> json) {
    return BASE64.encodeToString(JSON.writeValueAsString(json).getBytes(StandardCharsets.UTF_8));
  }

  private byte[] sign(String text) {
    try {
      var signature = signature(algorithm);
      signature.initSign(secret);
      signature.update(text.getBytes(StandardCharsets.US_ASCII));
      return signature.sign();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** RFC 7518 section 3.1 and RFC 8037. */
  private static Signature signature(String algorithm) throws GeneralSecurityException {
    var bits = algorithm.substring(2);
    return switch (algorithm.substring(0, 2)) {
      case "RS" -> Signature.getInstance("SHA" + bits + "withRSA");
      case "PS" -> {
        var signature = Signature.getInstance("RSASSA-PSS");
        signature.setParameter(new PSSParameterSpec(
            "SHA-" + bits,
            "MGF1",
            new MGF1ParameterSpec("SHA-" + bits),
            Integer.parseInt(bits) / 8,
            1));
        yield signature;
      }
      // Section 3.4: r and s one after the other, not DER.
      case "ES" -> Signature.getInstance("SHA" + bits + "withECDSAinP1363Format");
      default -> Signature.getInstance("Ed25519");
    };
  }

  private static String usual(PublicKey key) {
    return fitting(key).getFirst();
  }

  private static List<String> fitting(PublicKey key) {
    return switch (key) {
      case RSAPublicKey _ -> List.of("RS256", "RS384", "RS512", "PS256", "PS384", "PS512");
      case ECPublicKey ec -> List.of(curve(ec).algorithm);
      default -> List.of("EdDSA");
    };
  }

  private enum Curve {
    P256("P-256", "ES256", 32),
    P384("P-384", "ES384", 48),
    P521("P-521", "ES512", 66);

    private final String jose;
    private final String algorithm;
    private final int bytes;

    Curve(String jose, String algorithm, int bytes) {
      this.jose = jose;
      this.algorithm = algorithm;
      this.bytes = bytes;
    }
  }

  private static Curve curve(ECPublicKey key) {
    return switch (key.getParams().getCurve().getField().getFieldSize()) {
      case 256 -> Curve.P256;
      case 384 -> Curve.P384;
      case 521 -> Curve.P521;
      default ->
        throw new IllegalArgumentException(
            "a curve that tokens do not use (expected: P-256, P-384 or P-521)");
    };
  }

  /** The members that make the key, which are those of its thumbprint (RFC 7638 section 3.2). */
  private static Map<String, Object> bare(PublicKey key) {
    return switch (key) {
      case RSAPublicKey rsa ->
        members(
            "kty",
            "RSA",
            "n",
            unsigned(rsa.getModulus(), 0),
            "e",
            unsigned(rsa.getPublicExponent(), 0));
      case ECPublicKey ec ->
        members(
            "kty",
            "EC",
            "crv",
            curve(ec).jose,
            "x",
            unsigned(ec.getW().getAffineX(), curve(ec).bytes),
            "y",
            unsigned(ec.getW().getAffineY(), curve(ec).bytes));
      case EdECPublicKey ed ->
        members("kty", "OKP", "crv", "Ed25519", "x", BASE64.encodeToString(point(ed)));
      default -> throw new IllegalArgumentException("a key of the kind " + key.getAlgorithm());
    };
  }

  private static Map<String, Object> members(String... namesAndValues) {
    var members = new LinkedHashMap<String, Object>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      members.put(namesAndValues[i], namesAndValues[i + 1]);
    }
    return members;
  }

  /** RFC 8032 section 5.1.2: y, little-endian, with the lowest bit of x on top. */
  private static byte[] point(EdECPublicKey key) {
    var point = new byte[32];
    var y = key.getPoint().getY().toByteArray();
    for (int i = 0; i < Math.min(y.length, 32); i++) {
      point[i] = y[y.length - 1 - i];
    }
    if (key.getPoint().isXOdd()) {
      point[31] |= (byte) 0x80;
    }
    return point;
  }

  private static String thumbprint(Map<String, Object> bare) {
    try {
      var text = JSON.writeValueAsString(new TreeMap<>(bare));
      return BASE64.encodeToString(
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
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
}
