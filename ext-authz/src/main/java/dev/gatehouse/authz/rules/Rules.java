package dev.gatehouse.authz.rules;

import dev.gatehouse.policy.attach.RouteKey;
import dev.gatehouse.policy.expr.Expressions;
import dev.gatehouse.policy.expr.Place;
import dev.gatehouse.policy.expr.RequestFacts;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.SecurityPolicy.Action;
import dev.gatehouse.policy.resource.SecurityPolicy.Authorization;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What a policy's {@code authorization} says: the first rule that holds decides, else the default action. Compiled; allocates nothing. */
public final class Rules {
  private final List<Rule> rules;
  private final Ruling otherwise;
  private final Ruling scopes;

  private Rules(List<Rule> rules, Ruling otherwise) {
    this.rules = rules;
    this.otherwise = otherwise;
    this.scopes = new Ruling(false, "scopes", true);
  }

  /**
   * What the rules say.
   *
   * @param rule which rule decided; {@code default} for the default action
   * @param insufficientScope denied, and a rule would have allowed but for the token's scopes
   */
  public record Ruling(boolean allow, String rule, boolean insufficientScope) {}

  /** Null if something of it cannot be compiled; the problems say what. */
  public static @Nullable Rules compile(Authorization authorization, Problems problems) {
    var rules = new ArrayList<Rule>();
    int before = problems.errors();
    for (int i = 0; i < authorization.rules().size(); i++) {
      var rule = authorization.rules().get(i);
      var path = "spec.authorization.rules[" + i + "]";
      var cel = rule.cel() == null
          ? null
          : Expressions.condition(
              rule.cel(), Place.AUTHORIZATION, rule.origin(), path + ".cel", problems);
      if (rule.cel() != null && cel == null) {
        continue;
      }
      try {
        rules.add(Rule.of(i, rule, cel));
      } catch (IllegalArgumentException e) {
        problems.error(rule.origin(), path, String.valueOf(e.getMessage()));
      }
    }
    if (problems.errors() > before) {
      return null;
    }
    return new Rules(
        List.copyOf(rules),
        new Ruling(authorization.defaultAction() == Action.ALLOW, "default", false));
  }

  /** @param trace is told what each rule says */
  public Ruling judge(RequestFacts request, RouteKey route, Subject subject, Trace trace) {
    boolean scopesMissing = false;
    for (int i = 0; i < rules.size(); i++) {
      var rule = rules.get(i);
      var answer = rule.holds(request, route, subject);
      if (trace.listens()) {
        rule.tell(answer, request, route, subject, trace);
      }
      switch (answer) {
        case YES -> {
          return rule.ruling();
        }
        case UNSURE -> {
          if (!rule.ruling().allow()) {
            return rule.ruling();
          }
        }
        case NO -> scopesMissing |= rule.lacksScopesOnly(request, route, subject);
      }
    }
    return scopesMissing && !otherwise.allow ? scopes : otherwise;
  }

  /** The claims that rules look at. */
  public Stream<ClaimPath> claims() {
    return rules.stream().flatMap(Rule::claims);
  }
}
