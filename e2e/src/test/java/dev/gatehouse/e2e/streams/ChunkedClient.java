package dev.gatehouse.e2e.streams;

import com.google.protobuf.ByteString;
import dev.gatehouse.e2e.raw.Incoming;
import dev.gatehouse.e2e.raw.Outgoing;
import dev.gatehouse.e2e.raw.RawClient;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** A client that sends a body chunk by chunk, with trailers, and reads the answer meanwhile. One connection a request. */
final class ChunkedClient {
  /** @param length says the content-length and sends no trailers */
  record Request(
      String path, int number, List<ByteString> chunks, boolean trailers, boolean length) {}

  /** An answer that came whole. */
  record Answer(Incoming head, ByteString body, Map<String, String> trailers) {
    int status() {
      return head.status();
    }
  }

  private ChunkedClient() {}

  static Answer send(int port, Request request) throws IOException {
    try (var client = RawClient.to(port)) {
      client.writing(out -> write(out, request));
      var answer = client.answer();
      var body = answer.body();
      return new Answer(answer, body, answer.trailers());
    }
  }

  /** Sends the head and the first chunk, waits until the caller says so, and is gone. */
  static void begin(int port, Request request, Runnable meanwhile) throws IOException {
    try (var client = RawClient.to(port)) {
      head(client.out(), request);
      if (!request.chunks.isEmpty()) {
        client.out().chunk(request.chunks.getFirst());
      }
      meanwhile.run();
    }
  }

  private static void write(Outgoing out, Request request) throws IOException {
    head(out, request);
    for (var chunk : request.chunks) {
      if (request.length) {
        out.write(chunk);
      } else if (!chunk.isEmpty()) {
        out.chunk(chunk);
      }
    }
    if (request.trailers) {
      out.end("x-trailer: from-client");
    } else if (!request.length) {
      out.end();
    }
  }

  private static void head(Outgoing out, Request request) throws IOException {
    var size = request.chunks.stream().mapToInt(ByteString::size).sum();
    out.head(
        "POST " + request.path + " HTTP/1.1",
        "host: shop",
        "x-stream: " + request.number,
        "te: trailers",
        request.length ? "content-length: " + size : Outgoing.CHUNKED);
  }
}
