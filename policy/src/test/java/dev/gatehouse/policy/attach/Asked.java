package dev.gatehouse.policy.attach;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A request for tests. */
record Asked(String method, String host, String path, Map<String, List<String>> values)
    implements RoutedRequest {
  static Asked get(String path) {
    return new Asked("GET", "shop.example.com", path, Map.of());
  }

  Asked with(String header, String... values) {
    return new Asked(method, host, path, Map.of(header, List.of(values)));
  }

  Asked as(String other) {
    return new Asked(other, host, path, values);
  }

  Asked at(String other) {
    return new Asked(method, other, path, values);
  }

  /** The same, by a service that has only the joined values. */
  RoutedRequest joined() {
    var all = this;
    return new RoutedRequest() {
      @Override
      public String method() {
        return all.method();
      }

      @Override
      public String path() {
        return all.path();
      }

      @Override
      public String host() {
        return all.host();
      }

      @Override
      public @Nullable String header(String name) {
        return all.header(name);
      }
    };
  }

  @Override
  public @Nullable String header(String name) {
    var all = values.get(name);
    return all == null ? null : String.join(",", all);
  }

  @Override
  public @Nullable List<String> headerValues(String name) {
    return values.get(name);
  }
}
