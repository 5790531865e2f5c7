package dev.gatehouse.policy.source;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Meta;
import dev.gatehouse.policy.resource.Policy;
import dev.gatehouse.policy.resource.Problem;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What is in force, for whoever operates a service. It names resources and places in files; no content of a resource is in it.
 *
 * @param resources every resource that is in force, or rejected
 * @param since when they were loaded
 * @param problems of the last load
 * @param current false when the last load was not put in force, because of its problems
 */
public record InForce(
    PolicySet policies,
    List<Meta> resources,
    Instant since,
    List<Problem> problems,
    boolean current) {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  /** The answer of the admin's {@code /policies}. */
  public String json() {
    var root = JSON.createObjectNode();
    root.put("since", since.toString());
    root.put("current", current);
    resources(root.putObject("resources"));
    var rules = root.putArray("rules");
    policies.rules().forEach(rule -> rule(rules.addObject(), rule));
    var list = root.putArray("problems");
    problems.forEach(problem -> problem(list.addObject(), problem));
    return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root);
  }

  private void resources(ObjectNode byKind) {
    Map<String, ArrayNode> kinds = new TreeMap<>();
    for (var meta : resources) {
      kinds
          .computeIfAbsent(meta.kind(), kind -> JSON.createArrayNode())
          .addObject()
          .put("name", meta.id())
          .put("at", meta.origin().toString());
    }
    kinds.forEach(byKind::set);
  }

  private static void rule(ObjectNode node, AttachedRule rule) {
    node.put("listener", rule.listener().toString());
    node.put("route", rule.route().toString());
    var hostnames = node.putArray("hostnames");
    rule.hostnames().forEach(hostnames::add);
    node.put("guarded", rule.guarded());
    attachment(node, "security", rule.security());
    attachment(node, "traffic", rule.traffic());
    attachment(node, "transform", rule.transform());
  }

  private static <P extends Policy> void attachment(
      ObjectNode rule, String name, Attachment<P> attachment) {
    switch (attachment) {
      case Attachment.None<P>() -> rule.putNull(name);
      case Attachment.Of<P>(var policy) ->
        rule.putObject(name).put("policy", policy.meta().title()).put("rejected", false);
      case Attachment.Rejected<P>(var meta) ->
        rule.putObject(name).put("policy", meta.title()).put("rejected", true);
    }
  }

  private static void problem(ObjectNode node, Problem problem) {
    node.put("severity", problem.severity().name().toLowerCase(Locale.ROOT));
    node.put("at", problem.origin().toString());
    node.put("path", problem.path());
    node.put("message", problem.message());
  }
}
