package dev.gatehouse.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.health.v1.HealthGrpc;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class PrebuiltTest {
  @Test
  void bytes_are_written_in_one_piece_and_their_length_is_known_before() throws IOException {
    var stream = Prebuilt.bytes().stream(new byte[] {1, 2, 3, 4});
    assertThat(stream).isInstanceOf(KnownLength.class);
    assertThat(stream.available()).isEqualTo(4);
    assertThat(stream.read()).isEqualTo(1);

    var rest = new ByteArrayOutputStream();
    assertThat(((Drainable) stream).drainTo(rest)).isEqualTo(3);
    assertThat(rest.toByteArray()).containsExactly(2, 3, 4);
    assertThat(stream.available()).isZero();
  }

  @Test
  void bytes_are_read_as_they_come() {
    assertThat(Prebuilt.bytes().parse(new ByteArrayInputStream(new byte[] {9, 8})))
        .containsExactly(9, 8);
  }

  @Test
  void an_answering_method_parses_requests_as_generated_and_keeps_its_schema() {
    var generated = HealthGrpc.getCheckMethod();
    var answering = Prebuilt.answering(generated);
    assertThat(answering.getRequestMarshaller()).isSameAs(generated.getRequestMarshaller());
    assertThat(answering.getFullMethodName()).isEqualTo(generated.getFullMethodName());
    assertThat(answering.getType()).isEqualTo(generated.getType());
    assertThat(answering.getSchemaDescriptor()).isSameAs(generated.getSchemaDescriptor());
    assertThat(answering.getResponseMarshaller()).isSameAs(Prebuilt.bytes());
  }
}
