package dev.gatehouse.policy.resource;

import com.google.re2j.Pattern;
import dev.gatehouse.policy.resource.EnvoyExtensionPolicy.Backend;
import dev.gatehouse.policy.resource.EnvoyExtensionPolicy.Body;
import dev.gatehouse.policy.resource.EnvoyExtensionPolicy.ExtProc;
import dev.gatehouse.policy.resource.EnvoyExtensionPolicy.Phase;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads an EnvoyExtensionPolicy with the validations of Envoy Gateway 1.9. */
final class EnvoyExtensionPolicyReader {
  private static final int MAX = 16;
  private static final int MAX_WRITABLE = 8;
  private static final Duration MESSAGE_TIMEOUT = Duration.ofMillis(200);

  private static final Pattern ATTRIBUTE = Pattern.compile(
      "(connection\\.|source\\.|destination\\.|request\\.|response\\.|upstream\\.|xds\\.route_)[a-z_1-9]*");

  private static final Map<String, Body> BODIES = Map.of(
      "Streamed",
      Body.STREAMED,
      "Buffered",
      Body.BUFFERED,
      "BufferedPartial",
      Body.BUFFERED_PARTIAL,
      "FullDuplexStreamed",
      Body.FULL_DUPLEX_STREAMED);

  /** By group, what may be called. */
  private static final Map<String, String> BACKENDS = Map.of(
      "", "Service",
      "multicluster.x-k8s.io", "ServiceImport",
      "gateway.envoyproxy.io", "Backend");

  private final Meta meta;

  private EnvoyExtensionPolicyReader(Meta meta) {
    this.meta = meta;
  }

  static EnvoyExtensionPolicy read(Meta meta, Targets targets, Fields spec) {
    return new EnvoyExtensionPolicyReader(meta).read(targets, spec);
  }

  private EnvoyExtensionPolicy read(Targets targets, Fields spec) {
    boolean merges = spec.optional(
        "mergeType", v -> v.oneOf(Map.of("StrategicMerge", true, "JSONMerge", true)), false);
    if (merges && targets.refs().stream().anyMatch(ref -> ref.kind().equals("Gateway"))) {
      spec.error(
          "mergeType is for policies on routes: above a Gateway there is none to merge with");
    }
    var extProc = spec.list("extProc", MAX, item -> item.object(this::extProc));
    // What these run is not Gatehouse's; Envoy Gateway validates them.
    spec.ignored("wasm", "lua", "dynamicModule");
    return new EnvoyExtensionPolicy(
        meta, targets, merges, extProc, spec.count("wasm", "lua", "dynamicModule") > 0);
  }

  private ExtProc extProc(Fields fields) {
    fields.given(
        "backendRef",
        value ->
            value.error("is not a field of an extProc any more (expected: backendRefs, a list)"));
    List<Backend> backends =
        fields.required("backendRefs", v -> v.list(MAX, item -> item.object(this::backend)));
    fields.ignored("backendSettings");
    var timeout = fields.optional("messageTimeout", Value::duration, MESSAGE_TIMEOUT);
    var status = fields.<@Nullable Integer>optional("statusOnError", v -> v.integer(400, 511));
    refuseRouteChanges(fields);
    var mode = fields.optional(
        "processingMode",
        v -> v.object(EnvoyExtensionPolicyReader::processingMode),
        ProcessingMode.NOTHING);
    var metadata = fields.optional(
        "metadata", v -> v.object(EnvoyExtensionPolicyReader::metadata), Namespaces.NONE);
    var extProc = new ExtProc(
        backends,
        timeout,
        fields.flag("failOpen"),
        status,
        fields.flag("shadowMode"),
        mode.request(),
        mode.response(),
        mode.allowModeOverride(),
        metadata.accessible(),
        metadata.writable(),
        fields.origin());
    check(extProc, fields);
    return extProc;
  }

