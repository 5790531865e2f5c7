package dev.gatehouse.policy.resource;

import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads {@code metadata} (Kubernetes' ObjectMeta). */
final class MetaReader {
  private static final int MAX_LABELS = 256;

  private MetaReader() {}

  /** The metadata, or null where nobody can say whose they are. */
  static @Nullable Meta read(
      Value metadata, String apiVersion, String kind, Origin origin, Problems problems) {
    return metadata.<@Nullable Meta>object(fields -> {
      int before = problems.errors();
      var name = fields.required("name", Formats::name);
      var namespace = fields.nullable("namespace", Formats::namespace, "default");
      boolean named = problems.errors() == before && metadata.node() != null;
      Map<String, String> labels = fields.nullable("labels", MetaReader::texts, Map.of());
      Map<String, String> annotations = fields.nullable("annotations", MetaReader::texts, Map.of());
      var created =
          fields.nullable("creationTimestamp", MetaReader::instant, Optional.<Instant>empty());
      fields.ignored(
          "uid",
          "resourceVersion",
          "generation",
          "managedFields",
          "ownerReferences",
          "finalizers",
          "selfLink",
          "generateName",
          "deletionTimestamp",
          "deletionGracePeriodSeconds");
      return named
          ? new Meta(
              apiVersion, kind, namespace, name, labels, annotations, created.orElse(null), origin)
          : null;
    });
  }

  private static Map<String, String> texts(Value value) {
    return value.map(MAX_LABELS, text -> text.anyText(YamlDocuments.MAX_CHARS));
  }

  private static Optional<Instant> instant(Value value) {
    var text = value.text(40);
    try {
      return text.isEmpty() ? Optional.empty() : Optional.of(Instant.parse(text));
    } catch (DateTimeParseException e) {
      value.error(value.show(text) + " is not a time such as 2026-01-31T12:00:00Z");
      return Optional.empty();
    }
  }
}
