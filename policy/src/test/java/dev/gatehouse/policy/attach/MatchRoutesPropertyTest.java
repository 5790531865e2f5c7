package dev.gatehouse.policy.attach;

import static dev.gatehouse.policy.attach.Fixtures.exact;
import static dev.gatehouse.policy.attach.Fixtures.gateway;
import static dev.gatehouse.policy.attach.Fixtures.header;
import static dev.gatehouse.policy.attach.Fixtures.listener;
import static dev.gatehouse.policy.attach.Fixtures.meta;
import static dev.gatehouse.policy.attach.Fixtures.method;
import static dev.gatehouse.policy.attach.Fixtures.parent;
import static dev.gatehouse.policy.attach.Fixtures.prefix;
import static dev.gatehouse.policy.attach.Fixtures.query;
import static dev.gatehouse.policy.attach.Fixtures.regex;
import static dev.gatehouse.policy.attach.Fixtures.route;
import static dev.gatehouse.policy.attach.Fixtures.rule;
import static dev.gatehouse.policy.attach.RouteSearch.Answer.BEHIND;
import static dev.gatehouse.policy.attach.RouteSearch.Answer.TAKEN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.HttpRoute;
import dev.gatehouse.policy.resource.HttpRoute.Match;
import dev.gatehouse.policy.resource.HttpRoute.Rule;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.Resource;
import dev.gatehouse.policy.resource.StringMatch;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The index finds what a walk over all routes finds, which does word for word what the Gateway API says. Small alphabets, so that random
 * requests meet random routes.
 */
class MatchRoutesPropertyTest {
  private static final List<String> SEGMENTS = List.of("a", "b", "ab", "a.b", "a;b", "A");
  private static final List<String> HOSTS =
      List.of("a.example.com", "*.example.com", "*.a.example.com", "b.example.com");
  private static final List<String> ASKED_HOSTS =
      List.of("a.example.com", "A.example.com:80", "c.a.example.com", "b.example.com", "x.org");
  private static final List<String> METHODS = List.of("GET", "POST");

