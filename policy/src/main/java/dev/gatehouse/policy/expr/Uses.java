package dev.gatehouse.policy.expr;

import com.google.common.collect.ImmutableMap;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.cel.common.CelAbstractSyntaxTree;
import dev.cel.common.ast.CelConstant;
import dev.cel.common.ast.CelExpr;
import dev.cel.common.ast.CelExpr.ExprKind.Kind;
import dev.cel.common.navigation.CelNavigableAst;
import dev.cel.common.navigation.CelNavigableExpr;
import dev.gatehouse.policy.attach.Names;
import dev.gatehouse.policy.resource.RegexSize;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;

/**
 * What of a request an expression looks at, found when policies load. An expression that names all the keys it wants of a map, as
 * nearly all do, is later given a map of just these: nobody has to make one of all headers, and CEL, which walks over a map whenever
 * it is handed on, has little to walk over.
 *
 * @param keys by variable, for maps of which only these keys are looked at; other maps are looked at as a whole
 * @param patterns the regular expressions, compiled
 * @param onlyAuth of all variables at most {@code auth} is looked at
 * @param loops does something again and again, for each element of what a client may have made long
 * @param searches calls a function that may cost more than the length of what it is given
 */
record Uses(
    Map<String, List<String>> keys,
    ImmutableMap<String, Pattern> patterns,
    boolean onlyAuth,
    boolean loops,
    boolean searches) {
  private static final String INDEX = "_[_]";
  private static final String IN = "@in";
  private static final String MATCHES = "matches";
  private static final Set<String> SEARCHES =
      Set.of(MATCHES, "contains", "indexOf", "lastIndexOf", "split");

  /** @param problem is told an expression's id and what is wrong there */
  static Uses of(CelAbstractSyntaxTree checked, BiConsumer<Long, String> problem) {
    var keys = new HashMap<String, TreeSet<String>>();
    var whole = new TreeSet<String>();
    var patterns = new HashMap<String, Pattern>();
    var variables = new TreeSet<String>();
    var kinds = EnumSet.noneOf(Kind.class);
    var functions = new TreeSet<String>();
    CelNavigableAst.fromAst(checked).getRoot().allNodes().forEach(node -> {
      kinds.add(node.getKind());
      if (node.getKind() == Kind.CALL) {
        functions.add(node.expr().call().function());
      }
      if (node.getKind() == Kind.IDENT) {
        variables.add(node.expr().ident().name());
      }
      if (node.getKind() == Kind.IDENT
          && Vocabulary.MAPS.contains(node.expr().ident().name())) {
        var map = node.expr().ident().name();
        key(node)
            .ifPresentOrElse(
                key -> {
                  checkKey(map, key, node.id(), problem);
                  keys.computeIfAbsent(map, m -> new TreeSet<>()).add(key);
                },
                () -> {
                  whole.add(map);
                  if (map.equals(Vocabulary.METADATA)) {
                    problem.accept(
                        node.id(),
                        "which metadata is read must stand there (expected: a namespace in quotes, such as metadata['envoy.filters.http.jwt_authn'])");
                  }
                });
      } else if (node.getKind() == Kind.CALL && node.expr().call().function().equals(MATCHES)) {
        pattern(node, patterns, problem);
      }
    });
    whole.forEach(keys::remove);
    var lists = new HashMap<String, List<String>>();
    keys.forEach((map, some) -> lists.put(map, List.copyOf(some)));
    // Every variable but auth and metadata has a dot in its name; one of a comprehension has none.
    boolean onlyAuth = variables.stream()
        .noneMatch(name -> name.indexOf('.') >= 0 || name.equals(Vocabulary.METADATA));
    return new Uses(
        Map.copyOf(lists),
        ImmutableMap.copyOf(patterns),
        onlyAuth,
        kinds.contains(Kind.COMPREHENSION),
        functions.stream().anyMatch(SEARCHES::contains));
  }

  /** Whether one evaluation may cost much more than to read once what it looks at. */
  boolean isCostly() {
    return loops || searches;
  }

  /** The key, where a map is only asked for one that stands in the expression: {@code m['k']}, {@code 'k' in m}, {@code m.k}, {@code has(m.k)}. */
  private static Optional<String> key(CelNavigableExpr map) {
    var parent = map.parent().map(CelNavigableExpr::expr).orElse(null);
    if (parent == null) {
      return Optional.empty();
    }
    return switch (parent.exprKind().getKind()) {
      case SELECT -> Optional.of(parent.select().field());
      case CALL -> {
        var call = parent.call();
        yield switch (call.function()) {
          case INDEX ->
            call.args().get(0).id() == map.id() ? text(call.args().get(1)) : Optional.empty();
          case IN ->
            call.args().get(1).id() == map.id() ? text(call.args().get(0)) : Optional.empty();
          default -> Optional.empty();
        };
      }
      default -> Optional.empty();
    };
  }

  private static void checkKey(String map, String key, long id, BiConsumer<Long, String> problem) {
    if (map.equals(Vocabulary.AUTH) && !Vocabulary.AUTH_KEYS.contains(key)) {
      problem.accept(
          id,
          "auth holds no \"%s\" %s; a token's claims are in auth.claims"
              .formatted(key, Names.thereAre(key, Vocabulary.AUTH_KEYS)));
    }
    if ((map.equals(Vocabulary.HEADERS) || map.equals(Vocabulary.RESPONSE_HEADERS))
        && !key.equals(key.toLowerCase(Locale.ROOT))) {
      problem.accept(
          id,
          "header names are in lower case here: \"%s\" never holds (write \"%s\")"
              .formatted(key, key.toLowerCase(Locale.ROOT)));
    }
  }

  /** A pattern that the request brings would have to be compiled while serving, and would be the client's to choose. */
  private static void pattern(
      CelNavigableExpr node, Map<String, Pattern> patterns, BiConsumer<Long, String> problem) {
    var args = node.expr().call().args();
    var text = text(args.getLast());
    if (text.isEmpty()) {
      problem.accept(node.id(), "the regular expression of matches() must be a plain string");
      return;
    }
    if (RegexSize.of(text.get()) > RegexSize.MAX) {
      problem.accept(
          args.getLast().id(),
          "the regular expression is too large once its repetitions are written out (at most %d steps)"
              .formatted(RegexSize.MAX));
      return;
    }
    try {
      patterns.put(text.get(), Pattern.compile(text.get()));
    } catch (PatternSyntaxException e) {
      problem.accept(
          args.getLast().id(),
          "\"%s\" is no regular expression of RE2: %s".formatted(text.get(), e.getMessage()));
    }
  }

  private static Optional<String> text(CelExpr expr) {
    return expr.exprKind().getKind() == Kind.CONSTANT
            && expr.constant().getKind() == CelConstant.Kind.STRING_VALUE
        ? Optional.of(expr.constant().stringValue())
        : Optional.empty();
  }
}
