package dev.gatehouse.cli.explain;

import dev.gatehouse.authz.ExtAuthzSettings;
import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.resource.SecurityPolicy;
import dev.gatehouse.ratelimit.RateLimitSettings;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** What happens to one request, and why, in the order in which Envoy asks: ext-authz, ext-proc, ratelimit. */
public final class Explanation {
  /** In place of the one that Envoy makes up, so that two explanations of a request are alike. */
  private static final String REQUEST_ID = "00000000-0000-4000-8000-000000000000";

  private static final JsonMapper PRETTY =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  /** How it ends, with the code that {@code gatehouse explain} ends with. */
  public enum End {
    PASSES(0, "it passes to the upstream"),
    DENIED(3, "it is denied"),
    NO_ROUTE(4, "no route leads anywhere"),
    UNDECIDED(5, "nobody can decide, so it is refused"),
    OVER_LIMIT(6, "it is over a limit"),
    ANSWERED(7, "a transformation answers it");

    private final int code;
    private final String text;

    End(int code, String text) {
      this.code = code;
      this.text = text;
    }

    public int code() {
      return code;
    }
  }

  private final Asked asked;
  private final Secrets secrets;
  private final RoutePart route;
  private final List<String> notes = new ArrayList<>();
  private @Nullable PolicyPart policies;
  private @Nullable AuthPart auth;
  private @Nullable TransformPart transform;
  private @Nullable LimitPart limits;
  private End end = End.NO_ROUTE;
  private int status = 404;

  /**
   * Asks the services.
   *
   * @param clock their time
   * @throws BadQuestion if the policies have not what the request names
   */
  public static Explanation of(
      Asked asked,
      List<Path> folders,
      ExtAuthzSettings authz,
      RateLimitSettings limits,
      InstantSource clock) {
    try (var services = new Services(folders, authz, limits, clock)) {
      if (limits.redis() != null) {
        services.ratelimit().warmUp();
      }
      return new Explanation(asked, services);
    }
  }

  private Explanation(Asked asked, Services services) {
    this.asked = asked;
    this.secrets = Secrets.of(asked, services.policies());
    var request = Message.request(asked, REQUEST_ID);
    this.route = RoutePart.of(asked, request, services.policies());
    var rule = route.rule();
    if (rule != null) {
      this.policies = PolicyPart.of(rule, services.policies(), services.problems());
      play(services, rule, request);
    } else if (!route.problem().isEmpty()) {
      end(End.UNDECIDED, 503);
    }
  }

  private void play(Services services, AttachedRule rule, Message request) {
    note(rule, request);
    fetchKeys(services, rule);
    var id = Objects.requireNonNullElse(request.header("x-request-id"), REQUEST_ID);
    var who = AuthPart.of(services, asked, rule, request);
    auth = who;
    try (var stream = TransformPart.open(services, asked, rule, id, who.metadata())) {
      transform = stream;
      if (!who.allows()) {
        end(who.status() == 503 ? End.UNDECIDED : End.DENIED, who.status());
        stream.response(denial(who), "ext_authz_denied");
        return;
      }
      stream.request(request);
      var answered = stream.status();
      if (answered != null) {
        end(stream.failed() ? End.UNDECIDED : End.ANSWERED, answered);
        return;
      }
      var often = LimitPart.of(services, asked, route, rule, request, stream.metadata());
      limits = often;
      if (often.over()) {
        end(End.OVER_LIMIT, often.status());
        stream.response(often.denial(), "request_rate_limited");
        return;
      }
      end(End.PASSES, asked.response() == null ? 0 : asked.response().status());
      if (asked.response() != null) {
        var response = Message.response(asked.response());
        stream.response(response, TransformPart.VIA_UPSTREAM);
        var replaced = stream.status();
        status = replaced != null
            ? replaced
            : Integer.parseInt(response.values(":status").getFirst());
      }
    }
  }

  private void end(End how, int with) {
    end = how;
    status = with;
  }

  private static Message denial(AuthPart who) {
    var denied = Objects.requireNonNull(who.answer()).getDeniedResponse();
    var headers = denied.getHeadersList().stream()
        .map(HeaderValueOption::getHeader)
        .map(header -> new Asked.Header(header.getKey(), header.getValue()))
        .toList();
    return Message.response(new Asked.Response(who.status(), headers, denied.getBodyBytes()));
  }

  /** As a server does before it is ready: waits for keys that have to be fetched, for a bounded time. */
  private void fetchKeys(Services services, AttachedRule rule) {
    if (!(rule.security() instanceof Attachment.Of<SecurityPolicy>(var policy))
        || policy.jwt() == null) {
      return;
    }
    var remote = policy.jwt().providers().stream()
        .filter(provider -> provider.jwks() instanceof SecurityPolicy.RemoteJwks)
        .toList();
    if (!remote.isEmpty()) {
      remote.forEach(
          provider -> notes.add("the keys of the provider " + provider.name() + " are fetched"));
      services.authz().warmUp();
    }
  }

  /** Fetch, "CORS-preflight request". */
  private void note(AttachedRule rule, Message request) {
    if (rule.security() instanceof Attachment.Of<SecurityPolicy>(var policy)
        && policy.cors() != null
        && request.method().equals("OPTIONS")
        && request.header("origin") != null
        && request.header("access-control-request-method") != null) {
      notes.add(
          "a CORS preflight: Envoy's cors filter answers it where the origin is allowed, and asks nobody");
    }
  }

  public End end() {
    return end;
  }

  public List<Page.Line> lines() {
    var page = new Page(secrets);
    page.heading("Request");
    page.plain(asked.method() + " " + asked.scheme() + "://" + asked.host() + asked.path()
        + " from " + asked.sourceAddress());
    asked.headers().forEach(header -> page.dim(header.name() + ": " + header.value()));
    notes.forEach(page::plain);
    route.print(page);
    if (policies != null) {
      policies.print(page);
    }
    if (auth != null) {
      auth.print(page);
    }
    if (transform != null) {
      transform.print(page);
    }
    if (limits != null) {
      limits.print(page);
    }
    page.heading("Outcome");
    page.verdict(end == End.PASSES, outcome());
    return page.lines();
  }

  private String outcome() {
    return status == 0 ? end.text : end.text + ": the client gets " + status;
  }

  /** Indented JSON; its members are in docs/explain.md. */
  public String json() {
    var json = new LinkedHashMap<String, Object>();
    json.put("outcome", end.name().toLowerCase(java.util.Locale.ROOT));
    json.put("exitCode", end.code());
    if (status != 0) {
      json.put("status", status);
    }
    json.put("request", request());
    json.put("notes", notes);
    json.put("route", route.json());
    if (policies != null) {
      json.put("policies", policies.json());
    }
    if (auth != null) {
      json.put("extAuthz", auth.json());
    }
    if (transform != null) {
      json.put("extProc", transform.json());
    }
    if (limits != null) {
      json.put("ratelimit", limits.json());
    }
    return PRETTY.writeValueAsString(secrets.masked(json));
  }

  private Map<String, Object> request() {
    var json = new LinkedHashMap<String, Object>();
    json.put("method", asked.method());
    json.put("scheme", asked.scheme());
    json.put("host", asked.host());
    json.put("path", asked.path());
    json.put("sourceAddress", asked.sourceAddress());
    json.put(
        "headers",
        asked.headers().stream()
            .map(header -> Map.<String, Object>of("name", header.name(), "value", header.value()))
            .toList());
    return json;
  }
}
