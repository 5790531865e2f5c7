package dev.gatehouse.authz;

import dev.gatehouse.authz.Verdict.Because;
import dev.gatehouse.authz.rules.ClaimPath;
import dev.gatehouse.authz.rules.Rules;
import dev.gatehouse.policy.expr.Condition;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A policy, compiled for the routes of one Gateway; those routes share it.
 */
final class Guard {
  private final String policy;
  private final Passing passing;
  private final List<Method> methods;
  private final @Nullable Rules rules;
  private final ResponsePlan response;
  private final Answers.Denials denials;
  private final List<ClaimPath> claims;
  private final HeaderChanges always;
  private final List<String> strippedCookies;
  private final boolean answersAlike;
  private final Grant noMethod;
  private final Grant optional;
  private final Grant anonymous;

  /**
   * @param policy {@code namespace/name}
   * @param ownedHeaders names in lower case that no client's own value may pass under
   * @param methods empty where the policy names none
   */
  Guard(
      String policy,
      Collection<String> ownedHeaders,
      Passing passing,
      List<Method> methods,
      @Nullable Rules rules,
      ResponsePlan response) {
    this.policy = policy;
    this.passing = passing;
    this.methods = List.copyOf(methods);
    this.rules = rules;
    this.response = response;
    this.denials = Answers.denials(methods.stream().map(Method::scheme).toList());
    this.claims = Stream.concat(
            methods.stream().flatMap(method -> method.claims().stream()),
            rules == null ? Stream.of() : rules.claims())
        .distinct()
        .toList();
    var gone = new TreeSet<>(ownedHeaders);
    var parameters = new ArrayList<String>();
    var cookies = new ArrayList<String>();
    for (var method : methods) {
      gone.addAll(method.strips().headers());
      parameters.addAll(method.strips().parameters());
      cookies.addAll(method.strips().cookies());
    }
    this.always = new HeaderChanges(Map.of(), List.copyOf(gone), List.copyOf(parameters));
    this.strippedCookies = List.copyOf(cookies);
    this.answersAlike = response.sameForCaller();
    this.noMethod = Grant.anonymous(this, Because.NO_METHOD);
    this.optional = Grant.anonymous(this, Because.OPTIONAL);
    this.anonymous = Grant.anonymous(this, Because.ANONYMOUS);
  }

  /**
   * How much it takes to pass.
   *
   * @param anyMethod one of the methods identifies; else all must that are required
   * @param optional no credential at all passes, where no other method is named: {@code jwt.optional}
   * @param anonymous no credential at all passes under {@code anonymousWhen}
   * @param anonymousWhen null means always
   * @param shadow nothing is denied, only said
   */
  record Passing(
      boolean anyMethod,
      boolean optional,
      boolean anonymous,
      @Nullable Condition anonymousWhen,
      boolean shadow) {
    /** As a SecurityPolicy without {@code optional} has it. */
    static final Passing STRICT = new Passing(false, false, false, null, false);
  }

  String policy() {
    return policy;
  }

  Passing passing() {
    return passing;
  }

  List<Method> methods() {
    return methods;
  }

  @Nullable
  Rules rules() {
    return rules;
  }

  ResponsePlan response() {
    return response;
  }

  Answers.Denials denials() {
    return denials;
  }

  /** The claims that the policy names: those that later filters are told. */
  List<ClaimPath> claims() {
    return claims;
  }

  /** What an allow does to a request whose caller has these headers. */
  HeaderChanges changes(Map<String, String> headers) {
    return always.with(headers);
  }

  /** Whether an allow says the same of every request of one caller, but for its cookies. */
  boolean answersAlike() {
    return answersAlike;
  }

  /** Whether one of the request's cookies may go no further. */
  boolean stripsCookies() {
    return !strippedCookies.isEmpty();
  }

  /** Takes out the cookies that go no further. */
  HeaderChanges cookies(RequestView request) {
    var left = request.cookiesBut(strippedCookies);
    if (left == null) {
      return HeaderChanges.NONE;
    }
    return left.isEmpty()
        ? HeaderChanges.removing(List.of("cookie"))
        : new HeaderChanges(Map.of("cookie", left), List.of(), List.of());
  }

  /** Of a caller without a credential. */
  Grant nobody(Because because) {
    return switch (because) {
      case ANONYMOUS -> anonymous;
      case OPTIONAL -> optional;
      case NO_METHOD, IDENTIFIED, OPEN, SHADOW -> noMethod;
    };
  }
}
