package dev.gatehouse.authz.certificate;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/** Certificates in PEM (RFC 7468 §5), read strictly: one encoding of each, and nothing behind it. */
final class Pem {
  private static final String BEGIN = "-----BEGIN CERTIFICATE-----";
  private static final String END = "-----END CERTIFICATE-----";

  private Pem() {}

  /**
   * @param remarks whether text may stand between them (RFC 7468 §2), as it does in bundles
   * @param most how many there may be
   * @throws BadCertificate if it is anything else; nothing is quoted
   */
  static List<X509Certificate> certificates(String text, boolean remarks, int most)
      throws BadCertificate {
    var found = new ArrayList<X509Certificate>();
    StringBuilder base64 = null;
    for (var line : text.lines().toList()) {
      if (base64 != null && line.equals(END)) {
        found.add(certificate(decoded(base64.toString())));
        base64 = null;
      } else if (base64 != null) {
        base64.append(line);
      } else if (line.equals(BEGIN)) {
        require(found.size() < most, "there are more than " + most + " certificates");
        base64 = new StringBuilder();
      } else {
        require(!line.startsWith("-----"), "a PEM block is not a CERTIFICATE");
        require(remarks || line.isEmpty(), "something stands beside the PEM blocks");
      }
    }
    require(base64 == null, "a PEM block does not end");
    require(!found.isEmpty(), "there is no PEM block");
    return found;
  }

  /**
   * Undoes percent-encoding (RFC 3986 §2.1); a plus is a plus.
   *
   * @throws BadCertificate if it is not that, or not ASCII
   */
  static String urlDecoded(String text) throws BadCertificate {
    var decoded = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '%') {
        require(i + 2 < text.length(), "its URL-encoding is cut");
        int high = Character.digit(text.charAt(i + 1), 16);
        int low = Character.digit(text.charAt(i + 2), 16);
        require(high >= 0 && low >= 0, "its URL-encoding is wrong");
        c = (char) (high << 4 | low);
        i += 2;
      }
      require(c < 0x80, "it is not ASCII");
      decoded.append(c);
    }
    return decoded.toString();
  }

  private static byte[] decoded(String base64) throws BadCertificate {
    var text = base64.getBytes(StandardCharsets.UTF_8);
    try {
      var der = Base64.getDecoder().decode(text);
      require(Arrays.equals(Base64.getEncoder().encode(der), text), "its base64 is not canonical");
      return der;
    } catch (IllegalArgumentException e) {
      throw new BadCertificate("its base64 is wrong");
    }
  }

  /** The JDK says that it throws CertificateException only; its parser has thrown others. */
  private static X509Certificate certificate(byte[] der) throws BadCertificate {
    try {
      var in = new ByteArrayInputStream(der);
      var certificate =
          (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
      require(
          in.available() == 0 && Arrays.equals(certificate.getEncoded(), der),
          "it is not DER and nothing else");
      return certificate;
    } catch (CertificateException | RuntimeException e) {
      throw new BadCertificate("it is no certificate: " + e.getClass().getSimpleName());
    }
  }

  private static void require(boolean holds, String otherwise) throws BadCertificate {
    if (!holds) {
      throw new BadCertificate(otherwise);
    }
  }
}
