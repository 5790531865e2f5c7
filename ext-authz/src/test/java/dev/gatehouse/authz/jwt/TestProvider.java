package dev.gatehouse.authz.jwt;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** A real HTTP server that counts, delays, breaks off and rotates. */
final class TestProvider implements AutoCloseable {
  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final List<Headers> asked = new CopyOnWriteArrayList<>();

  /** What it does when it is asked for keys; a test changes it. */
  volatile Answer answer = keys("one");

  interface Answer {
    void to(HttpExchange exchange) throws IOException;
  }

  TestProvider() {
    this(plain());
  }

  TestProvider(HttpServer server) {
    this.server = server;
    server.setExecutor(threads);
    at("/jwks", exchange -> {
      asked.add(exchange.getRequestHeaders());
      answer.to(exchange);
    });
    server.start();
  }

  private static HttpServer plain() {
    try {
      return HttpServer.create(loopback(), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static InetSocketAddress loopback() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }

  /** Answers at another path, too. */
  void at(String path, Answer there) {
    server.createContext(path, exchange -> {
      try (exchange) {
        there.to(exchange);
      }
    });
  }

  URI uri(String path) {
    return URI.create("http://127.0.0.1:" + port() + path);
  }

  int port() {
    return server.getAddress().getPort();
  }

  /** How often keys were asked for. */
  int asked() {
    return asked.size();
  }

  Headers lastRequest() {
    return asked.getLast();
  }

  /** The set of RSA keys of these names. */
  static String set(String... kids) {
    return Issuer.set(
        Arrays.stream(kids).map(kid -> Issuer.jwk(Issuer.rsa(kid), kid)).toList());
  }

  static Answer keys(String... kids) {
    return text(set(kids), Map.of());
  }

  static Answer text(String body, Map<String, String> headers) {
    return exchange -> send(exchange, 200, body, headers);
  }

  static Answer status(int status) {
    return exchange -> send(exchange, status, "", Map.of());
  }

  /** Answers only when it is released. */
  static Answer held(CountDownLatch release, Answer then) {
    return exchange -> {
      await(release);
      then.to(exchange);
    };
  }

  static void send(HttpExchange exchange, int status, String body, Map<String, String> headers)
      throws IOException {
    var bytes = body.getBytes(StandardCharsets.UTF_8);
    headers.forEach(exchange.getResponseHeaders()::set);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  static void await(CountDownLatch latch) {
    try {
      if (!latch.await(5, TimeUnit.SECONDS)) {
        throw new IllegalStateException("nobody released the server");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
