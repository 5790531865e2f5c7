package dev.gatehouse.policy.expr;

import dev.cel.common.CelAbstractSyntaxTree;
import dev.cel.common.CelIssue;
import dev.cel.common.CelSource;
import dev.cel.common.CelValidationException;
import dev.cel.common.ast.CelExpr.ExprKind.Kind;
import dev.cel.common.navigation.CelNavigableAst;
import dev.cel.common.types.CelKind;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelVariableResolver;
import dev.cel.runtime.Program;
import dev.gatehouse.policy.attach.Names;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One CEL expression, compiled. Thread-safe. */
final class Expression {
  private final String text;
  private final Program program;
  private final Uses uses;
  private final Reads reads;

  private Expression(String text, Program program, Uses uses, Reads reads) {
    this.text = text;
    this.program = program;
    this.uses = uses;
    this.reads = reads;
  }

  /**
   * Compiles.
   *
   * @param expected the types that the result may have; {@code dyn}, which only evaluating tells, is always let through
   * @param named how the expected types are called in an error
   * @return null with the problem said
   */
  static @Nullable Expression compile(
      String text,
      Place place,
      Set<CelKind> expected,
      String named,
      Origin origin,
      String path,
      Problems problems) {
    var vocabulary = Vocabulary.of(place);
    var errors = problems.errors();
    CelAbstractSyntaxTree parsed = null;
    try {
      parsed = vocabulary.compiler().parse(text).getAst();
      var checked = vocabulary.compiler().check(parsed).getAst();
      var source = checked.getSource();
      var uses =
          Uses.of(checked, (id, what) -> problems.error(origin, path, what + at(text, source, id)));
      var kind = checked.getResultType().kind();
      if (kind != CelKind.DYN && !expected.contains(kind)) {
        problems.error(
            origin,
            path,
            "`%s` is of type %s (expected: %s)"
                .formatted(text, checked.getResultType().name(), named));
      }
      return problems.errors() > errors
          ? null
          : new Expression(text, Programs.of(checked, uses), uses, Reads.of(parsed));
    } catch (CelValidationException e) {
      for (var issue : e.getErrors()) {
        problems.error(origin, path, explain(issue, parsed, vocabulary) + at(text, issue));
      }
    } catch (CelEvaluationException e) {
      problems.error(origin, path, "`%s` cannot be planned: %s".formatted(text, e.getMessage()));
    }
    return null;
  }

  Object evaluate(RequestFacts request) throws EvaluationException {
    return uses.isCostly() ? bounded(request) : evaluate(new Variables(request, uses));
  }

  private Object bounded(RequestFacts request) throws EvaluationException {
    var variables = new Variables(request, uses);
    var work = Work.begin(request.work());
    try {
      return evaluate(uses.loops() ? new Known(variables, work) : variables);
    } catch (Work.Spent e) {
      throw new EvaluationException("`%s` cannot be evaluated: %s".formatted(text, e.why()));
    }
  }

  private Object evaluate(CelVariableResolver variables) throws EvaluationException {
    try {
      return program.eval(variables);
    } catch (CelEvaluationException e) {
      // Not CEL's own message: it may quote what the client sent.
      throw new EvaluationException(
          "`%s` cannot be evaluated: %s".formatted(text, Lesson.of(e.getErrorCode())));
    }
  }

  /** Whether of all variables it looks at {@code auth} at most. */
  boolean onlyAuth() {
    return uses.onlyAuth();
  }

  Reads reads() {
    return reads;
  }

  @Override
  public String toString() {
    return text;
  }

  /** Says of a name that is not there what there is; of the rest what CEL says. */
  private static String explain(
      CelIssue issue, @Nullable CelAbstractSyntaxTree parsed, Vocabulary vocabulary) {
    if (parsed == null || !issue.getMessage().startsWith("undeclared reference")) {
      return Lesson.of(issue.getMessage());
    }
    return CelNavigableAst.fromAst(parsed)
        .getRoot()
        .allNodes()
        .filter(node -> node.id() == issue.getExprId())
        .filter(node -> node.getKind() == Kind.IDENT || node.getKind() == Kind.CALL)
        .findFirst()
        .map(node -> {
          if (node.getKind() == Kind.CALL) {
            return Lesson.noFunction(node.expr().call().function());
          }
          var name = new StringBuilder(node.expr().ident().name());
          node.parent()
              .filter(parent -> parent.getKind() == Kind.SELECT)
              .ifPresent(
                  parent -> name.append('.').append(parent.expr().select().field()));
          return "nothing is called \"%s\" here %s"
              .formatted(name, thereAre(name.toString(), vocabulary));
        })
        .orElse(issue.getMessage());
  }

  private static String thereAre(String name, Vocabulary vocabulary) {
    return name.startsWith("response.") && !vocabulary.names().contains("response.code")
        ? "(the response comes later: response steps of a TransformPolicy see it)"
        : Names.thereAre(name, vocabulary.names());
  }

  private static String at(String text, CelIssue issue) {
    var location = issue.getSourceLocation();
    return at(text, location.getLine(), location.getColumn());
  }

  private static String at(String text, CelSource source, long id) {
    var offset = source.getPositionsMap().get(id);
    return offset == null
        ? at(text, 1, 0)
        : source
            .getOffsetLocation(offset)
            .map(location -> at(text, location.getLine(), location.getColumn()))
            .orElseGet(() -> at(text, 1, 0));
  }

  /** CEL counts columns from 0. */
  private static String at(String text, int line, int column) {
    return text.contains("\n")
        ? ", in line %d, column %d of the expression".formatted(line, column + 1)
        : ", in column %d of `%s`".formatted(column + 1, text);
  }
}
