package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.Backend.Endpoint;
import dev.gatehouse.policy.resource.Backend.Fqdn;
import dev.gatehouse.policy.resource.Backend.Ip;
import dev.gatehouse.policy.resource.Backend.Unix;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads the kinds that others refer to: Secret, ConfigMap, Backend, ReferenceGrant. */
final class CoreReader {
  private static final int MAX_KEYS = 4096;

  private CoreReader() {}

  static Secret secret(Meta meta, Fields document) {
    var type = document.optional("type", v -> v.text(253), "Opaque");
    var data = new LinkedHashMap<String, byte[]>(
        document.nullable("data", v -> v.map(MAX_KEYS, CoreReader::base64), Map.of()));
    document
        .nullable("stringData", v -> v.map(MAX_KEYS, CoreReader::content), Map.<String, String>of())
        .forEach((key, text) -> data.put(key, text.getBytes(StandardCharsets.UTF_8)));
    document.ignored("immutable");
    return new Secret(meta, type, java.util.Collections.unmodifiableMap(data));
  }

  private static byte[] base64(Value value) {
    var text = content(value).replace("\n", "").replace("\r", "");
    try {
      return Base64.getDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      value.error("is not base64 (put plain text under stringData)");
      return new byte[0];
    }
  }

  private static String content(Value value) {
    return value.anyText(YamlDocuments.MAX_CHARS);
  }

  static ConfigMap configMap(Meta meta, Fields document) {
    Map<String, String> data =
        document.nullable("data", v -> v.map(MAX_KEYS, CoreReader::content), Map.of());
    document.ignored("immutable", "binaryData");
    return new ConfigMap(meta, data);
  }

  static Backend backend(Meta meta, Fields spec) {
    spec.optional("type", v -> v.oneOf(Map.of("Endpoints", "Endpoints")));
    spec.unsupported("appProtocols", "fallback", "tls");
    var endpoints =
        spec.required("endpoints", v -> v.list(256, item -> item.object(CoreReader::endpoint)));
    if (endpoints.isEmpty() && spec.has("endpoints")) {
      spec.error("has no endpoints");
    }
    return new Backend(meta, endpoints);
  }

  private static Endpoint endpoint(Fields fields) {
    fields.unsupported("hostname");
    fields.ignored("zone");
    @Nullable
    Endpoint ip = fields.optional(
        "ip",
        v -> v.object(f ->
            new Ip(f.required("address", Formats::address), f.required("port", Formats::port))));
    @Nullable
    Endpoint fqdn = fields.optional(
        "fqdn",
        v -> v.object(f -> new Fqdn(
            f.required("hostname", Formats::preciseHost), f.required("port", Formats::port))));
    @Nullable
    Endpoint unix =
        fields.optional("unix", v -> v.object(f -> new Unix(f.required("path", p -> p.text(108)))));
    if (fields.count("ip", "fqdn", "unix") != 1) {
      fields.error("expected exactly one of ip, fqdn and unix");
    }
    return ip != null ? ip : fqdn != null ? fqdn : unix != null ? unix : new Unix("");
  }

  static ReferenceGrant grant(Meta meta, Fields spec) {
    List<ReferenceGrant.From> from = spec.required(
        "from",
        v -> v.list(
            16,
            item -> item.object(f -> new ReferenceGrant.From(
                f.required("group", g -> g.anyText(253)),
                f.required("kind", k -> k.text(63)),
                f.required("namespace", Formats::namespace)))));
    List<ReferenceGrant.To> to = spec.required(
        "to",
        v -> v.list(
            16,
            item -> item.object(f -> new ReferenceGrant.To(
                f.required("group", g -> g.anyText(253)),
                f.required("kind", k -> k.text(63)),
                f.<@Nullable String>optional("name", Formats::name)))));
    return new ReferenceGrant(meta, from, to);
  }
}
