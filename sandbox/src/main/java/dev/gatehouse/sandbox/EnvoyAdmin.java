package dev.gatehouse.sandbox;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Envoy's admin interface. */
public final class EnvoyAdmin implements AutoCloseable {
  private final InetSocketAddress address;
  private final HttpClient http = HttpClient.newBuilder()
      .version(HttpClient.Version.HTTP_1_1)
      .connectTimeout(Duration.ofSeconds(2))
      .build();

  public EnvoyAdmin(InetSocketAddress address) {
    this.address = address;
  }

  /** {@code host:port}. */
  public String address() {
    return address.getAddress().getHostAddress() + ":" + address.getPort();
  }

  /** Counters and gauges whose whole name the expression matches somewhere, by name. */
  public SortedMap<String, Long> stats(String regex) {
    var found = new TreeMap<String, Long>();
    var pattern = Pattern.compile(regex);
    for (var line : send("GET", "/stats").body().lines().toList()) {
      var colon = line.lastIndexOf(": ");
      if (colon < 0 || !pattern.matcher(line.substring(0, colon)).find()) {
        continue;
      }
      var value = line.substring(colon + 2);
      if (!value.isEmpty() && value.chars().allMatch(Character::isDigit)) {
        found.put(line.substring(0, colon), Long.parseLong(value));
      }
    }
    return found;
  }

  /**
   * A request to it, such as {@code GET /config_dump}.
   *
   * @throws IllegalStateException when it does not answer
   */
  public HttpResponse<String> send(String method, String path) {
    var uri = URI.create(
        "http://" + address.getAddress().getHostAddress() + ":" + address.getPort() + path);
    var request = HttpRequest.newBuilder(uri)
        .timeout(Duration.ofSeconds(5))
        .method(method, HttpRequest.BodyPublishers.noBody())
        .build();
    try {
      return http.send(request, HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new IllegalStateException("Envoy's admin interface does not answer " + uri, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  @Override
  public void close() {
    http.close();
  }
}
