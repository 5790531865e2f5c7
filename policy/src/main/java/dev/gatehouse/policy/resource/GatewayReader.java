package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.Gateway.AllowedRoutes;
import dev.gatehouse.policy.resource.Gateway.From;
import dev.gatehouse.policy.resource.Gateway.Listener;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads a Gateway. */
final class GatewayReader {
  private static final Map<String, From> FROM =
      Map.of("Same", From.SAME, "All", From.ALL, "Selector", From.SELECTOR);
  private static final AllowedRoutes SAME = new AllowedRoutes(From.SAME, Map.of());

  private final Meta meta;

  private GatewayReader(Meta meta) {
    this.meta = meta;
  }

  static Gateway read(Meta meta, Fields spec) {
    var reader = new GatewayReader(meta);
    spec.ignored("gatewayClassName");
    spec.notEnforced("addresses", "infrastructure", "allowedListeners");
    spec.unsupported("tls", "defaultScope");
    var listeners =
        spec.required("listeners", v -> v.list(64, item -> item.object(reader::listener)));
    var names = new HashSet<String>();
    for (var listener : listeners) {
      if (!names.add(listener.name())) {
        spec.error("has two listeners \"" + Shown.of(listener.name()) + "\"");
      }
    }
    return new Gateway(meta, listeners);
  }

  private Listener listener(Fields fields) {
    var name = fields.required("name", Formats::name);
    var port = fields.required("port", Formats::port);
    var protocol =
        fields.required("protocol", v -> v.oneOf(Map.of("HTTP", "HTTP", "HTTPS", "HTTPS")));
    var hostname = fields.<@Nullable String>optional("hostname", Formats::host);
    List<ObjectRef> certificates = fields.optional("tls", v -> v.object(this::tls), List.of());
    if (protocol.equals("HTTPS") && certificates.isEmpty() && fields.has("protocol")) {
      fields.error("an HTTPS listener needs tls.certificateRefs");
    } else if (protocol.equals("HTTP") && fields.has("tls")) {
      fields.error("an HTTP listener has no tls (did you mean protocol: HTTPS?)");
    }
    var allowed =
        fields.optional("allowedRoutes", v -> v.object(GatewayReader::allowedRoutes), SAME);
    return new Listener(name, port, protocol, hostname, certificates, allowed, fields.origin());
  }

  private List<ObjectRef> tls(Fields fields) {
    fields.optional("mode", v -> v.oneOf(Map.of("Terminate", "Terminate")));
    fields.unsupported("options", "frontendValidation");
    return fields.list("certificateRefs", 64, item -> item.object(this::certificateRef));
  }

  private ObjectRef certificateRef(Fields fields) {
    fields.optional("group", v -> v.oneOf(Map.of("", "")));
    fields.optional("kind", v -> v.oneOf(Map.of("Secret", "Secret")));
    return new ObjectRef(
        "",
        "Secret",
        fields.optional("namespace", Formats::namespace, meta.namespace()),
        fields.required("name", Formats::name),
        fields.origin());
  }

  private static AllowedRoutes allowedRoutes(Fields fields) {
    var kinds = fields.list("kinds", 8, item -> item.object(GatewayReader::kind));
    var allowed = fields.optional("namespaces", v -> v.object(GatewayReader::namespaces), SAME);
    if (kinds.isEmpty()) {
      return allowed;
    }
    if (Collections.disjoint(kinds, SAME.kinds())) {
      fields.error("kinds without HTTPRoute and GRPCRoute are not supported");
    }
    return new AllowedRoutes(allowed.from(), allowed.matchLabels(), Set.copyOf(kinds));
  }

  /** Empty for a kind of another group. */
  private static String kind(Fields fields) {
    var group = fields.optional("group", v -> v.anyText(253), TargetsReader.GATEWAY_API);
    var kind = fields.required("kind", v -> v.text(63));
    return group.equals(TargetsReader.GATEWAY_API) ? kind : "";
  }

  private static AllowedRoutes namespaces(Fields fields) {
    var from = fields.optional("from", v -> v.oneOf(FROM), From.SAME);
    Map<String, String> labels =
        fields.optional("selector", v -> v.object(GatewayReader::labels), Map.of());
    if (from == From.SELECTOR && !fields.has("selector")) {
      fields.error("from: Selector needs a selector");
    }
    return new AllowedRoutes(from, labels);
  }

  private static Map<String, String> labels(Fields fields) {
    fields.unsupported("matchExpressions");
    return fields.optional(
        "matchLabels", v -> v.map(64, t -> t.anyText(63)), Map.<String, String>of());
  }
}
