package dev.gatehouse.e2e.streams;

import com.google.protobuf.ByteString;
import dev.gatehouse.e2e.raw.Incoming;
import dev.gatehouse.e2e.raw.Outgoing;
import dev.gatehouse.e2e.raw.RawUpstream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** An upstream that answers chunk by chunk, with trailers, as the test says; a request names its number in {@code x-stream}. */
final class StreamingUpstream implements AutoCloseable {
  /**
   * @param early answers before it has the whole request
   * @param length says the content-length and sends no trailers
   */
  record Answer(List<ByteString> chunks, boolean trailers, boolean early, boolean length) {}

  /** @param trailer of the request; null if there was none */
  record Seen(
      ByteString body, @Nullable String length, @Nullable String trailer) {}

  private final RawUpstream upstream = new RawUpstream();
  private final Map<Integer, Seen> seen = new ConcurrentHashMap<>();
  private final IntFunction<Answer> answers;

  StreamingUpstream(IntFunction<Answer> answers) {
    this.answers = answers;
    upstream.says(this::exchange);
  }

  int port() {
    return upstream.port();
  }

  /** What arrived of a request, when it has arrived whole; null if it has not. */
  @Nullable
  Seen seen(int number) {
    return seen.get(number);
  }

  @Override
  public void close() {
    upstream.close();
  }

  private void exchange(Incoming request, Outgoing out) throws IOException {
    var number = Integer.parseInt(Objects.requireNonNull(request.field("x-stream")));
    var answer = answers.apply(number);
    if (answer.early) {
      begin(number, answer, out);
    }
    var body = request.body();
    seen.put(
        number,
        new Seen(body, request.field("content-length"), request.trailers().get("x-trailer")));
    if (!answer.early) {
      begin(number, answer, out);
    }
    if (answer.length) {
      return;
    }
    if (answer.trailers) {
      out.end("x-trailer: from-upstream");
    } else {
      out.end();
    }
  }

  private static void begin(int number, Answer answer, Outgoing out) throws IOException {
    var size = answer.chunks.stream().mapToInt(ByteString::size).sum();
    out.answer(
        200, "x-stream: " + number, answer.length ? "content-length: " + size : Outgoing.CHUNKED);
    for (var chunk : answer.chunks) {
      if (answer.length) {
        out.write(chunk);
      } else {
        out.chunk(chunk);
      }
    }
  }
}
