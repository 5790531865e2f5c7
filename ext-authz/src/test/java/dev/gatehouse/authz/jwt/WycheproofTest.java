package dev.gatehouse.authz.jwt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * All of C2SP Wycheproof's vectors for JSON Web Signatures and Keys against the signature layer, with the vector's own key, before
 * claims are looked at. The files are not ours: {@code -Dgatehouse.data=FOLDER} says where they are.
 *
 * <p>A vector that is invalid is refused, whatever the reason. One that is valid is taken, but for those with a symmetric key,
 * which are out of scope by design (RFC 8725 §3.1: none in reach of a public-key check), and those of {@link #WAIVED}.
 */
class WycheproofTest {
  private static final String SIGNATURES = "json_web_signature_test.json";
  private static final String KEYS = "json_web_key_test.json";

  private static final String NO_PAYLOAD =
      "the payload is empty, and claims are a JSON object (RFC 7519 §4)";
  private static final String OTHER_ALGORITHM =
      "the token's alg is PS384 and its key's PS256: a key is for one algorithm (RFC 8725 §3.1)";
  private static final String NO_ALGORITHM =
      "its key's alg is ES521, which is none (RFC 7518 §3.1 has ES512); key vectors 19 and 20 want such keys refused";

  /** Valid vectors that we refuse all the same. The same list stands in docs/security.md. */
  private static final Map<Integer, String> WAIVED = new TreeMap<>(Map.ofEntries(
      Map.entry(259, NO_PAYLOAD),
      Map.entry(264, NO_PAYLOAD),
      Map.entry(268, NO_PAYLOAD),
      Map.entry(272, NO_PAYLOAD),
      Map.entry(320, NO_PAYLOAD),
      Map.entry(325, NO_PAYLOAD),
      Map.entry(346, OTHER_ALGORITHM),
      Map.entry(350, OTHER_ALGORITHM),
      Map.entry(347, NO_ALGORITHM),
      Map.entry(351, NO_ALGORITHM)));

  /** @param keys the JSON of a key set */
  record Vector(String file, int id, String comment, boolean valid, String token, String keys) {
    boolean symmetric() {
      return keys.contains("\"kty\":\"oct\"");
    }

    boolean waived() {
      return file.equals(SIGNATURES) && WAIVED.containsKey(id);
    }

    @Override
    public String toString() {
      return file.replace("_test.json", "") + " " + id + " " + comment
          + (valid ? " (valid)" : " (invalid)");
    }
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("vectors")
  void a_vector_is_taken_if_it_is_valid_and_of_a_public_key(Vector vector) throws Exception {
    if (!vector.valid || vector.symmetric()) {
      assertThat(taken(vector)).as("false accept").isFalse();
    } else if (vector.waived()) {
      assertThat(taken(vector)).as("its waiver is no longer needed").isFalse();
    } else {
      assertThat(check(vector).key()).isNotNull();
    }
  }

  /** The same answers from the JDK's code, which serves where the faster does not load. */
  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("vectors")
  void the_jdk_says_the_same(Vector vector) {
    assertThat(taken(vector, Crypto.jdk())).isEqualTo(taken(vector, Crypto.best()));
  }

  @Test
  void all_vectors_are_there_and_every_waiver_is_of_a_valid_one() throws Exception {
    if (data().isEmpty()) {
      var left =
          "Wycheproof's vectors are not tried: say where they are with -Dgatehouse.data=FOLDER";
      assertThat(System.getenv("CI")).as(left).isNotEqualTo("true");
      System.err.println("Left out: " + left);
      abort(left);
    }
    var all = vectors();
    assertThat(all).filteredOn(v -> v.file.equals(SIGNATURES)).hasSize(401);
    assertThat(all).filteredOn(v -> v.file.equals(KEYS)).hasSize(26);
    assertThat(all.stream().filter(Vector::waived))
        .hasSize(WAIVED.size())
        .allMatch(v -> v.valid && !v.symmetric());
    assertThat(all.stream().filter(v -> v.valid && !v.symmetric() && !v.waived()))
        .as("valid ones of public keys")
        .hasSizeGreaterThan(20);
  }

  /** Their algorithm is refused in any case; their form would be too. */
  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("vectors")
  void a_malformed_one_of_a_symmetric_key_is_refused_for_its_form(Vector vector) {
    boolean base64 = vector.file.equals(SIGNATURES) && vector.id >= 357 && vector.id <= 377;
    if (!base64) {
      return;
    }
    // 367 and 370 are 357 byte for byte; 372 and 373 are "valid" with a question mark in them.
    boolean wellFormed = List.of(357, 358, 359, 367, 370, 376, 377).contains(vector.id);
    assertThatExceptionOfType(BadToken.class)
        .isThrownBy(() -> TokenReader.jws(vector.token.getBytes(StandardCharsets.UTF_8)))
        .withMessageMatching(wellFormed ? "alg is .*" : "(?!alg).*");
  }

  private static boolean taken(Vector vector) {
    return taken(vector, Crypto.best());
  }

  private static boolean taken(Vector vector, Crypto crypto) {
    try {
      var _ = Signatures.check(
          vector.token.getBytes(StandardCharsets.UTF_8), KeySet.parse(vector.keys, crypto));
      return true;
    } catch (BadToken | BadKeySet e) {
      return false;
    }
  }

  private static VerificationKey check(Vector vector) throws BadToken, BadKeySet {
    return Signatures.check(
        vector.token.getBytes(StandardCharsets.UTF_8), KeySet.parse(vector.keys));
  }

  static List<Vector> vectors() throws IOException {
    var all = new ArrayList<Vector>();
    if (!data().isEmpty()) {
      for (var file : List.of(SIGNATURES, KEYS)) {
        read(file, all);
      }
    }
    return all;
  }

  private static void read(String file, List<Vector> all) throws IOException {
    var text = Files.readAllBytes(Path.of(data(), "wycheproof", file));
    for (var group : objects(Objects.requireNonNull(StrictJson.object(text)), "testGroups")) {
      var key = group.getOrDefault("public", group.get("private"));
      var keys = file.equals(KEYS) ? key : Map.of("keys", List.of(Objects.requireNonNull(key)));
      for (var test : objects(group, "tests")) {
        all.add(new Vector(
            file,
            ((Number) Objects.requireNonNull(test.get("tcId"))).intValue(),
            String.valueOf(test.get("comment")),
            "valid".equals(test.get("result")),
            String.valueOf(test.get("jws")),
            StrictJson.write(keys)));
      }
    }
  }

  @SuppressWarnings("unchecked")
  private static List<Map<String, Object>> objects(Map<String, ?> object, String name) {
    return (List<Map<String, Object>>) Objects.requireNonNull(object.get(name));
  }

  private static String data() {
    return System.getProperty("gatehouse.data", "");
  }
}
