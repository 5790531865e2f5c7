package dev.gatehouse.cli.explain;

import com.google.protobuf.Struct;
import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.resource.BackendTrafficPolicy;
import dev.gatehouse.ratelimit.Preview;
import dev.gatehouse.ratelimit.Preview.Seen;
import dev.gatehouse.ratelimit.descriptor.Actions;
import dev.gatehouse.ratelimit.descriptor.RouteLimit;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What ratelimit would say. Nothing is counted.
 *
 * @param calls one a domain, in the order in which Envoy makes them; none where nothing limits the request
 * @param status that a client who is over a limit gets
 */
record LimitPart(List<Call> calls, int status) {
  private static final int SECONDS = 5;

  /**
   * What is asked in one domain.
   *
   * @param made of each rate limit that decides on the request
   * @param after of those that count when the response has ended; nobody waits for them
   * @param seen null where it is not asked
   * @param unasked why; empty where it is
   */
  record Call(
      String domain,
      List<Descriptors.Made> made,
      List<Descriptors.Made> after,
      @Nullable Seen seen,
      String unasked) {
    boolean over() {
      return seen instanceof Seen.Answered answered && answered.over();
    }

    /** An empty one where it is not asked, or cannot answer. */
    RateLimitResponse answer() {
      return seen instanceof Seen.Answered answered
          ? answered.answer()
          : RateLimitResponse.getDefaultInstance();
    }

    private List<Preview.Descriptor> limits() {
      return seen instanceof Seen.Answered answered ? answered.descriptors() : List.of();
    }
  }

  /** @param metadata what ext-authz and ext-proc wrote, by namespace */
  static LimitPart of(
      Services services,
      Asked asked,
      RoutePart route,
      AttachedRule rule,
      Message request,
      Map<String, Struct> metadata) {
    var match = route.taken() == null ? 0 : route.taken().match();
    var descriptors = new Descriptors(request, asked.sourceAddress(), metadata);
    var calls = new ArrayList<Call>();
    // Envoy's filters stand in this order.
    var domains = Actions.of(rule, match, route.hostname()).stream()
        .collect(Collectors.groupingBy(
            RouteLimit::domain,
            () -> new TreeMap<>(
                Comparator.<String, Boolean>comparing(domain -> Actions.isApart(rule, domain))
                    .thenComparing(Comparator.naturalOrder())),
            Collectors.mapping(descriptors::of, Collectors.toUnmodifiableList())));
    domains.forEach((domain, made) ->
        calls.add(call(services, domain, made, calls.stream().anyMatch(Call::over))));
    var denial = rule.traffic() instanceof Attachment.Of<BackendTrafficPolicy>(var policy)
        ? policy.denial()
        : BackendTrafficPolicy.Denial.USUAL;
    return new LimitPart(List.copyOf(calls), denial.status());
  }

  private static Call call(
      Services services, String domain, List<Descriptors.Made> all, boolean denied) {
    var made = all.stream().filter(each -> !each.limit().onStreamDone()).toList();
    var after = all.stream().filter(each -> each.limit().onStreamDone()).toList();
    var question = RateLimitRequest.newBuilder().setDomain(domain);
    made.forEach(each -> {
      if (each.descriptor() != null) {
        question.addDescriptors(each.descriptor());
      }
    });
    if (denied) {
      return new Call(domain, made, after, null, "the request is denied already");
    }
    if (question.getDescriptorsCount() == 0) {
      return new Call(domain, made, after, null, "there is no descriptor");
    }
    return new Call(domain, made, after, look(services, question.build()), "");
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
    return calls.stream().anyMatch(Call::over);
  }

  /** What the client gets that is over a limit. */
  Message denial() {
    var answer = calls.stream()
        .filter(Call::over)
        .map(Call::answer)
        .findFirst()
        .orElseGet(RateLimitResponse::getDefaultInstance);
    var headers = answer.getResponseHeadersToAddList().stream()
        .map(header -> new Asked.Header(header.getKey(), header.getValue()))
        .toList();
    return Message.response(new Asked.Response(status, headers, answer.getRawBody()));
  }

