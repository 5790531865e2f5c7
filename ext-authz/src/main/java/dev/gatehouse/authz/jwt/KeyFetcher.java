package dev.gatehouse.authz.jwt;

import dev.gatehouse.server.tls.ClientTls;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Gets key sets and configurations over HTTP: bounded in size and time, and from the named address only. A redirect is an error: the
 * policy's author named whom to trust, and the answer may lead anywhere. One for each {@link ClientTls}; a server's name is always
 * verified.
 */
final class KeyFetcher implements AutoCloseable {
  static final Duration CONNECT_WITHIN = Duration.ofSeconds(2);

  /** From the request to the last byte of the answer. */
  static final Duration ANSWER_WITHIN = Duration.ofSeconds(5);

  private final HttpClient client;
  private final Duration within;

  /** @throws dev.gatehouse.server.tls.TlsException if the certificates cannot be used */
  KeyFetcher(ClientTls tls, Executor executor, Duration within) {
    this.within = within;
    this.client = HttpClient.newBuilder()
        .executor(executor)
        .sslContext(tls.context())
        .connectTimeout(CONNECT_WITHIN)
        .followRedirects(HttpClient.Redirect.NEVER)
        .version(HttpClient.Version.HTTP_1_1) // a document now and then: nothing to gain of HTTP/2
        .build();
  }

  /**
   * Asks.
   *
   * @param held what came from there before: a 304 confirms it
   * @param afresh everything on the way is to ask the origin (RFC 9111 §5.2.1.4), and {@code held} does not count
   * @return fails with a reason for the log
   */
  CompletableFuture<Fetched> get(URI uri, @Nullable Fetched held, boolean afresh) {
    var before = held != null && held.from().equals(uri) && !afresh ? held : null;
    // A body over the limit is not read to its end.
    var body = BodyHandlers.limiting(BodyHandlers.ofByteArray(), KeySet.MAX_BYTES);
    var exchange = client.sendAsync(request(uri, before, afresh), body);
    // The request's own timeout ends with the headers: a body that trickles is ended here.
    var bounded = exchange.copy().orTimeout(within.toMillis(), TimeUnit.MILLISECONDS);
    return bounded
        .whenComplete((_, _) -> exchange.cancel(true))
        .thenApply(answer -> fetched(uri, before, answer));
  }

  private HttpRequest request(URI uri, @Nullable Fetched before, boolean afresh) {
    var request = HttpRequest.newBuilder(uri)
        .timeout(within)
        .header("accept", "application/jwk-set+json, application/json")
        .header("accept-encoding", "identity"); // no header would mean any (RFC 9110 §12.5.3)
    if (afresh) {
      request.header("cache-control", "no-cache");
    }
    if (before != null && before.etag() != null) {
      request.header("if-none-match", before.etag());
    }
    if (before != null && before.lastModified() != null) {
      request.header("if-modified-since", before.lastModified());
    }
    return request.build();
  }

  private static Fetched fetched(URI uri, @Nullable Fetched before, HttpResponse<byte[]> answer) {
    var headers = answer.headers();
    boolean asked = before != null && (before.etag() != null || before.lastModified() != null);
    if (before != null && asked && answer.statusCode() == 304) {
      return before.confirmed(headers);
    }
    if (answer.statusCode() != 200) {
      throw failure("it answered " + answer.statusCode() + " (expected: 200)", null);
    }
    var encoding = headers.firstValue("content-encoding").orElse("identity");
    if (!encoding.equalsIgnoreCase("identity")) {
      throw failure("its answer is compressed, which was not asked for", null);
    }
    try {
      var text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(answer.body()));
      return Fetched.of(uri, text.toString(), headers);
    } catch (CharacterCodingException e) {
      throw failure("its answer is not UTF-8", e);
    }
  }

  private static CompletionException failure(String why, @Nullable Throwable cause) {
    return new CompletionException(new IOException(why, cause));
  }

  /** Ends what is under way. */
  @Override
  public void close() {
    client.shutdownNow();
  }
}
