package dev.gatehouse.cli;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.resource.Policy;
import dev.gatehouse.policy.source.Reload;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** What {@code /policies} shows: which policies hold on which route rule, by name; nothing of their content. */
final class InForce {
  private static final JsonMapper JSON = JsonMapper.shared();

  private InForce() {}

  static String json(Reload reload) {
    var json = new LinkedHashMap<String, Object>();
    json.put("since", reload.since().toString());
    json.put("rules", reload.policies().rules().stream().map(InForce::rule).toList());
    json.put("problems", reload.problems().stream().map(Object::toString).toList());
    return JSON.writeValueAsString(json);
  }

  private static Map<String, Object> rule(AttachedRule rule) {
    var json = new LinkedHashMap<String, Object>();
    json.put("listener", rule.listener().toString());
    json.put("route", rule.route().toString());
    json.put("hostnames", rule.hostnames());
    json.put("guarded", rule.guarded());
    put(json, "security", rule.security());
    put(json, "traffic", rule.traffic());
    put(json, "transform", rule.transform());
    return json;
  }

  private static void put(
      Map<String, Object> json, String name, Attachment<? extends Policy> attachment) {
    var text = text(attachment);
    if (text != null) {
      json.put(name, text);
    }
  }

  private static @Nullable String text(Attachment<? extends Policy> attachment) {
    return switch (attachment) {
      case Attachment.None<? extends Policy> _ -> null;
      case Attachment.Of<? extends Policy>(var policy) -> policy.meta().title();
      case Attachment.Rejected<? extends Policy>(var meta) -> meta.title() + " (rejected)";
    };
  }
}