  void print(Page page) {
    page.heading("ratelimit");
    if (calls.isEmpty()) {
      page.dim("not asked: no policy limits anything");
    }
    for (var call : calls) {
      if (calls.size() > 1) {
        page.plain("in the domain " + call.domain());
      }
      print(page, call);
    }
  }

  private void print(Page page, Call call) {
    var limits = call.limits();
    int next = 0;
    for (var each : call.made()) {
      page.plain(text(each));
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
    switch (call.seen()) {
      case null -> page.dim("not asked: " + call.unasked());
      case Seen.Failed(var why) ->
        page.verdict(false, "it cannot answer, and Envoy lets the request pass: " + why);
      case Seen.Answered(var over, var _, var answer) -> {
        page.verdict(!over, over ? "over the limit: Envoy answers " + status : "within the limits");
        page.plain("the answer to Envoy (RateLimitResponse; nothing was counted):");
        page.json(Protos.json(answer));
      }
    }
    for (var each : call.after()) {
      page.plain("when the response has ended, " + text(each));
      var descriptor = each.descriptor();
      page.dim(
          descriptor == null
              ? "  nothing is counted: " + each.missing()
              : "  descriptor " + text(descriptor));
    }
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

  /** The first action is the route itself, or the shared rule. */
  private static String text(Descriptors.Made made) {
    return made.actions().stream()
        .skip(1)
        .map(Descriptors::text)
        .collect(Collectors.joining(" and ", "where ", ""));
  }

  private static String text(RateLimitDescriptor descriptor) {
    var entries = descriptor.getEntriesList().stream()
        .map(entry -> entry.getKey().equals(entry.getValue())
            ? entry.getKey()
            : entry.getKey() + "=" + entry.getValue())
        .collect(Collectors.joining(", "));
    return entries
        + (descriptor.hasHitsAddend()
            ? "; it counts " + descriptor.getHitsAddend().getValue()
            : "")
        + (descriptor.hasLimit()
            ? "; the metadata says the limit: %d a %s"
                .formatted(
                    Integer.toUnsignedLong(descriptor.getLimit().getRequestsPerUnit()),
                    descriptor.getLimit().getUnit().name().toLowerCase(Locale.ROOT))
            : "");
  }

  Map<String, Object> json() {
    var json = new LinkedHashMap<String, Object>();
    json.put("asked", calls.stream().anyMatch(call -> call.seen() != null));
    json.put("calls", calls.stream().map(LimitPart::json).toList());
    return json;
  }

  private static Map<String, Object> json(Call call) {
    var json = new LinkedHashMap<String, Object>();
    json.put("domain", call.domain());
    var limits = call.limits();
    var lists = new ArrayList<Map<String, Object>>();
    int next = 0;
    for (var each : call.made()) {
      var list = json(each);
      if (each.descriptor() != null && next < limits.size()) {
        var limit = limits.get(next++).limit();
        if (limit != null) {
          list.put("limit", json(limit));
        }
      }
      lists.add(list);
    }
    json.put("actions", lists);
    if (!call.after().isEmpty()) {
      json.put("afterwards", call.after().stream().map(LimitPart::json).toList());
    }
    switch (call.seen()) {
      case null -> json.put("notAsked", call.unasked());
      case Seen.Failed(var why) -> json.put("failure", why);
      case Seen.Answered(var over, var _, var answer) -> {
        json.put("over", over);
        json.put("answer", Protos.json(answer));
      }
    }
    return json;
  }

  private static Map<String, Object> json(Descriptors.Made made) {
    var json = new LinkedHashMap<String, Object>();
    json.put("where", made.actions().stream().skip(1).map(Descriptors::text).toList());
    if (made.descriptor() == null) {
      json.put("missing", made.missing());
    } else {
      json.put("descriptor", Protos.json(made.descriptor()));
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
