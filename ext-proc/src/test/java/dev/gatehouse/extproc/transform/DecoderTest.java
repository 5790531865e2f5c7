package dev.gatehouse.extproc.transform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatehouse.extproc.json.UnprocessableBody;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class DecoderTest {
  private static final long LIMIT = 10 << 20;
  private static final byte[] TEXT = bytes("{\"card\":\"4111111111111111\",\"a\":[1,2,3]}");
  private static final byte[] GZIP = Codings.gzip(TEXT);

  @Test
  void gzip_is_decoded_with_any_of_its_optional_fields_wherever_a_piece_ends() throws Exception {
    for (var flags = 0; flags < 32; flags++) {
      var body = Codings.gzip(TEXT, flags);
      assertThat(decoded(ContentCoding.GZIP, body, 1)).isEqualTo(TEXT);
      assertThat(decoded(ContentCoding.GZIP, body, body.length)).isEqualTo(TEXT);
    }
  }

  @Test
  void several_members_are_one_body() throws Exception {
    var two = Codings.both(GZIP, Codings.gzip(TEXT, 31));
    var three = Codings.both(two, Codings.gzip(new byte[0]));
    for (var most : new int[] {1, 7, 1000}) {
      assertThat(decoded(ContentCoding.GZIP, three, most)).isEqualTo(Codings.both(TEXT, TEXT));
    }
  }

  @Test
  void deflate_is_zlibs_format_or_the_bare_stream() throws Exception {
    for (var most : new int[] {1, 2, 3, 1000}) {
      assertThat(decoded(ContentCoding.DEFLATE, Codings.deflate(TEXT, false), most))
          .isEqualTo(TEXT);
      assertThat(decoded(ContentCoding.DEFLATE, Codings.deflate(TEXT, true), most))
          .isEqualTo(TEXT);
      assertThat(decoded(ContentCoding.DEFLATE, Codings.deflate(new byte[0], true), most))
          .isEmpty();
    }
  }

  @Test
  void a_body_that_ends_anywhere_early_is_damaged() {
    for (var length = 1; length < GZIP.length; length++) {
      refused(ContentCoding.GZIP, Arrays.copyOf(GZIP, length), "ends early");
    }
    for (var bare : new boolean[] {true, false}) {
      var body = Codings.deflate(TEXT, bare);
      for (var length = 1; length < body.length; length++) {
        refused(ContentCoding.DEFLATE, Arrays.copyOf(body, length), "ends early");
      }
    }
  }

  @Test
  void a_wrong_sum_or_length_is_found() {
    for (var at = GZIP.length - 8; at < GZIP.length; at++) {
      refused(ContentCoding.GZIP, flipped(GZIP, at), "check sum is wrong");
    }
    var zlib = Codings.deflate(TEXT, false);
    refused(ContentCoding.DEFLATE, flipped(zlib, zlib.length - 1), "damaged");
    var withHeaderSum = Codings.gzip(TEXT, 2);
    refused(ContentCoding.GZIP, flipped(withHeaderSum, 10), "header's check sum");
    refused(ContentCoding.GZIP, flipped(withHeaderSum, 5), "header's check sum");
  }

  @Test
  void what_is_no_gzip_or_says_what_nobody_knows_is_refused() {
    refused(ContentCoding.GZIP, TEXT, "not gzip");
    for (var at = 0; at < 3; at++) {
      refused(ContentCoding.GZIP, flipped(GZIP, at), "not gzip");
    }
    var reserved = GZIP.clone();
    reserved[3] = (byte) 0x20;
    refused(ContentCoding.GZIP, reserved, "not gzip");
    refused(ContentCoding.DEFLATE, TEXT, "damaged");
  }

  @Test
  void nothing_may_follow() {
    refused(ContentCoding.GZIP, Codings.both(GZIP, bytes("x")), "follows");
    refused(ContentCoding.GZIP, Codings.both(GZIP, new byte[4]), "follows");
    for (var bare : new boolean[] {true, false}) {
      var body = Codings.both(Codings.deflate(TEXT, bare), bytes("x"));
      refused(ContentCoding.DEFLATE, body, "follows");
    }
  }

  @Test
  void a_bomb_is_given_up_at_the_limit_and_before_it_by_its_ratio() throws Exception {
    var zeros = Codings.gzip(new byte[20 << 20]);
    assertThat(taken(zeros, 100_000)).isBetween(100_000L, 100_000L + ContentCoding.BUFFER_BYTES);
    assertThat(taken(zeros, Long.MAX_VALUE))
        .as("of some 20 KiB that unfold to 20 MiB")
        .isGreaterThan((long) Decoder.MOST_RATIO * zeros.length)
        .isBetween(
            (long) Decoder.FREE_BYTES, (long) Decoder.FREE_BYTES + ContentCoding.BUFFER_BYTES);
    var most = Codings.gzip(new byte[60 << 20]);
    assertThat(taken(most, Long.MAX_VALUE))
        .as("of some 60 KiB that unfold to 60 MiB")
        .isBetween(
            (long) Decoder.MOST_RATIO * most.length,
            (long) Decoder.MOST_RATIO * most.length + ContentCoding.BUFFER_BYTES);
    var small = Codings.gzip(new byte[Decoder.FREE_BYTES]);
    assertThat(decoded(ContentCoding.GZIP, small, 1000)).hasSize(Decoder.FREE_BYTES);
  }

  /** How much is decoded until it is given up. */
  private static long taken(byte[] body, long limit) {
    var out = new byte[ContentCoding.BUFFER_BYTES];
    try (var decoder = new Decoder(ContentCoding.GZIP, limit)) {
      decoder.take(body);
      long all = 0;
      for (; ; ) {
        try {
          all += decoder.decode(out);
        } catch (BodyTooLarge e) {
          return all + out.length;
        }
      }
    } catch (UnprocessableBody e) {
      throw new AssertionError(e);
    }
  }

  private static void refused(ContentCoding coding, byte[] body, String why) {
    for (var most : new int[] {1, 1000}) {
      assertThatThrownBy(() -> decoded(coding, body, most))
          .as("%s bytes", body.length)
          .isInstanceOf(UnprocessableBody.class)
          .hasMessageContaining(why);
    }
  }

  private static byte[] decoded(ContentCoding coding, byte[] body, int most)
      throws UnprocessableBody, BodyTooLarge {
    var all = new ByteArrayOutputStream();
    var out = new byte[1 + most % 17];
    try (var decoder = new Decoder(coding, LIMIT)) {
      for (var at = 0; at < body.length; at += most) {
        decoder.take(Arrays.copyOfRange(body, at, Math.min(body.length, at + most)));
        for (var some = decoder.decode(out); some > 0; some = decoder.decode(out)) {
          all.write(out, 0, some);
        }
      }
      decoder.finish();
    }
    return all.toByteArray();
  }

  private static byte[] flipped(byte[] body, int at) {
    var other = body.clone();
    other[at] ^= 0x40;
    return other;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
