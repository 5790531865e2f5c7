package dev.gatehouse.e2e.raw;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** What a test writes on an HTTP/1.1 connection. It goes out at once. */
public record Outgoing(OutputStream out) {
  public static final String CHUNKED = "transfer-encoding: chunked";

  /** An answer's head; the connection ends with the answer. */
  public void answer(int status, String... fields) throws IOException {
    head("HTTP/1.1 " + status + " x\r\nconnection: close", fields);
  }

  /** A whole answer. */
  public void answerJson(String body) throws IOException {
    answer(200, "content-type: application/json", "content-length: " + body.length());
    write(body);
  }

  /** @param start the request line or the status line */
  public void head(String start, String... fields) throws IOException {
    var head = new StringBuilder(start).append("\r\n");
    for (var field : fields) {
      head.append(field).append("\r\n");
    }
    write(head.append("\r\n").toString());
  }

  public void chunk(String text) throws IOException {
    chunk(ByteString.copyFrom(text, StandardCharsets.ISO_8859_1));
  }

  public void chunk(ByteString data) throws IOException {
    write(framed(data));
  }

  /** Chunks of a size; the end is still to come. */
  public void chunks(ByteString body, int size) throws IOException {
    for (var at = 0; at < body.size(); at += size) {
      chunk(body.substring(at, Math.min(body.size(), at + size)));
    }
  }

  /** @param trailers each a line */
  public void end(String... trailers) throws IOException {
    head("0", trailers);
  }

  public void write(String text) throws IOException {
    write(ByteString.copyFrom(text, StandardCharsets.ISO_8859_1));
  }

  public void write(ByteString bytes) throws IOException {
    bytes.writeTo(out);
    out.flush();
  }

  private static ByteString framed(ByteString data) {
    return ByteString.copyFromUtf8(Integer.toHexString(data.size()) + "\r\n")
        .concat(data)
        .concat(ByteString.copyFromUtf8("\r\n"));
  }
}