  private static IntStream seeds() {
    return IntStream.range(0, 200);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void a_request_takes_the_route_that_a_walk_over_all_finds(int seed) {
    var random = new Random(seed);
    var routes = new ArrayList<Resource>();
    routes.add(gateway("shop/web", listener("http")));
    for (int i = 0; i < 1 + random.nextInt(6); i++) {
      routes.add(randomRoute(random, i));
    }
    var set = PolicySet.attach(routes, List.of(), new Problems());
    var plans = RoutePlans.of(set, rule -> rule.route() + " " + rule.index(), null);

    for (int i = 0; i < 100; i++) {
      var request = randomRequest(random);

      assertThat(plans.byMatch(request)).as("%s", request).isEqualTo(expected(set, request));
    }
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void the_search_for_people_finds_the_same_and_says_why_the_others_lose(int seed) {
    var random = new Random(seed);
    var routes = new ArrayList<Resource>();
    routes.add(gateway("shop/web", listener("http")));
    for (int i = 0; i < 1 + random.nextInt(6); i++) {
      routes.add(randomRoute(random, i));
    }
    var set = PolicySet.attach(routes, List.of(), new Problems());
    var plans = RoutePlans.of(set, rule -> rule.route() + " " + rule.index(), null);
    var search = RouteSearch.of(set);

    for (int i = 0; i < 50; i++) {
      var request = randomRequest(random);
      var result = search.find(request).getFirst();
      var taken = result.taken();

      if (!request.path().contains(";")) { // to a service, parameters may leave it unresolved
        assertThat(plans.byMatch(request))
            .as("%s", request)
            .isEqualTo(
                taken == null
                    ? new Lookup.Unresolved<>("no route matches")
                    : new Lookup.Found<>(
                        taken.rule().route() + " " + taken.rule().index()));
      }
      assertThat(result.tried())
          .filteredOn(tried -> tried.answer() != RouteSearch.Answer.NO)
          .as("%s: the first that matches is taken, the others stand behind it", request)
          .extracting(RouteSearch.Tried::answer)
          .startsWith(taken == null ? new RouteSearch.Answer[0] : new RouteSearch.Answer[] {TAKEN})
          .filteredOn(answer -> answer != BEHIND)
          .hasSize(taken == null ? 0 : 1);
      assertThat(result.tried()).allSatisfy(tried -> assertThat(tried.why()).isNotBlank());
    }
  }

  /** What a walk finds, unless it finds another route for the path without its parameters. */
  private static Lookup<String> expected(PolicySet set, Asked request) {
    var parts = request.path().split("\\?", 2);
    parts[0] = parts[0].replaceAll(";[^/]*", "");
    var found = walk(set, request);
    var without = walk(
        set,
        new Asked(request.method(), request.host(), String.join("?", parts), request.values()));
    return found.equals(without) || without instanceof Lookup.Unresolved<String>
        ? found
        : new Lookup.Unresolved<>(
            "the path is not normalised, so it may be read in more ways than one");
  }

  private static Lookup<String> walk(PolicySet set, Asked request) {
    var host = request.host().replaceFirst(":\\d+$", "").toLowerCase(Locale.ROOT);
    var best = set.rules().stream()
        .flatMap(rule -> rule.hostnames().stream())
        .filter(name -> name.equals(host) || name.equals("*") || wild(name, host))
        .max(Comparator.<String>comparingInt(name -> name.equals(host) ? 1 : 0)
            .thenComparingInt(String::length));
    if (best.isEmpty()) {
      return new Lookup.Unresolved<>("no route matches");
    }
    AttachedRule winner = null;
    Match winning = null;
    for (var rule : set.rules()) {
      if (!rule.hostnames().contains(best.get())) {
        continue;
      }
      for (var match : rule.rule().matches()) {
        if (holds(match, request)
            && (winner == null || winning == null || beats(rule, match, winner, winning))) {
          winner = rule;
          winning = match;
        }
      }
    }
    return winner == null
        ? new Lookup.Unresolved<>("no route matches")
        : new Lookup.Found<>(winner.route() + " " + winner.index());
  }

  private static boolean wild(String name, String host) {
    return name.startsWith("*.") && host.endsWith(name.substring(1));
  }

  private static boolean beats(AttachedRule rule, Match match, AttachedRule than, Match thanMatch) {
    var ranks = new int[] {
      kind(match) - kind(thanMatch),
      length(match) - length(thanMatch),
      (match.method() == null ? 0 : 1) - (thanMatch.method() == null ? 0 : 1),
      match.headers().size() - thanMatch.headers().size(),
      match.queryParams().size() - thanMatch.queryParams().size(),
      age(than).compareTo(age(rule)),
      than.httpRoute().meta().id().compareTo(rule.httpRoute().meta().id()),
      than.index() - rule.index()
    };
    // Within one rule the first match stays.
    return Arrays.stream(ranks).filter(rank -> rank != 0).findFirst().orElse(-1) > 0;
  }

  private static Instant age(AttachedRule rule) {
    var created = rule.httpRoute().meta().created();
    return created == null ? Instant.MAX : created;
  }

  private static int kind(Match match) {
    return switch (match.path().type()) {
      case EXACT -> 2;
      case REGULAR_EXPRESSION, DISTINCT -> 1;
      case PATH_PREFIX -> 0;
    };
  }

  private static int length(Match match) {
    var path = match.path().value();
    return path.endsWith("/") && kind(match) == 0 ? path.length() - 1 : path.length();
  }

  private static boolean holds(Match match, Asked request) {
    var path = request.path().split("\\?", 2)[0];
    var wanted = match.path().value();
    var pathHolds = switch (match.path().type()) {
      case EXACT -> path.equals(wanted);
      case REGULAR_EXPRESSION, DISTINCT -> Pattern.matches(wanted, path);
      case PATH_PREFIX -> (path + "/").startsWith(wanted.endsWith("/") ? wanted : wanted + "/");
    };
    return pathHolds
        && (match.method() == null || match.method().equals(request.method()))
        && match.headers().stream()
            .allMatch(h -> value(h.match().type(), h.match().value(), request.header(h.name())))
        && match.queryParams().stream()
            .allMatch(q ->
                value(q.match().type(), q.match().value(), parameters(request).get(q.name())));
  }

  private static boolean value(StringMatch.Type type, String wanted, @Nullable String value) {
    return value != null
        && (type == StringMatch.Type.EXACT ? value.equals(wanted) : Pattern.matches(wanted, value));
  }

  private static Map<String, String> parameters(Asked request) {
    var parameters = new LinkedHashMap<String, String>();
    var parts = request.path().split("\\?", 2);
    if (parts.length == 2) {
      for (var parameter : parts[1].split("&")) {
        var pair = parameter.split("=", 2);
        parameters.putIfAbsent(pair[0], pair.length == 2 ? pair[1] : "");
      }
    }
    return parameters;
  }

  private static HttpRoute randomRoute(Random random, int number) {
    var rules = new ArrayList<Rule>();
    for (int i = 0; i < 1 + random.nextInt(4); i++) {
      var matches = new Match[1 + random.nextInt(3)];
      Arrays.setAll(matches, m -> randomMatch(random));
      rules.add(rule("r" + i, matches));
    }
    var created = random.nextBoolean() ? null : Instant.ofEpochSecond(random.nextInt(3));
    var hostnames = random.nextInt(3) == 0 ? List.<String>of() : List.of(pick(random, HOSTS));
    return route(
        meta(Fixtures.GATEWAY_API + "/v1", "HTTPRoute", "shop/" + (9 - number), created, Map.of()),
        List.of(parent("shop/web")),
        hostnames,
        rules.toArray(Rule[]::new));
  }

  private static Match randomMatch(Random random) {
    var match = switch (random.nextInt(4)) {
      case 0 -> exact(randomPath(random));
      case 1 -> regex("/" + pick(random, SEGMENTS) + pick(random, List.of("", "/.*", "[ab]*")));
      default -> prefix(randomPath(random));
    };
    if (random.nextInt(3) == 0) {
      match = method(match, pick(random, METHODS));
    }
    for (int i = random.nextInt(4); i > 1; i--) {
      match = header(match, "x" + i, randomType(random), pick(random, List.of("1", "2")));
    }
    for (int i = random.nextInt(4); i > 1; i--) {
      match = query(match, "q" + i, randomType(random), pick(random, List.of("1", "2")));
    }
    return match;
  }

  private static Asked randomRequest(Random random) {
    var headers = new LinkedHashMap<String, List<String>>();
    var path = new StringBuilder(randomPath(random));
    for (int i = 2; i < 4; i++) {
      if (random.nextBoolean()) {
        headers.put("x" + i, List.of(pick(random, List.of("1", "2"))));
      }
      if (random.nextBoolean()) {
        path.append(path.indexOf("?") < 0 ? '?' : '&')
            .append("q" + i)
            .append(pick(random, List.of("=1", "=2", "", "=")));
      }
    }
    return new Asked(pick(random, METHODS), pick(random, ASKED_HOSTS), path.toString(), headers);
  }

  private static StringMatch.Type randomType(Random random) {
    return random.nextBoolean() ? StringMatch.Type.EXACT : StringMatch.Type.REGULAR_EXPRESSION;
  }

  private static String randomPath(Random random) {
    var path = new StringBuilder();
    for (int i = random.nextInt(4); i > 0; i--) {
      path.append('/').append(pick(random, SEGMENTS));
    }
    return path.isEmpty() || random.nextInt(4) == 0 ? path + "/" : path.toString();
  }

  private static <T> T pick(Random random, List<T> list) {
    return list.get(random.nextInt(list.size()));
  }
}
