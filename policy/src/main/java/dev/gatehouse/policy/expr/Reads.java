package dev.gatehouse.policy.expr;

import dev.cel.common.CelAbstractSyntaxTree;
import dev.cel.common.ast.CelConstant;
import dev.cel.common.ast.CelExpr;
import dev.cel.common.ast.CelExpr.ExprKind.Kind;
import dev.cel.common.navigation.CelNavigableAst;
import dev.cel.common.navigation.CelNavigableExpr;
import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What expressions and templates look at, by what is written in them: for whoever plans what a proxy has to send, and never while
 * serving.
 *
 * @param names variables with the members that are named behind them, such as {@code request.headers} and {@code auth.claims.plan}
 * @param namespaces of {@code metadata['namespace']}
 */
public record Reads(SortedSet<String> names, SortedSet<String> namespaces) {
  private static final String METADATA = "metadata";
  private static final String INDEX = "_[_]";
  private static final String IN = "@in";

  /** Looks at nothing. */
  public static final Reads NOTHING =
      new Reads(Collections.emptySortedSet(), Collections.emptySortedSet());

  /** Of an expression, as it was parsed. */
  static Reads of(CelAbstractSyntaxTree parsed) {
    var names = new TreeSet<String>();
    var namespaces = new TreeSet<String>();
    CelNavigableAst.fromAst(parsed)
        .getRoot()
        .allNodes()
        .filter(node -> node.getKind() == Kind.IDENT)
        .forEach(node -> {
          names.add(path(node));
          if (node.expr().ident().name().equals(METADATA)) {
            namespace(node, namespaces);
          }
        });
    return of(names, namespaces);
  }

  private static Reads of(SortedSet<String> names, SortedSet<String> namespaces) {
    return names.isEmpty()
        ? NOTHING
        : new Reads(
            Collections.unmodifiableSortedSet(names),
            Collections.unmodifiableSortedSet(namespaces));
  }

  private static String path(CelNavigableExpr variable) {
    var path = new StringBuilder(variable.expr().ident().name());
    for (var parent = variable.parent().orElse(null);
        parent != null && parent.getKind() == Kind.SELECT;
        parent = parent.parent().orElse(null)) {
      path.append('.').append(parent.expr().select().field());
    }
    return path.toString();
  }

  private static void namespace(CelNavigableExpr metadata, SortedSet<String> namespaces) {
    metadata.parent().map(CelNavigableExpr::expr).ifPresent(parent -> {
      switch (parent.exprKind().getKind()) {
        case SELECT -> namespaces.add(parent.select().field());
        case CALL -> {
          var call = parent.call();
          if (call.function().equals(INDEX)) {
            namespace(call.args().get(1), namespaces);
          } else if (call.function().equals(IN)) {
            namespace(call.args().get(0), namespaces);
          }
        }
        default -> {}
      }
    });
  }

  private static void namespace(CelExpr key, SortedSet<String> namespaces) {
    if (key.exprKind().getKind() == Kind.CONSTANT
        && key.constant().getKind() == CelConstant.Kind.STRING_VALUE) {
      namespaces.add(key.constant().stringValue());
    }
  }

  /** Whether it looks at a variable, or at anything of it: {@code reads("request.headers")}, {@code reads("request")}. */
  public boolean reads(String variable) {
    return names.stream()
        .anyMatch(name -> name.equals(variable) || name.startsWith(variable + "."));
  }

  public Reads and(Reads other) {
    if (other.names.isEmpty()) {
      return this;
    }
    var bothNames = new TreeSet<>(names);
    bothNames.addAll(other.names);
    var bothNamespaces = new TreeSet<>(namespaces);
    bothNamespaces.addAll(other.namespaces);
    return of(bothNames, bothNamespaces);
  }
}
