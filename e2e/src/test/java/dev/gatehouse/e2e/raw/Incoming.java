package dev.gatehouse.e2e.raw;

import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A message that comes over an HTTP/1.1 connection. Its head is here; of what follows no more is taken than is asked for. */
public final class Incoming {
  private final InputStream in;
  private final String start;
  private final Map<String, String> fields;
  private Map<String, String> trailers = Map.of();

  private Incoming(InputStream in, String start, Map<String, String> fields) {
    this.in = in;
    this.start = start;
    this.fields = fields;
  }

  /** Waits for a head. */
  public static Incoming of(InputStream in) throws IOException {
    return new Incoming(in, line(in), fields(in));
  }

  /** Of an answer. */
  public int status() {
    return Integer.parseInt(start.split(" ", 3)[1]);
  }

  /** @param name in lower case */
  public @Nullable String field(String name) {
    return fields.get(name);
  }

  /** All of the body, which has a length or comes in chunks. */
  public ByteString body() throws IOException {
    var bytes = ByteString.newOutput();
    transfer(bytes);
    return bytes.toByteString();
  }

  public String text() throws IOException {
    return body().toString(StandardCharsets.ISO_8859_1);
  }

  /** Takes all of the body and forgets it: its length. */
  public long skip() throws IOException {
    return transfer(OutputStream.nullOutputStream());
  }

  /** What followed the body; names in lower case. */
  public Map<String, String> trailers() {
    return trailers;
  }

  /** The next line of the body, with what frames it. */
  public String line() throws IOException {
    return line(in);
  }

  /** The next bytes, with what frames them. */
  public ByteString bytes(int count) throws IOException {
    return ByteString.copyFrom(exactly(in, count));
  }

  private long transfer(OutputStream to) throws IOException {
    if (!fields.getOrDefault("transfer-encoding", "").equals("chunked")) {
      var length = Integer.parseInt(fields.getOrDefault("content-length", "0"));
      to.write(exactly(in, length));
      return length;
    }
    var all = 0L;
    for (var size = size(in); size > 0; size = size(in)) {
      to.write(exactly(in, size));
      line(in);
      all += size;
    }
    trailers = fields(in);
    return all;
  }

  private static int size(InputStream in) throws IOException {
    return Integer.parseInt(line(in), 16);
  }

  private static byte[] exactly(InputStream in, int size) throws IOException {
    var bytes = in.readNBytes(size);
    if (bytes.length < size) {
      throw new EOFException(
          "the connection ended after " + bytes.length + " of " + size + " bytes");
    }
    return bytes;
  }

  private static Map<String, String> fields(InputStream in) throws IOException {
    var fields = new TreeMap<String, String>();
    for (var line = line(in); !line.isEmpty(); line = line(in)) {
      var colon = line.indexOf(':');
      fields.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT),
          line.substring(colon + 1).trim());
    }
    return fields;
  }

  private static String line(InputStream in) throws IOException {
    var line = new ByteArrayOutputStream();
    for (var b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        throw new EOFException("the connection ended within a line: " + line);
      }
      line.write(b);
    }
    return line.toString(StandardCharsets.ISO_8859_1).trim();
  }
}
