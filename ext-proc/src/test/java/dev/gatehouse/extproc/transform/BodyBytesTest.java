package dev.gatehouse.extproc.transform;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class BodyBytesTest {
  private final byte[] array = "0123456789".getBytes(StandardCharsets.US_ASCII);

  @Test
  void a_body_that_lies_in_an_array_of_its_own_is_not_copied() {
    assertThat(BodyBytes.of(UnsafeByteOperations.unsafeWrap(array))).isSameAs(array);
  }

  @Test
  void any_other_body_is_copied_whole_and_in_order() {
    var part = UnsafeByteOperations.unsafeWrap(array, 2, 5);
    var rope =
        ByteString.copyFrom(new byte[200]).concat(ByteString.copyFrom(array)).concat(part);
    var direct = ByteBuffer.allocateDirect(array.length).put(array).flip();
    for (var body :
        new ByteString[] {part, rope, UnsafeByteOperations.unsafeWrap(direct), ByteString.EMPTY}) {
      assertThat(BodyBytes.of(body)).isEqualTo(body.toByteArray());
    }
  }
}
