package dev.gatehouse.authz.rules;

import com.google.re2j.Pattern;
import dev.gatehouse.policy.attach.RouteKey;
import dev.gatehouse.policy.expr.Condition;
import dev.gatehouse.policy.expr.EvaluationException;
import dev.gatehouse.policy.expr.RequestFacts;
import dev.gatehouse.policy.resource.SecurityPolicy;
import dev.gatehouse.policy.resource.SecurityPolicy.Action;
import dev.gatehouse.policy.resource.SecurityPolicy.ClaimValues;
import dev.gatehouse.policy.resource.SecurityPolicy.HeaderValues;
import dev.gatehouse.policy.resource.SecurityPolicy.Operation;
import dev.gatehouse.policy.resource.SecurityPolicy.Principal;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** One rule of an {@code authorization}: everything that it says must hold; the cheap is asked first. */
record Rule(
    Rules.Ruling ruling,
    Set<String> methods,
    @Nullable PathCondition path,
    @Nullable String provider,
    List<Claim> claimConditions,
    List<String> scopes,
    List<Header> headers,
    @Nullable Cidrs clients,
    @Nullable Condition cel) {

  /** @param array any element of a list of strings, else a string */
  record Claim(ClaimPath path, boolean array, Set<String> values) {
    boolean holds(Subject subject) {
      var claim = path.in(subject.claims());
      if (!array) {
        return claim instanceof String text && values.contains(text);
      }
      if (claim instanceof List<?> list) {
        for (int i = 0; i < list.size(); i++) {
          if (list.get(i) instanceof String text && values.contains(text)) {
            return true;
          }
        }
      }
      return false;
    }
  }

  record Header(String name, Set<String> values) {
    private static final Pattern BLANKS = Pattern.compile("[ \\t]*,[ \\t]*");

    /** Several values in one are unsure: the upstream may take any of them (CVE-2020-25017, CVE-2026-26308). */
    Answer holds(RequestFacts request) {
      var value = request.header(name);
      if (value == null) {
        return Answer.NO;
      }
      if (values.contains(value)) {
        return Answer.YES;
      }
      return value.indexOf(',') >= 0 && among(value) ? Answer.UNSURE : Answer.NO;
    }

    private boolean among(String joined) {
      var several = parts(joined);
      for (var wanted : values) {
        if (several.contains(parts(wanted))) {
          return true;
        }
      }
      return false;
    }

    /** With a comma before and behind each part, and no spaces there. */
    private static String parts(String value) {
      return "," + BLANKS.matcher(value.strip()).replaceAll(",") + ",";
    }
  }

  /** @throws IllegalArgumentException saying what cannot be compiled */
  static Rule of(int index, SecurityPolicy.Rule rule, @Nullable Condition cel) {
    var operation = rule.operation();
    var principal =
        rule.principal() == null ? new Principal(List.of(), null, List.of()) : rule.principal();
    var jwt = principal.jwt();
    return new Rule(
        new Rules.Ruling(
            rule.action() == Action.ALLOW,
            rule.name() == null ? "rules[" + index + "]" : rule.name(),
            false),
        operation == null ? Set.of() : Set.copyOf(operation.methods()),
        operation == null ? null : path(operation),
        jwt == null ? null : jwt.provider(),
        jwt == null ? List.of() : jwt.claims().stream().map(Rule::claim).toList(),
        jwt == null ? List.of() : List.copyOf(jwt.scopes()),
        principal.headers().stream().map(Rule::header).toList(),
        principal.clientCidrs().isEmpty() ? null : Cidrs.of(principal.clientCidrs()),
        cel);
  }

  Answer holds(RequestFacts request, RouteKey route, Subject subject) {
    return hasScopes(subject) ? butForScopes(request, route, subject) : Answer.NO;
  }

  /** Whether it would have allowed, had the token more scopes. */
  boolean lacksScopesOnly(RequestFacts request, RouteKey route, Subject subject) {
    return ruling.allow()
        && subject.provider() != null
        && !hasScopes(subject)
        && butForScopes(request, route, subject) == Answer.YES;
  }

  /** Says what each part of the rule finds, whether or not the others hold. */
  void tell(Answer answer, RequestFacts request, RouteKey route, Subject subject, Trace trace) {
    var name = "rule " + ruling.rule();
    if (!methods.isEmpty()) {
      part(trace, name, "methods " + methods, request.method(), methods.contains(request.method()));
    }
    if (path != null) {
      trace.step(
          name + ": path " + path,
          request.urlPath(),
          path.holds(request.urlPath()).word());
    }
    if (provider != null) {
      var shown = String.valueOf(subject.provider());
      part(trace, name, "provider " + provider, shown, provider.equals(subject.provider()));
    }
    for (var claim : claimConditions) {
      var value = String.valueOf(claim.path.in(subject.claims()));
      part(trace, name, "claim " + claim.path + " " + claim.values, value, claim.holds(subject));
    }
    if (!scopes.isEmpty()) {
      part(trace, name, "scopes " + scopes, subject.scopes().toString(), hasScopes(subject));
    }
    for (var header : headers) {
      trace.step(
          name + ": header " + header.name + " " + header.values,
          request.header(header.name) == null ? "none" : "a value",
          header.holds(request).word());
    }
    if (clients != null) {
      trace.step(
          name + ": clientCIDRs",
          request.sourceAddress(),
          clients.contain(request.sourceAddress()).word());
    }
    if (cel != null) {
      trace.step(
          name + ": cel " + cel,
          "the request",
          evaluate(cel, request, route, subject).word());
    }
    trace.step(name, ruling.allow() ? "Allow" : "Deny", answer.word());
  }

  private static void part(Trace trace, String rule, String part, String input, boolean holds) {
    trace.step(rule + ": " + part, input, Answer.of(holds).word());
  }

  Stream<ClaimPath> claims() {
    return claimConditions.stream().map(Claim::path);
  }

  private boolean hasScopes(Subject subject) {
    for (int i = 0; i < scopes.size(); i++) {
      if (!subject.scopes().contains(scopes.get(i))) {
        return false;
      }
    }
    return true;
  }

  private Answer butForScopes(RequestFacts request, RouteKey route, Subject subject) {
    if (!methods.isEmpty() && !methods.contains(request.method())) {
      return Answer.NO;
    }
    if (provider != null && !provider.equals(subject.provider())) {
      return Answer.NO;
    }
    for (int i = 0; i < claimConditions.size(); i++) {
      if (!claimConditions.get(i).holds(subject)) {
        return Answer.NO;
      }
    }
    var answer = path == null ? Answer.YES : path.holds(request.urlPath());
    for (int i = 0; i < headers.size() && answer != Answer.NO; i++) {
      answer = and(answer, headers.get(i).holds(request));
    }
    if (clients != null && answer != Answer.NO) {
      answer = and(answer, clients.contain(request.sourceAddress()));
    }
    if (cel != null && answer != Answer.NO) {
      answer = and(answer, evaluate(cel, request, route, subject));
    }
    return answer;
  }

  private static Answer and(Answer one, Answer other) {
    if (one == Answer.NO || other == Answer.NO) {
      return Answer.NO;
    }
    return one == Answer.UNSURE || other == Answer.UNSURE ? Answer.UNSURE : Answer.YES;
  }

  private static Answer evaluate(
      Condition cel, RequestFacts request, RouteKey route, Subject subject) {
    try {
      return Answer.of(cel.test(subject.seen(request, route)));
    } catch (EvaluationException _) {
      return Answer.UNSURE;
    }
  }

  private static @Nullable PathCondition path(Operation operation) {
    var path = operation.path();
    return path == null ? null : PathCondition.of(path, operation.invertPath());
  }

  private static Claim claim(ClaimValues claim) {
    return new Claim(ClaimPath.of(claim.name()), claim.array(), Set.copyOf(claim.values()));
  }

  private static Header header(HeaderValues header) {
    return new Header(header.name().toLowerCase(Locale.ROOT), Set.copyOf(header.values()));
  }
}
