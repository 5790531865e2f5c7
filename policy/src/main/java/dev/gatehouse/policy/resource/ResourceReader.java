package dev.gatehouse.policy.resource;

import dev.gatehouse.policy.resource.Value.Context;
import dev.gatehouse.policy.resource.YamlNode.Mapping;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Reads resources from YAML texts, strictly, and collects everything that is wrong. What cannot be honoured leaves nothing open: a
 * policy becomes a {@link RejectedPolicy}, and what hides its targets, or a route's matches, counts as {@link #unreadable}.
 */
public final class ResourceReader {
  /** How many resources one load may have: twice as many as 10,000 routes with a policy each and what they refer to. */
  private static final int MAX_RESOURCES = 50_000;

  private final Problems problems;
  private final Set<String> enforcedElsewhere;
  private final Map<String, Resource> resources = new LinkedHashMap<>();
  private final Map<String, Resource> seen = new HashMap<>();
  private final Set<String> unreadable = new LinkedHashSet<>();

  public ResourceReader(Problems problems) {
    this(problems, Set.of());
  }

  /** @param enforcedElsewhere kinds that the gateway enforces itself, and that are skipped */
  public ResourceReader(Problems problems, Set<String> enforcedElsewhere) {
    this.problems = problems;
    this.enforcedElsewhere = enforcedElsewhere;
  }

  /** Reads the documents of a text; {@code file} is its name in problems. */
  public void read(String file, String text) {
    if (text.length() > YamlDocuments.MAX_CHARS) {
      problems.error(
          new Origin(file, 0, 0),
          "",
          "is larger than " + YamlDocuments.MAX_CHARS + " characters; split it");
      unreadable.add(file);
      return;
    }
    try (var documents = new YamlDocuments(file, text, problems)) {
      int before = problems.errors();
      for (var node = documents.next(); node != null; node = documents.next()) {
        document(node, "", before);
        before = problems.errors();
      }
      if (documents.broken()) {
        unreadable.add(file);
      }
    }
  }

  /** Reports a file that could not be read at all. */
  public void unreadable(String file, String message) {
    problems.error(new Origin(file, 0, 0), "", message);
    unreadable.add(file);
  }

  /** What was read. Of resources that stand twice none is in it, but policies, which are rejected. */
  public List<Resource> resources() {
    return List.copyOf(resources.values());
  }

  /** The files and routes that could not be read, and so may hide what holds for a route. */
  public List<String> unreadable() {
    return List.copyOf(unreadable);
  }

  private void document(YamlNode node, String path, int errorsBefore) {
    var context = new Context(problems, isSecret(node));
    var draft =
        new Value(context, node, node.origin(), path).object(fields -> draft(fields, errorsBefore));
    if (draft != null) {
      settle(draft, problems.errors() - errorsBefore);
    }
  }

  private static boolean isSecret(YamlNode node) {
    return node instanceof Mapping mapping
        && mapping.entries().get("kind") instanceof YamlNode.Entry(var at, var value)
        && value instanceof YamlNode.Scalar(var where, var kind, var type)
        && kind.equalsIgnoreCase("Secret");
  }

  /**
   * A resource as it was read, sound or not.
   *
   * @param targets of a policy
   * @param tolerated how many of the errors leave the rest of the resource standing
   */
  private record Draft(
      Meta meta, Resource resource, @Nullable Targets targets, int tolerated) {}

  private @Nullable Draft draft(Fields fields, int errorsBefore) {
    var apiVersion = fields.required("apiVersion", v -> v.text(253));
    var kind = fields.required("kind", v -> v.text(63));
    if (kind.isEmpty() || apiVersion.isEmpty()) {
      return unreadable(fields);
    }
    if (kind.equals("List") && apiVersion.equals("v1")) {
      list(fields, errorsBefore);
      return null;
    }
    var meant = Kind.meant(apiVersion, kind);
    if (meant == null && Kind.isOurs(apiVersion)) {
      fields
          .required("kind")
          .error("\"" + Shown.of(kind) + "\" is not a kind of " + Shown.of(apiVersion)
              + " that Gatehouse knows");
      return unreadable(fields);
    }
    if (meant == null) {
      fields.others();
      problems.notice(
          fields.origin(),
          "",
          "skipped: Gatehouse does not read " + Shown.of(kind) + " (" + Shown.of(apiVersion) + ")");
      return null;
    }
    if (enforcedElsewhere.contains(meant.name())) {
      fields.others();
      problems.notice(
          fields.origin(), "", "skipped: the gateway enforces a " + meant.name() + " by itself");
      return null;
    }
    if (!meant.name().equals(kind)) {
      fields
          .required("kind")
          .error(
              "unknown kind \"" + Shown.of(kind) + "\" (did you mean \"" + meant.name() + "\"?)");
    } else if (!meant.versions().contains(apiVersion)) {
      fields
          .required("apiVersion")
          .error("\"" + Shown.of(apiVersion) + "\" is not a version of " + kind
              + " that Gatehouse reads (expected: " + String.join(" or ", meant.versions()) + ")");
    }
    var meta = MetaReader.read(
        fields.required("metadata"), apiVersion, meant.name(), fields.origin(), problems);
    return meta == null ? unreadable(fields) : read(meta, fields);
  }

  /** Without a kind and a name nobody can say what the document was for. */
  private @Nullable Draft unreadable(Fields fields) {
    fields.others();
    unreadable.add(fields.origin().toString());
    return null;
  }

