package dev.gatehouse.extproc.kit;

import static io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode.BUFFERED;
import static io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode.FULL_DUPLEX_STREAMED;
import static io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode.STREAMED;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.gatehouse.extproc.stream.BodyMode;
import dev.gatehouse.extproc.stream.BodyWish;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.DynamicMetadata;
import dev.gatehouse.extproc.stream.HeaderChanges;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.ModeOverride;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.extproc.stream.Reply;
import dev.gatehouse.testkit.EnvoyStream;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** The processors of docs/kit.md that are not the example's. DocumentsTest holds the page to this text. */
class DocumentedProcessorsTest {
  static final class BodyDigest implements HttpProcessor {
    private final MessageDigest digest = sha256();

    @Override
    public Reply responseHeaders(HeadersMessage headers) {
      return Reply.Continue.of(HeaderChanges.NONE, BodyWish.CHUNKS);
    }

    @Override
    public Reply responseChunk(ByteString piece, boolean last) {
      digest.update(piece.asReadOnlyByteBuffer());
      if (!last) {
        return Reply.UNCHANGED;
      }
      var hex = HexFormat.of().formatHex(digest.digest());
      return Reply.Continue.of(HeaderChanges.NONE, BodyWish.UNSEEN)
          .with(DynamicMetadata.of("example.digest", "sha256", hex));
    }

    private static MessageDigest sha256() {
      try {
        return MessageDigest.getInstance("SHA-256");
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  @Test
  void a_digest_is_made_of_the_chunks_as_they_pass() {
    for (var mode : List.of(STREAMED, FULL_DUPLEX_STREAMED, BUFFERED)) {
      EnvoyStream.request("GET /file")
          .mode(mode)
          .receivingMetadata("example.digest")
          .respond(200, "hello world")
          .chunked(4)
          .through(new ProcessorService("digest", stream -> new BodyDigest()))
          .expectBody("hello world")
          .expectMetadata(
              "example.digest",
              "sha256",
              "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9");
    }
  }

  /** Somebody who answers in his own time. */
  interface Directory {
    String departmentOf(String user) throws IOException, InterruptedException;
  }

  record Department(Directory directory) implements HttpProcessor {
    @Override
    public Reply requestHeaders(HeadersMessage headers) throws Exception {
      var user = headers.auth();
      if (user == null || user.sub() == null) {
        return Reply.UNCHANGED;
      }
      var department = directory.departmentOf(user.sub());
      var header = HeaderChanges.builder().overwrite("x-department", department).build();
      return Reply.Continue.of(header, BodyWish.UNSEEN);
    }

    @Override
    public Reply failed(Direction direction, Failure failure) {
      return Reply.UNCHANGED;
    }
  }

  private static ProcessorService departments(Directory directory) {
    return new ProcessorService(
        "departments", stream -> new BlockingProcessor(new Department(directory)));
  }

  @Test
  void a_department_is_looked_up_and_may_be_missing() {
    var asked = EnvoyStream.request("GET /")
        .metadata("envoy.filters.http.ext_authz", auth("ada"))
        .respond(200);
    asked.through(departments(user -> user + "'s")).expectUpstreamHeader("x-department", "ada's");
    var failing = departments(user -> {
      throw new IOException("no answer");
    });
    asked.through(failing).expectUpstreamHeader("x-department").expectStatus(200);
  }

  private static Struct auth(String sub) {
    var auth = Struct.newBuilder()
        .putFields("sub", Value.newBuilder().setStringValue(sub).build());
    return Struct.newBuilder()
        .putFields("auth", Value.newBuilder().setStructValue(auth).build())
        .build();
  }

  static final class Shouting implements HttpProcessor {
    @Override
    public Reply responseHeaders(HeadersMessage headers) {
      var type = headers.first("content-type");
      return "text/plain".equals(type)
          ? Reply.Continue.of(HeaderChanges.NONE, BodyWish.WHOLE)
              .with(ModeOverride.responseBody(BodyMode.BUFFERED))
          : Reply.UNCHANGED;
    }

    @Override
    public Reply responseBody(ByteString body) {
      var louder = body.toStringUtf8().toUpperCase(Locale.ROOT);
      return new Reply.NewBody(HeaderChanges.NONE, ByteString.copyFromUtf8(louder));
    }
  }

  @Test
  void a_body_is_asked_for_where_the_headers_say_that_it_is_wanted() {
    var service = new ProcessorService("shouting", stream -> new Shouting());
    EnvoyStream.request("GET /")
        .allowModeOverride()
        .respond(200, "hello")
        .header("content-type", "text/plain")
        .through(service)
        .expectBody("HELLO");
    EnvoyStream.request("GET /")
        .allowModeOverride()
        .respond(200, "hello")
        .header("content-type", "text/event-stream")
        .through(service)
        .expectBody("hello");
  }

  @Test
  void a_grpc_java_server_that_is_there_serves_it_too() throws Exception {
    ProcessorFactory factory = stream -> Processor.PASS;
    var server = Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
        .addService(new ProcessorService("tenants", factory))
        .build()
        .start();
    try {
      EnvoyStream.request("GET /").respond(204).through(server.getPort()).expectStatus(204);
    } finally {
      assertThat(server.shutdownNow().isShutdown()).isTrue();
    }
  }
}
