package dev.gatehouse.sandbox;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.EdECPrivateKey;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.spec.ECFieldFp;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.NamedParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A private key that stands in a PEM file without its public half, which is found from it. PKCS#8, PKCS#1 ({@code RSA PRIVATE KEY}) and
 * SEC 1 ({@code EC PRIVATE KEY}). Nothing here is constant in time: it is for test keys.
 */
final class PrivateKeyPem {
  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\\s]+)-----END \\1-----");

  /** {@code SEQUENCE {rsaEncryption, NULL}} and the OID of EC keys (RFC 3279 section 2.3). */
  private static final byte[] RSA = HexFormat.of().parseHex("300d06092a864886f70d0101010500");

  private static final byte[] EC = HexFormat.of().parseHex("06072a8648ce3d0201");
  private static final byte[] VERSION_0 = {0x02, 1, 0};
  private static final int SEQUENCE = 0x30;
  private static final int OCTET_STRING = 0x04;
  private static final int PARAMETERS = 0xa0;

  private PrivateKeyPem() {}

  record Pair(PrivateKey secret, PublicKey open) {}

  /** @throws IllegalArgumentException saying what is wrong, without anything of the key */
  static Pair read(String pem) {
    var block = BLOCK.matcher(pem);
    while (block.find()) {
      var pkcs8 = pkcs8(block.group(1), block.group(2));
      if (pkcs8 != null) {
        return pair(secret(pkcs8));
      }
    }
    throw new IllegalArgumentException(
        "no private key (expected: PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY in PEM)");
  }

  private static byte @Nullable [] pkcs8(String label, String base64) {
    return switch (label) {
      case "PRIVATE KEY" -> der(base64);
      case "RSA PRIVATE KEY" -> tlv(SEQUENCE, VERSION_0, RSA, tlv(OCTET_STRING, der(base64)));
      case "EC PRIVATE KEY" -> {
        var der = der(base64);
        yield tlv(SEQUENCE, VERSION_0, tlv(SEQUENCE, EC, curve(der)), tlv(OCTET_STRING, der));
      }
      case "ENCRYPTED PRIVATE KEY" ->
        throw new IllegalArgumentException(
            "the key is encrypted (expected: a plain one; openssl pkey -in KEY -out PLAIN decrypts it)");
      default -> null;
    };
  }

  private static byte[] der(String base64) {
    try {
      return Base64.getMimeDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("the key is not base64", e);
    }
  }

  /** The curve's OID: SEC 1 has it as {@code [0]} behind the version and the number (RFC 5915 section 3). */
  private static byte[] curve(byte[] der) {
    for (var part : parts(der)) {
      if ((part[0] & 0xff) == PARAMETERS) {
        return content(part);
      }
    }
    throw new IllegalArgumentException("the EC key does not name its curve");
  }

  private static PrivateKey secret(byte[] pkcs8) {
    for (var algorithm : List.of("RSA", "EC", "Ed25519")) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
      } catch (InvalidKeySpecException e) {
        // Another kind of key.
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException(e);
      }
    }
    throw new IllegalArgumentException(
        "a private key that is not understood (expected: RSA, EC or Ed25519)");
  }

  private static Pair pair(PrivateKey secret) {
    try {
      return switch (secret) {
        case RSAPrivateCrtKey rsa ->
          new Pair(
              secret,
              KeyFactory.getInstance("RSA")
                  .generatePublic(new RSAPublicKeySpec(rsa.getModulus(), rsa.getPublicExponent())));
        case ECPrivateKey ec ->
          new Pair(
              secret,
              KeyFactory.getInstance("EC")
                  .generatePublic(new ECPublicKeySpec(point(ec), ec.getParams())));
        case EdECPrivateKey ed -> new Pair(secret, edwards(ed));
        default -> throw new IllegalArgumentException("a key of the kind " + secret.getAlgorithm());
      };
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException("the key cannot be used: " + e.getMessage(), e);
    }
  }

  /** The secret times the generator, by doubling and adding. */
  private static ECPoint point(ECPrivateKey key) {
    var curve = key.getParams().getCurve();
    var field = ((ECFieldFp) curve.getField()).getP();
    var sum = ECPoint.POINT_INFINITY;
    for (int bit = key.getS().bitLength() - 1; bit >= 0; bit--) {
      sum = sum(sum, sum, curve.getA(), field);
      if (key.getS().testBit(bit)) {
        sum = sum(sum, key.getParams().getGenerator(), curve.getA(), field);
      }
    }
    return sum;
  }

  private static ECPoint sum(ECPoint one, ECPoint other, BigInteger a, BigInteger field) {
    if (one.equals(ECPoint.POINT_INFINITY)) {
      return other;
    }
    if (other.equals(ECPoint.POINT_INFINITY)) {
      return one;
    }
    boolean same = one.equals(other);
    if (!same && one.getAffineX().equals(other.getAffineX())) {
      return ECPoint.POINT_INFINITY;
    }
    var rise = same
        ? one.getAffineX().pow(2).multiply(BigInteger.valueOf(3)).add(a)
        : other.getAffineY().subtract(one.getAffineY());
    var run = same ? one.getAffineY().shiftLeft(1) : other.getAffineX().subtract(one.getAffineX());
    var slope = rise.multiply(run.modInverse(field)).mod(field);
    var x = slope.pow(2).subtract(one.getAffineX()).subtract(other.getAffineX()).mod(field);
    var y =
        slope.multiply(one.getAffineX().subtract(x)).subtract(one.getAffineY()).mod(field);
    return new ECPoint(x, y);
  }

  /** The JDK makes a key pair of 32 random bytes (RFC 8032 section 5.1.5); here these are the key's. */
  private static PublicKey edwards(EdECPrivateKey key) throws GeneralSecurityException {
    var seed = key.getBytes().orElseThrow(() -> new InvalidKeySpecException("no bytes"));
    var generator = KeyPairGenerator.getInstance("Ed25519");
    generator.initialize(NamedParameterSpec.ED25519, new Given(seed));
    var pair = generator.generateKeyPair();
    if (!Arrays.equals(((EdECPrivateKey) pair.getPrivate()).getBytes().orElseThrow(), seed)) {
      throw new InvalidKeySpecException("its public half cannot be found");
    }
    return pair.getPublic();
  }

  private static final class Given extends SecureRandom {
    private static final long serialVersionUID = 1L;
    private final byte[] bytes;

    Given(byte[] bytes) {
      this.bytes = bytes.clone();
    }

    @Override
    public void nextBytes(byte[] into) {
      System.arraycopy(bytes, 0, into, 0, Math.min(bytes.length, into.length));
    }
  }

  /** What a constructed DER value is made of. */
  private static List<byte[]> parts(byte[] der) {
    var parts = new ArrayList<byte[]>();
    var inside = content(der);
    for (int at = 0; at < inside.length; ) {
      int end = contentAt(inside, at) + lengthAt(inside, at);
      parts.add(Arrays.copyOfRange(inside, at, end));
      at = end;
    }
    return parts;
  }

  private static byte[] content(byte[] der) {
    int from = contentAt(der, 0);
    return Arrays.copyOfRange(der, from, from + lengthAt(der, 0));
  }

  private static int contentAt(byte[] der, int at) {
    byte length = byteAt(der, at + 1);
    return at + 2 + (length < 0 ? length & 0x7f : 0);
  }

  private static int lengthAt(byte[] der, int at) {
    byte first = byteAt(der, at + 1);
    int length = first < 0 ? 0 : first;
    for (int i = at + 2; i < contentAt(der, at); i++) {
      length = (length << 8) | (byteAt(der, i) & 0xff);
    }
    if (length < 0 || contentAt(der, at) + length > der.length) {
      throw new IllegalArgumentException("the key is cut off");
    }
    return length;
  }

  private static byte byteAt(byte[] der, int at) {
    if (at >= der.length) {
      throw new IllegalArgumentException("the key is cut off");
    }
    return der[at];
  }

  private static byte[] tlv(int tag, byte[]... contents) {
    int length = Arrays.stream(contents).mapToInt(content -> content.length).sum();
    byte[] header = length < 0x80
        ? new byte[] {(byte) tag, (byte) length}
        : length < 0x100
            ? new byte[] {(byte) tag, (byte) 0x81, (byte) length}
            : new byte[] {(byte) tag, (byte) 0x82, (byte) (length >> 8), (byte) length};
    byte[] value = Arrays.copyOf(header, header.length + length);
    int at = header.length;
    for (var content : contents) {
      System.arraycopy(content, 0, value, at, content.length);
      at += content.length;
    }
    return value;
  }
}