  private void list(Fields fields, int errorsBefore) {
    fields.ignored("metadata");
    int before = errorsBefore;
    if (fields.required("items").node() instanceof YamlNode.Sequence sequence) {
      for (int i = 0; i < sequence.items().size(); i++) {
        document(sequence.items().get(i), "items[" + i + "]", before);
        before = problems.errors();
      }
    }
  }

  private Draft read(Meta meta, Fields document) {
    document.ignored("status");
    return switch (meta.kind()) {
      case "Secret" -> new Draft(meta, CoreReader.secret(meta, document), null, 0);
      case "ConfigMap" -> new Draft(meta, CoreReader.configMap(meta, document), null, 0);
      default -> document.required("spec", v -> v.object(spec -> spec(meta, spec)));
    };
  }

  private Draft spec(Meta meta, Fields spec) {
    return switch (meta.kind()) {
      case "Gateway" -> new Draft(meta, GatewayReader.read(meta, spec), null, 0);
      case "Backend" -> new Draft(meta, CoreReader.backend(meta, spec), null, 0);
      case "ReferenceGrant" -> new Draft(meta, CoreReader.grant(meta, spec), null, 0);
      case "HTTPRoute" -> {
        var route = HttpRouteReader.read(meta, spec, problems);
        yield new Draft(meta, route.route(), null, route.tolerated());
      }
      case HttpRoute.GRPC_KIND -> {
        var route = GrpcRouteReader.read(meta, spec, problems);
        yield new Draft(meta, route.route(), null, route.tolerated());
      }
      default -> policy(meta, spec);
    };
  }

  private Draft policy(Meta meta, Fields spec) {
    var targets = meta.kind().equals(EnvoyExtensionPolicy.KIND)
        ? TargetsReader.ofTheGateways(spec, problems)
        : TargetsReader.read(spec, problems);
    return switch (meta.kind()) {
      case "SecurityPolicy", "AuthPolicy" ->
        new Draft(
            meta, SecurityPolicyReader.read(meta, targets, spec, RefReader.of(meta)), targets, 0);
      case "BackendTrafficPolicy" ->
        new Draft(meta, BackendTrafficPolicyReader.read(meta, targets, spec), targets, 0);
      case BackendTrafficPolicy.RATE_LIMIT_POLICY ->
        new Draft(meta, RateLimitPolicyReader.read(meta, targets, spec), targets, 0);
      case EnvoyExtensionPolicy.KIND ->
        new Draft(meta, EnvoyExtensionPolicyReader.read(meta, targets, spec), targets, 0);
      case "TransformPolicy" ->
        new Draft(meta, TransformPolicyReader.read(meta, targets, spec), targets, 0);
      default -> throw new IllegalStateException("no reader for " + meta.kind());
    };
  }

  private void settle(Draft draft, int errors) {
    var meta = draft.meta();
    var resource = draft.resource();
    boolean sound = errors == draft.tolerated();
    if (draft.targets() != null) {
      add(sound ? resource : rejected(meta, draft.targets(), resource));
    } else if (sound) {
      add(resource);
    } else if (resource instanceof HttpRoute) {
      withdraw(meta, "its hosts, parents or matches cannot be relied on");
    }
  }

  /** A header in which it looks for credentials it does not own: others would lose theirs. */
  private static RejectedPolicy rejected(Meta meta, Targets targets, Resource read) {
    if (!(read instanceof SecurityPolicy policy)) {
      return new RejectedPolicy(meta, targets);
    }
    var owned = new TreeSet<>(policy.ownedHeaders());
    owned.removeAll(policy.credentialHeaders());
    return new RejectedPolicy(meta, targets, Collections.unmodifiableSortedSet(owned));
  }

  private void add(Resource resource) {
    var meta = resource.meta();
    if (resources.size() >= MAX_RESOURCES) {
      unreadable(meta.origin().file(), "there are more than " + MAX_RESOURCES + " resources");
      return;
    }
    var first = seen.putIfAbsent(meta.title(), resource);
    if (first == null) {
      resources.put(meta.title(), resource);
      return;
    }
    problems.error(
        meta.origin(),
        "metadata.name",
        meta.title() + " stands twice, first at " + first.meta().origin()
            + "; neither is in force, remove one");
    if (resources.get(meta.title()) instanceof Policy a && resource instanceof Policy b) {
      var owned = new TreeSet<>(a.ownedHeaders());
      owned.addAll(b.ownedHeaders());
      resources.put(
          meta.title(),
          new RejectedPolicy(
              first.meta(),
              union(a.targets(), b.targets()),
              Collections.unmodifiableSortedSet(owned)));
      return;
    }
    resources.remove(meta.title());
    if (resource instanceof HttpRoute) {
      withdraw(meta, "there are two of it");
    }
  }

  private static Targets union(Targets a, Targets b) {
    var refs = new ArrayList<>(a.refs());
    refs.addAll(b.refs());
    var selectors = new ArrayList<>(a.selectors());
    selectors.addAll(b.selectors());
    return new Targets(List.copyOf(refs), List.copyOf(selectors), a.everything() || b.everything());
  }

  /** A route that is not there would leave its requests to a broader route with other policies. */
  private void withdraw(Meta route, String why) {
    problems.error(
        route.origin(),
        "",
        route.title() + " is not in force, for " + why
            + "; its requests could reach a broader route, so every route is refused until it is mended");
    unreadable.add(route.title() + " (" + route.origin() + ")");
  }
}
