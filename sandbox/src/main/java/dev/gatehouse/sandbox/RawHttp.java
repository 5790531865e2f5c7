package dev.gatehouse.sandbox;

import com.google.protobuf.ByteString;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * An HTTP/1.1 client that sends what it is told and nothing else: duplicate headers, odd paths and bytes go out as they are. For
 * tests only: it checks no certificate. One connection a request.
 */
public final class RawHttp {
  private static final int MAX_HEAD_BYTES = 256 << 10;
  private static final int MAX_BODY_BYTES = 64 << 20;

  private final InetSocketAddress server;
  private final boolean tls;
  private final @Nullable ClientCertificate certificate;
  private final Duration timeout;

  /** @param timeout for connecting, and for each wait for bytes */
  public RawHttp(InetSocketAddress server, boolean tls, Duration timeout) {
    this(server, tls, null, timeout);
  }

  /** @param certificate shown to a server that asks for one */
  public RawHttp(
      InetSocketAddress server,
      boolean tls,
      @Nullable ClientCertificate certificate,
      Duration timeout) {
    this.server = server;
    this.tls = tls;
    this.certificate = certificate;
    this.timeout = timeout;
  }

  /**
   * @param target the request target as it stands in the request line
   * @param fields sent in this order; {@code host} and {@code content-length} are not added
   * @param from the local address to send from, such as {@code 127.0.0.2}; null lets the system choose
   */
  public record Request(
      String method,
      String target,
      List<Field> fields,
      ByteString body,
      @Nullable String from) {}

  /** An answer. Header names are as they came. */
  public record Answer(int status, List<Field> fields, ByteString body) {
    /** All values of a header, in order; empty when it is not there. */
    public List<String> header(String name) {
      return Field.values(fields, name);
    }

    public String text() {
      return body.toStringUtf8();
    }
  }

  /** @throws IOException when the connection fails, times out, or ends before the answer does */
  public Answer send(Request request) throws IOException {
    return send(request.method, head(request), request.body.toByteArray(), request.from);
  }

  /** Sends bytes as they are, for requests that are no HTTP. */
  public Answer send(byte[] bytes, @Nullable String from) throws IOException {
    return send("", bytes, new byte[0], from);
  }

  private Answer send(String method, byte[] head, byte[] body, @Nullable String from)
      throws IOException {
    try (var socket = connect(from)) {
      var out = socket.getOutputStream();
      IOException broken = null;
      try {
        out.write(head);
        out.write(body);
        out.flush();
      } catch (IOException e) {
        // A server may answer (413, say) and close before it has read everything.
        broken = e;
      }
      try {
        return read(new BufferedInputStream(socket.getInputStream()), method);
      } catch (IOException e) {
        if (broken != null) {
          e.addSuppressed(broken);
        }
        throw e;
      }
    }
  }

  private Socket connect(@Nullable String from) throws IOException {
    var socket = new Socket();
    try {
      socket.setTcpNoDelay(true);
      socket.setSoTimeout((int) timeout.toMillis());
      if (from != null) {
        socket.bind(new InetSocketAddress(InetAddress.getByName(from), 0));
      }
      socket.connect(server, (int) timeout.toMillis());
      if (!tls) {
        return socket;
      }
      var secure = trustingAnyone(certificate)
          .getSocketFactory()
          .createSocket(socket, server.getHostString(), server.getPort(), true);
      secure.setSoTimeout((int) timeout.toMillis());
      return secure;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  private static byte[] head(Request request) {
    var out = new ByteArrayOutputStream();
    out.writeBytes(bytes(request.method + " " + request.target + " HTTP/1.1\r\n"));
    for (var field : request.fields) {
      out.writeBytes(bytes(field.name() + ": " + field.value() + "\r\n"));
    }
    out.writeBytes(bytes("\r\n"));
    return out.toByteArray();
  }

  /** Characters up to U+00FF are that byte, so that a test can send any; a text with others goes out as UTF-8. */
  public static byte[] bytes(String text) {
    return text.chars().allMatch(c -> c <= 0xFF)
        ? text.getBytes(StandardCharsets.ISO_8859_1)
        : text.getBytes(StandardCharsets.UTF_8);
  }

  private static Answer read(InputStream in, String method) throws IOException {
    while (true) {
      var status = status(line(in));
      var fields = fields(in);
      if (status >= 200) {
        return new Answer(status, fields, ByteString.copyFrom(body(in, method, status, fields)));
      }
    }
  }

  private static int status(String line) throws IOException {
    var parts = line.split(" ", 3);
    if (parts.length < 2 || !parts[0].startsWith("HTTP/1.")) {
      throw new IOException("not an HTTP/1 answer: " + line);
    }
    return Integer.parseInt(parts[1]);
  }

  private static List<Field> fields(InputStream in) throws IOException {
    var fields = new ArrayList<Field>();
    for (var line = line(in); !line.isEmpty(); line = line(in)) {
      var colon = line.indexOf(':');
      if (colon < 0) {
        throw new IOException("not a header: " + line);
      }
      fields.add(new Field(line.substring(0, colon), line.substring(colon + 1).strip()));
    }
    return fields;
  }

  private static byte[] body(InputStream in, String method, int status, List<Field> fields)
      throws IOException {
    if (method.equals("HEAD") || status == 204 || status == 304) {
      return new byte[0];
    }
    if (Field.values(fields, "transfer-encoding").stream()
        .anyMatch(v -> v.toLowerCase(Locale.ROOT).contains("chunked"))) {
      return chunked(in);
    }
    var length = Field.values(fields, "content-length");
    if (length.isEmpty()) {
      return in.readNBytes(MAX_BODY_BYTES);
    }
    return exactly(in, Integer.parseInt(length.getFirst()));
  }

  private static byte[] chunked(InputStream in) throws IOException {
    var body = new ByteArrayOutputStream();
    while (true) {
      var size = Integer.parseInt(line(in).split(";", 2)[0].strip(), 16);
      if (size == 0) {
        fields(in);
        return body.toByteArray();
      }
      if (body.size() + size > MAX_BODY_BYTES) {
        throw new IOException("the answer's body is larger than " + MAX_BODY_BYTES + " bytes");
      }
      body.writeBytes(exactly(in, size));
      line(in);
    }
  }

  private static byte[] exactly(InputStream in, int size) throws IOException {
    if (size > MAX_BODY_BYTES) {
      throw new IOException("the answer's body is larger than " + MAX_BODY_BYTES + " bytes");
    }
    var bytes = in.readNBytes(size);
    if (bytes.length < size) {
      throw new EOFException(
          "the connection ended after " + bytes.length + " of " + size + " bytes of the body");
    }
    return bytes;
  }

  private static String line(InputStream in) throws IOException {
    var line = new ByteArrayOutputStream();
    while (line.size() < MAX_HEAD_BYTES) {
      var b = in.read();
      if (b < 0) {
        throw new EOFException("the connection ended before the answer's head did");
      }
      if (b == '\n') {
        return line.toString(StandardCharsets.ISO_8859_1).stripTrailing();
      }
      line.write(b);
    }
    throw new IOException("a line of the answer is longer than " + MAX_HEAD_BYTES + " bytes");
  }

  /** Sandboxes and tests talk to throw-away certificates on the loopback. */
  private static SSLContext trustingAnyone(@Nullable ClientCertificate certificate) {
    try {
      var context = SSLContext.getInstance("TLS");
      var keys = certificate == null ? null : new KeyManager[] {certificate.keyManager()};
      context.init(keys, new TrustManager[] {new TrustAnyone()}, null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static final class TrustAnyone implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
