package dev.gatehouse.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.RSAPublicKey;
import java.util.Base64;
import java.util.List;
import java.util.stream.IntStream;

/** The policies that the measured servers serve, and a thousand callers with a token each. */
final class Shop {
  private static final int CALLERS = 1_000;
  private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();

  private final KeyPair keys;
  private final List<String> tokens;

  Shop() {
    try {
      var generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      keys = generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
    tokens = users().stream().map(this::token).toList();
  }

  String listener() {
    return "shop/web/http";
  }

  String route() {
    return "HTTPRoute/shop/orders/list";
  }

  List<String> users() {
    return IntStream.range(0, CALLERS).mapToObj(i -> "user-" + i).toList();
  }

  List<String> tokens() {
    return tokens;
  }

  /** Writes the policies into a folder. The limit is so high that nothing is denied. */
  void write(Path folder) {
    var key = (RSAPublicKey) keys.getPublic();
    var jwks =
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k1\",\"alg\":\"RS256\",\"use\":\"sig\",\"n\":\""
            + unsigned(key.getModulus()) + "\",\"e\":\"" + unsigned(key.getPublicExponent())
            + "\"}]}";
    try (var in = Shop.class.getResourceAsStream("policies.yaml")) {
      if (in == null) {
        throw new IllegalStateException("policies.yaml is not among the resources");
      }
      var yaml = new String(in.readAllBytes(), StandardCharsets.UTF_8).replace("${jwks}", jwks);
      Files.writeString(folder.resolve("policies.yaml"), yaml);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String token(String user) {
    var now = System.currentTimeMillis() / 1000;
    var header = "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}";
    var claims = "{\"iss\":\"https://idp.shop.example\",\"aud\":\"orders\",\"sub\":\"" + user
        + "\",\"client_id\":\"shop-web\",\"scope\":\"orders:read orders:write profile\",\"iat\":"
        + now + ",\"exp\":"
        + (now + 86_400) + ",\"jti\":\"" + user + "-1\",\"plan\":\"gold\"}";
    var signed = encode(header.getBytes(StandardCharsets.UTF_8)) + "."
        + encode(claims.getBytes(StandardCharsets.UTF_8));
    try {
      var signature = Signature.getInstance("SHA256withRSA");
      signature.initSign(keys.getPrivate());
      signature.update(signed.getBytes(StandardCharsets.US_ASCII));
      return signed + "." + encode(signature.sign());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String unsigned(BigInteger number) {
    var bytes = number.toByteArray();
    var from = bytes[0] == 0 ? 1 : 0;
    return encode(java.util.Arrays.copyOfRange(bytes, from, bytes.length));
  }

  private static String encode(byte[] bytes) {
    return BASE64.encodeToString(bytes);
  }
}
