package dev.gatehouse.server.tls;

import java.io.ByteArrayInputStream;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Certificates and private keys in PEM (RFC 7468). Keys may be PKCS#8, or what cert-manager and Envoy Gateway write: PKCS#1
 * ({@code RSA PRIVATE KEY}) and SEC 1 ({@code EC PRIVATE KEY}), which the JDK cannot read.
 */
final class Pem {
  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\\s]+)-----END \\1-----");

  private static final int SEQUENCE = 0x30;
  private static final int OCTET_STRING = 0x04;
  private static final byte[] VERSION_0 = {0x02, 1, 0};

  private Pem() {}

  private record Block(String place, String label, String base64) {
    byte[] der() {
      try {
        return Base64.getMimeDecoder().decode(base64);
      } catch (IllegalArgumentException e) {
        throw new TlsException(place + ": " + label + " is not base64", e);
      }
    }
  }

  /**
   * Every certificate of the text, at least one.
   *
   * @param place what errors call the text: a file, or a key of a Secret
   */
  static List<X509Certificate> certificates(String place, String content) {
    var certificates = new ArrayList<X509Certificate>();
    for (var block : blocks(place, content)) {
      if (block.label().equals("CERTIFICATE")) {
        certificates.add(certificate(place, block.der()));
      }
    }
    if (certificates.isEmpty()) {
      throw new TlsException(place + ": no certificate (expected: -----BEGIN CERTIFICATE-----)");
    }
    return certificates;
  }

  /**
   * The text's private key.
   *
   * @param of the certificate's public key: it says which kind of key this must be
   */
  static PrivateKey privateKey(String place, String content, PublicKey of) {
    for (var block : blocks(place, content)) {
      switch (block.label()) {
        case "PRIVATE KEY" -> {
          return decoded(place, block.der(), of);
        }
        case "RSA PRIVATE KEY", "EC PRIVATE KEY" -> {
          return decoded(place, pkcs8(block.der(), of), of);
        }
        case "ENCRYPTED PRIVATE KEY" ->
          throw new TlsException(
              place
                  + ": the key is encrypted (expected: a plain one; openssl pkey -in KEY -out PLAIN decrypts it)");
        default -> {}
      }
    }
    throw new TlsException(
        place + ": no private key (expected: PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY)");
  }

  static boolean belongTogether(PrivateKey key, X509Certificate certificate) {
    try {
      var signature = Signature.getInstance(
          switch (key.getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EC" -> "SHA256withECDSA";
            default -> key.getAlgorithm();
          });
      signature.initSign(key);
      signature.update(certificate.getEncoded());
      byte[] signed = signature.sign();
      signature.initVerify(certificate.getPublicKey());
      signature.update(certificate.getEncoded());
      return signature.verify(signed);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static PrivateKey decoded(String place, byte[] pkcs8, PublicKey of) {
    try {
      return KeyFactory.getInstance(of.getAlgorithm())
          .generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
    } catch (GeneralSecurityException e) {
      throw new TlsException(
          place + ": not a private key for the certificate, whose key is " + of.getAlgorithm(), e);
    }
  }

  private static X509Certificate certificate(String place, byte[] der) {
    try {
      return (X509Certificate) CertificateFactory.getInstance("X.509")
          .generateCertificate(new ByteArrayInputStream(der));
    } catch (CertificateException e) {
      throw new TlsException(place + ": not a certificate: " + e.getMessage(), e);
    }
  }

  private static List<Block> blocks(String place, String content) {
    var blocks = new ArrayList<Block>();
    var matcher = BLOCK.matcher(content);
    while (matcher.find()) {
      blocks.add(new Block(place, matcher.group(1), matcher.group(2)));
    }
    return blocks;
  }

  /** PKCS#8 (RFC 5208, 5) around a bare key; which algorithm and curve it is for is said in the public key (RFC 5280, 4.1). */
  private static byte[] pkcs8(byte[] bareKey, PublicKey of) {
    byte[] publicKey = of.getEncoded();
    int algorithm = contentAt(publicKey, 0);
    int end = contentAt(publicKey, algorithm) + lengthAt(publicKey, algorithm);
    return tlv(
        SEQUENCE,
        VERSION_0,
        Arrays.copyOfRange(publicKey, algorithm, end),
        tlv(OCTET_STRING, bareKey));
  }

  /** Where the content of the DER value at this place begins. */
  private static int contentAt(byte[] der, int at) {
    return at + 2 + (der[at + 1] < 0 ? der[at + 1] & 0x7f : 0);
  }

  private static int lengthAt(byte[] der, int at) {
    if (der[at + 1] >= 0) {
      return der[at + 1];
    }
    int length = 0;
    for (int i = at + 2; i < contentAt(der, at); i++) {
      length = (length << 8) | (der[i] & 0xff);
    }
    return length;
  }

  private static byte[] tlv(int tag, byte[]... contents) {
    int length = Arrays.stream(contents).mapToInt(content -> content.length).sum();
    byte[] header = length < 0x80
        ? new byte[] {(byte) tag, (byte) length}
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
