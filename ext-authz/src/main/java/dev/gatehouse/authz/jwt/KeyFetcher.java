package dev.gatehouse.authz.jwt;

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
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * Gets key sets over HTTP: bounded in size and time, and from the named address only. A redirect is an error: the policy's author
 * named whom to trust, and the answer may lead anywhere.
 */
final class KeyFetcher implements Function<URI, CompletableFuture<String>>, AutoCloseable {
  static final Duration CONNECT_WITHIN = Duration.ofSeconds(2);

  /** From the request to the last byte of the answer. */
  static final Duration ANSWER_WITHIN = Duration.ofSeconds(5);

  private final HttpClient client;
  private final Duration within;

  KeyFetcher(ExecutorService executor, Duration within) {
    this.within = within;
    this.client = HttpClient.newBuilder()
        .executor(executor)
        .connectTimeout(CONNECT_WITHIN)
        .followRedirects(HttpClient.Redirect.NEVER)
        .build();
  }

  @Override
  public CompletableFuture<String> apply(URI uri) {
    var request = HttpRequest.newBuilder(uri)
        .timeout(within)
        .header("accept", "application/jwk-set+json, application/json")
        .build();
    var body = BodyHandlers.limiting(BodyHandlers.ofByteArray(), KeySet.MAX_BYTES);
    var exchange = client.sendAsync(request, body);
    // The request's own timeout ends with the headers: a body that trickles is ended here.
    var bounded = exchange.copy().orTimeout(within.toMillis(), TimeUnit.MILLISECONDS);
    return bounded.whenComplete((_, _) -> exchange.cancel(true)).thenApply(KeyFetcher::text);
  }

  private static String text(HttpResponse<byte[]> answer) {
    if (answer.statusCode() != 200) {
      throw new CompletionException(
          new IOException("it answered " + answer.statusCode() + " (expected: 200)"));
    }
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(answer.body()))
          .toString();
    } catch (CharacterCodingException e) {
      throw new CompletionException(new IOException("its answer is not UTF-8", e));
    }
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