  /** What the schema of the kind refuses, so that nobody has to apply it to find out. */
  private static void check(ExtProc extProc, Fields fields) {
    if (extProc.failOpen()
        && (is(extProc.request(), Body.FULL_DUPLEX_STREAMED)
            || is(extProc.response(), Body.FULL_DUPLEX_STREAMED))) {
      fields.given(
          "failOpen",
          value -> value.error(
              "must be false with body FullDuplexStreamed: Envoy gives the body away piece by piece, and cannot get it back when the processor fails"));
    }
    if (extProc.shadowMode()
        && (bodyOtherThanStreamed(extProc.request())
            || bodyOtherThanStreamed(extProc.response()))) {
      fields.given(
          "shadowMode",
          value -> value.error("goes with body Streamed or none: nothing waits for the answers"));
    }
  }

  private static boolean is(@Nullable Phase phase, Body body) {
    return phase != null && phase.body() == body;
  }

  private static boolean bodyOtherThanStreamed(@Nullable Phase phase) {
    return phase != null && phase.body() != Body.NONE && phase.body() != Body.STREAMED;
  }

  /** Envoy's own names, which the gateway does not have: whoever writes one wants the route chosen anew. */
  private static void refuseRouteChanges(Fields fields) {
    for (var name : Set.of("recomputeRoute", "clearRouteCache", "routeCacheAction")) {
      fields.given(
          name,
          value -> value.error(
              "is no field of an extProc, and never honoured: a route that is chosen again after the processor has other policies, which were not asked; remove it and route by what the client sends"));
    }
  }

  private Backend backend(Fields fields) {
    var group = fields.optional("group", v -> v.anyText(253), "");
    var kind = fields.optional("kind", v -> v.text(63), "Service");
    if (!kind.equals(BACKENDS.get(group))) {
      fields.error(
          "kind " + Shown.of(kind) + " of group \"" + Shown.of(group)
              + "\" is nothing that an extProc calls (expected: Service of \"\", ServiceImport of multicluster.x-k8s.io or Backend of gateway.envoyproxy.io)");
    }
    var port = fields.<@Nullable Integer>optional("port", Formats::port);
    if (port == null && kind.equals("Service")) {
      fields.error("\"port\" is missing: a Service needs one");
    }
    fields.optional("weight", v -> v.integer(0, 1_000_000), 1);
    fields.flag("fallback");
    return new Backend(
        new ObjectRef(
            group,
            kind,
            fields.optional("namespace", Formats::namespace, meta.namespace()),
            fields.required("name", Formats::name),
            fields.origin()),
        port);
  }

  private record ProcessingMode(
      @Nullable Phase request, @Nullable Phase response, boolean allowModeOverride) {
    static final ProcessingMode NOTHING = new ProcessingMode(null, null, false);
  }

  private static ProcessingMode processingMode(Fields fields) {
    return new ProcessingMode(
        fields.<@Nullable Phase>optional(
            "request", v -> v.object(EnvoyExtensionPolicyReader::phase)),
        fields.<@Nullable Phase>optional(
            "response", v -> v.object(EnvoyExtensionPolicyReader::phase)),
        fields.flag("allowModeOverride"));
  }

  private static Phase phase(Fields fields) {
    return new Phase(
        fields.optional("body", v -> v.oneOf(BODIES), Body.NONE),
        fields.list("attributes", 64, EnvoyExtensionPolicyReader::attribute),
        fields.origin());
  }

  private static String attribute(Value value) {
    var text = value.text(253);
    if (!text.isEmpty() && !ATTRIBUTE.matches(text)) {
      value.error(
          value.show(text)
              + " is no attribute that the gateway asks for (expected: one that begins with connection., source., destination., request., response., upstream. or xds.route_, such as xds.route_metadata)");
    }
    return text;
  }

  private record Namespaces(List<String> accessible, List<String> writable) {
    static final Namespaces NONE = new Namespaces(List.of(), List.of());
  }

  private static Namespaces metadata(Fields fields) {
    return new Namespaces(
        fields.list("accessibleNamespaces", 64, v -> v.text(253)),
        fields.list("writableNamespaces", MAX_WRITABLE, EnvoyExtensionPolicyReader::writable));
  }

  private static String writable(Value value) {
    var text = value.text(253);
    if (text.startsWith("envoy.filters.http")) {
      value.error(value.show(text) + " is another filter's: what it said must stay what it said");
    }
    return text;
  }
}
