package dev.gatehouse.cli.explain;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.ratelimit.Preview;
import dev.gatehouse.ratelimit.Preview.Seen;
import dev.gatehouse.ratelimit.descriptor.Actions;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What ratelimit would say. Nothing is counted.
 *
 * @param made of each list of actions
 * @param seen null where it is not asked
 */
record LimitPart(
    String domain, List<Descriptors.Made> made, @Nullable Seen seen) {
  private static final int SECONDS = 5;

  static LimitPart of(
      Services services, Asked asked, RoutePart route, AttachedRule rule, Message request) {
    var match = route.taken() == null ? 0 : route.taken().match();
    var descriptors = new Descriptors(request, asked.sourceAddress());
    var made =
        Actions.of(rule, match, route.hostname()).stream().map(descriptors::of).toList();
    var question = RateLimitRequest.newBuilder().setDomain(Actions.domain(rule));
    made.forEach(each -> {
      if (each.descriptor() != null) {
        question.addDescriptors(each.descriptor());
      }
    });
    return new LimitPart(
        question.getDomain(),
        made,
        question.getDescriptorsCount() == 0
            ? null // Envoy does not ask without one
            : look(services, question.build()));
  }

  private static Seen look(Services services, RateLimitRequest question) {
    try {
      return services.ratelimit().preview().look(question).get(SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Seen.Failed("interrupted");
    } catch (ExecutionException e) {
      return new Seen.Failed(String.valueOf(e.getCause()));
    } catch (TimeoutException e) {
      return new Seen.Failed("no answer within " + SECONDS + " s");
    }
  }

  boolean over() {
    return seen instanceof Seen.Answered answered && answered.over();
  }

  void print(Page page) {
    page.heading("ratelimit");
    if (made.isEmpty()) {
      page.dim("not asked: no policy limits anything");
      return;
    }
    var limits = limits();
    int next = 0;
    for (var each : made) {
      // The first action is the route itself.
      page.plain(each.actions().stream()
          .skip(1)
          .map(Descriptors::text)
          .collect(Collectors.joining(" and ", "where ", "")));
      var descriptor = each.descriptor();
      if (descriptor == null) {
        page.dim("  no descriptor: " + each.missing());
        continue;
      }
      page.dim("  descriptor " + text(descriptor));
      if (next < limits.size()) {
        print(page, limits.get(next++));
      }
    }
    switch (seen) {
      case null -> page.dim("not asked: there is no descriptor");
      case Seen.Failed(var why) ->
        page.verdict(false, "it cannot answer, and Envoy lets the request pass: " + why);
      case Seen.Answered(var over, var _, var answer) -> {
        page.verdict(!over, over ? "over the limit: Envoy answers 429" : "within the limits");
        page.plain("the answer to Envoy (RateLimitResponse; nothing was counted):");
        page.json(Protos.json(answer));
      }
    }
  }

  private List<Preview.Descriptor> limits() {
    return seen instanceof Seen.Answered answered ? answered.descriptors() : List.of();
  }

  private static void print(Page page, Preview.Descriptor descriptor) {
    var limit = descriptor.limit();
    if (limit == null) {
      page.dim(descriptor.known() ? "  nothing limits it" : "  unknown: it passes");
      return;
    }
    page.verdict(
        !limit.exceeded() || limit.shadow(),
        "  %s allows %d a %s%s: %d counted, %d left behind this one, a new window in %d s%s"
            .formatted(
                limit.policy(),
                limit.requests(),
                limit.window(),
                limit.subject().isEmpty() ? "" : " for " + limit.subject(),
                limit.counted(),
                limit.remaining(),
                limit.resetSeconds(),
                limit.shadow() ? " (shadow mode: never denies)" : ""));
  }

  private static String text(RateLimitDescriptor descriptor) {
    return descriptor.getEntriesList().stream()
        .map(entry -> entry.getKey().equals(entry.getValue())
            ? entry.getKey()
            : entry.getKey() + "=" + entry.getValue())
        .collect(Collectors.joining(", "));
  }

  Map<String, Object> json() {
    var json = new LinkedHashMap<String, Object>();
    json.put("asked", seen != null);
    json.put("domain", domain);
    var limits = limits();
    var lists = new ArrayList<Map<String, Object>>();
    int next = 0;
    for (var each : made) {
      var list = new LinkedHashMap<String, Object>();
      list.put("where", each.actions().stream().skip(1).map(Descriptors::text).toList());
      if (each.descriptor() == null) {
        list.put("missing", each.missing());
      } else {
        list.put("descriptor", Protos.json(each.descriptor()));
        var limit = next < limits.size() ? limits.get(next++).limit() : null;
        if (limit != null) {
          list.put("limit", json(limit));
        }
      }
      lists.add(list);
    }
    json.put("actions", lists);
    switch (seen) {
      case null -> {}
      case Seen.Failed(var why) -> json.put("failure", why);
      case Seen.Answered(var over, var _, var answer) -> {
        json.put("over", over);
        json.put("answer", Protos.json(answer));
      }
    }
    return json;
  }

  private static Map<String, Object> json(Preview.Limited limit) {
    var json = new LinkedHashMap<String, Object>();
    json.put("policy", limit.policy());
    json.put("requests", limit.requests());
    json.put("unit", limit.window().unit().name());
    json.put("every", limit.window().every());
    json.put("shadow", limit.shadow());
    json.put("subject", limit.subject());
    json.put("counted", limit.counted());
    json.put("exceeded", limit.exceeded());
    json.put("remaining", limit.remaining());
    json.put("resetSeconds", limit.resetSeconds());
    return json;
  }
}
