package dev.gatehouse.e2e.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.kit.BlockingProcessor;
import dev.gatehouse.extproc.kit.HttpProcessor;
import dev.gatehouse.extproc.stream.BodyWish;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.HeaderChanges;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.Patience;
import dev.gatehouse.extproc.stream.Reply;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A processor of a team's own behind the real Envoy's observability mode, on the loop and off it. */
class ObservingOnEnvoyTest {
  private static final List<ByteString> PIECES = List.of(
      ByteString.copyFromUtf8("a".repeat(30_000)),
      ByteString.copyFromUtf8("b"),
      ByteString.copyFromUtf8("c".repeat(5_000)));

  private final Map<Integer, Looking> looking = Map.of(0, new Looking(), 1, new Looking());

  @Test
  void whoever_looks_on_sees_all_that_passes_and_changes_none_of_it(@TempDir Path folder)
      throws IOException {
    var answer = new StreamingUpstream.Answer(PIECES, false, false, false);
    try (var upstream = new StreamingUpstream(number -> answer);
        var gate = new ProcessingGate(
            folder,
            upstream.port(),
            "10s",
            Patience.DEFAULT,
            number -> number == 0 ? looking.get(0) : new BlockingProcessor(looking.get(1)))) {
      var all = ByteString.copyFrom(PIECES);
      for (var number : looking.keySet()) {
        var path = ProcessingGate.path(BodySendMode.STREAMED, BodySendMode.STREAMED);
        var client = ChunkedClient.send(
            gate.observing(), new ChunkedClient.Request(path, number, PIECES, false, false));
        assertThat(client.status()).isEqualTo(200);
        assertThat(client.body()).isEqualTo(all);
        assertThat(upstream.seen(number).body()).isEqualTo(all);
        await()
            .untilAsserted(() -> assertThat(looking.get(number).bodies)
                .containsEntry(Direction.REQUEST, all)
                .containsEntry(Direction.RESPONSE, all));
      }
      assertThat(gate.count("spurious_msgs_received")).as("answers").isZero();
    }
  }

  private static final class Looking implements HttpProcessor {
    private final Map<Direction, ByteString> bodies = new ConcurrentHashMap<>();

    @Override
    public boolean observes() {
      return true;
    }

    @Override
    public Reply headers(HeadersMessage headers) {
      return Reply.Continue.of(
          HeaderChanges.builder().remove("content-type").build(), BodyWish.CHUNKS);
    }

    @Override
    public Reply chunk(Direction direction, ByteString piece, boolean last) {
      bodies.merge(direction, piece, ByteString::concat);
      return new Reply.NewBody(HeaderChanges.NONE, ByteString.EMPTY);
    }
  }
}
