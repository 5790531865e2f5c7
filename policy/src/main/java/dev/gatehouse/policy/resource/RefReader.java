package dev.gatehouse.policy.resource;

import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** Reads references to Secrets and ConfigMaps (the Gateway API's SecretObjectReference and LocalObjectReference). */
final class RefReader {
  private static final Map<String, String> SECRET = Map.of("Secret", "Secret");
  private static final Map<String, String> CONFIG_MAP = Map.of("ConfigMap", "ConfigMap");
  private static final Map<String, String> EITHER =
      Map.of("Secret", "Secret", "ConfigMap", "ConfigMap");

  private final Function<Value, String> namespace;

  private RefReader(Function<Value, String> namespace) {
    this.namespace = namespace;
  }

  /** For the policy of one file: what it refers to is in its own namespace unless it says otherwise. */
  static RefReader of(Meta policy) {
    return new RefReader(name -> policy.namespace());
  }

  /**
   * For a policy merged of two: what either refers to is in the namespace of the one that wrote the object's name.
   *
   * @param routes the nodes of the route's policy, by identity
   */
  static RefReader ofMerged(Meta route, Set<YamlNode> routes, Meta parent) {
    return new RefReader(name -> name.node() == null || routes.contains(name.node())
        ? route.namespace()
        : parent.namespace());
  }

  ObjectRef secret(Fields fields) {
    return ref(fields, fields.optional("kind", v -> v.oneOf(SECRET), "Secret"));
  }

  ObjectRef configMap(Fields fields) {
    return ref(fields, fields.optional("kind", v -> v.oneOf(CONFIG_MAP), "ConfigMap"));
  }

  /** A ConfigMap of the policy's own namespace. */
  ObjectRef localConfigMap(Fields fields) {
    fields.given(
        "namespace",
        value -> value.error("is not a field here: the ConfigMap is the policy's own"));
    return configMap(fields);
  }

  /** A Secret or a ConfigMap. */
  ObjectRef either(Fields fields, String usual) {
    return ref(fields, fields.optional("kind", v -> v.oneOf(EITHER), usual));
  }

  private ObjectRef ref(Fields fields, String kind) {
    fields.optional("group", v -> v.oneOf(Map.of("", "")));
    var name = fields.required("name");
    return new ObjectRef(
        "",
        kind,
        fields.optional("namespace", Formats::namespace, namespace.apply(name)),
        Formats.name(name),
        fields.origin());
  }
}
