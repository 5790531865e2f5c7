package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.BackendTrafficPolicy.MetadataKey;
import java.util.List;

/**
 * Reads places in the dynamic metadata: a filter's {@code namespace} and a {@code key}, in which a colon leads into an object, as in
 * Envoy's {@code %DYNAMIC_METADATA(namespace:key:inner)%}.
 */
final class MetadataKeys {
  private static final int MAX_LENGTH = 253;
  private static final int MAX_DEPTH = 8;

  private MetadataKeys() {}

  /** The text that ext-authz copies there for rate limits. */
  static MetadataKey descriptor(String name) {
    return new MetadataKey(
        MetadataKey.AUTHZ_NAMESPACE, List.of(MetadataKey.DESCRIPTOR_PREFIX + name));
  }

  /** Without a namespace it is ext-authz's. */
  static MetadataKey ours(Fields fields) {
    return new MetadataKey(
        fields.optional("namespace", MetadataKeys::namespace, MetadataKey.AUTHZ_NAMESPACE),
        path(fields.required("key")));
  }

  /** Of a cost, which Envoy reads by a format string in either kind of policy. */
  static MetadataKey cost(Fields fields) {
    return new MetadataKey(
        fields.required("namespace", MetadataKeys::namespace), path(fields.required("key")));
  }

  /** Of a limit: Envoy Gateway takes the whole key for one name. */
  static MetadataKey limit(Fields fields, boolean ours) {
    var namespace = fields.required("namespace", v -> v.text(MAX_LENGTH));
    var key = fields.required("key");
    return new MetadataKey(namespace, ours ? path(key) : List.of(key.text(MAX_LENGTH)));
  }

  private static String namespace(Value value) {
    var text = value.text(MAX_LENGTH);
    if (text.contains(":")) {
      value.error(value.show(text) + " holds a colon, behind which Envoy takes the key to begin");
    }
    checkFormat(value, text);
    return text;
  }

  private static List<String> path(Value value) {
    var text = value.text(MAX_LENGTH);
    checkFormat(value, text);
    var path = List.of(text.split(":", -1));
    if (!text.isEmpty() && path.contains("")) {
      value.error(value.show(text) + " has an empty name in it; a colon stands between two names");
    }
    if (path.size() > MAX_DEPTH) {
      value.error(value.show(text) + " leads " + path.size() + " deep (expected: at most "
          + MAX_DEPTH + ")");
    }
    return path;
  }

  /** What would end the format string that Envoy is given. */
  private static void checkFormat(Value value, String text) {
    if (text.chars().anyMatch(c -> c == '%' || c == '(' || c == ')' || c <= ' ' || c == 0x7f)) {
      value.error(
          value.show(text)
              + " holds '%', a parenthesis, a space or a control character, which Envoy's format strings cannot");
    }
  }
}
