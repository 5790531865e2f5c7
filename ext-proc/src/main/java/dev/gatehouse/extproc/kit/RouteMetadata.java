package dev.gatehouse.extproc.kit;

import com.google.protobuf.Struct;
import com.google.protobuf.TextFormat;
import com.google.protobuf.Value;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.policy.attach.RouteKey;
import io.envoyproxy.envoy.config.core.v3.Metadata;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads which resource a route comes from out of the attribute {@code xds.route_metadata}, a text-format
 * {@code envoy.config.core.v3.Metadata}. It is the same text for every request of a route, and no client's to write, so what was
 * read is kept.
 */
final class RouteMetadata {
  static final String ATTRIBUTE = "xds.route_metadata";

  private static final int MAX_KEPT = 4096;
  private static final TextFormat.Parser PARSER =
      TextFormat.Parser.newBuilder().setAllowUnknownFields(true).build();

  /** @param sectionName the rule's name; empty where there is none */
  record Resource(String kind, String namespace, String name, String sectionName) {
    RouteKey routeKey() {
      return new RouteKey(kind, namespace, name, sectionName);
    }
  }

  /** {@code resource} is null where the text names none; {@code problem} says why where it cannot be read. */
  record Reading(@Nullable Resource resource, @Nullable String problem) {
    static final Reading NOTHING = new Reading(null, null);

    @Nullable
    RouteKey routeKey() {
      return resource == null ? null : resource.routeKey();
    }
  }

  private final Map<String, Reading> known = new ConcurrentHashMap<>();

  Reading read(String text) {
    var reading = known.get(text);
    if (reading == null) {
      reading = parse(text);
      if (known.size() < MAX_KEPT) {
        known.put(text, reading);
      }
    }
    return reading;
  }

  private static Reading parse(String text) {
    var metadata = Metadata.newBuilder();
    try {
      PARSER.merge(text, metadata);
    } catch (TextFormat.ParseException e) {
      return new Reading(null, "the attribute " + ATTRIBUTE + " is not a text-format Metadata");
    }
    var gateway = metadata.getFilterMetadataMap().get(Bindings.GATEWAY_METADATA);
    var resources = gateway == null ? null : gateway.getFieldsMap().get("resources");
    if (resources == null || resources.getListValue().getValuesCount() == 0) {
      return Reading.NOTHING;
    }
    var resource = resources.getListValue().getValues(0).getStructValue();
    return new Reading(
        new Resource(
            field(resource, "kind"),
            field(resource, "namespace"),
            field(resource, "name"),
            field(resource, "sectionName")),
        null);
  }

  private static String field(Struct resource, String name) {
    return resource.getFieldsOrDefault(name, Value.getDefaultInstance()).getStringValue();
  }
}
