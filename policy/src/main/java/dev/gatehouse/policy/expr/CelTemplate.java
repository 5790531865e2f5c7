package dev.gatehouse.policy.expr;

import com.google.common.primitives.UnsignedLong;
import java.math.BigDecimal;
import java.util.List;
import java.util.function.UnaryOperator;

/** A text in parts: those that are always the same, and those that each request fills in. */
record CelTemplate(List<Part> parts) implements Template {
  sealed interface Part {}

  record Literal(String text) implements Part {}

  record Code(Expression expression) implements Part {}

  /** A template that renders without copying where there is nothing to put together. */
  static Template of(List<Part> parts) {
    return switch (parts.size()) {
      case 0 -> new Constant("");
      case 1 ->
        switch (parts.getFirst()) {
          case Literal(var text) -> new Constant(text);
          case Code(var expression) -> new Single(expression);
        };
      default -> new CelTemplate(List.copyOf(parts));
    };
  }

  private record Constant(String text) implements Template {
    @Override
    public String render(RequestFacts request) {
      return text;
    }

    @Override
    public String render(RequestFacts request, UnaryOperator<String> escape) {
      return text;
    }

    @Override
    public String literals() {
      return text;
    }

    @Override
    public boolean sameForCaller() {
      return true;
    }

    @Override
    public Reads reads() {
      return Reads.NOTHING;
    }
  }

  private record Single(Expression expression) implements Template {
    @Override
    public String render(RequestFacts request) throws EvaluationException {
      return text(expression, request);
    }

    @Override
    public String render(RequestFacts request, UnaryOperator<String> escape)
        throws EvaluationException {
      return escape.apply(text(expression, request));
    }

    @Override
    public String literals() {
      return "";
    }

    @Override
    public boolean sameForCaller() {
      return expression.onlyAuth();
    }

    @Override
    public Reads reads() {
      return expression.reads();
    }
  }

  @Override
  public String render(RequestFacts request) throws EvaluationException {
    return render(request, UnaryOperator.identity());
  }

  @Override
  public String render(RequestFacts request, UnaryOperator<String> escape)
      throws EvaluationException {
    var text = new StringBuilder();
    for (int i = 0; i < parts.size(); i++) {
      text.append(
          switch (parts.get(i)) {
            case Literal(var literal) -> literal;
            case Code(var expression) -> escape.apply(text(expression, request));
          });
    }
    return text.toString();
  }

  @Override
  public String literals() {
    var text = new StringBuilder();
    for (var part : parts) {
      if (part instanceof Literal(var literal)) {
        text.append(literal);
      }
    }
    return text.toString();
  }

  @Override
  public Reads reads() {
    var reads = Reads.NOTHING;
    for (var part : parts) {
      reads = part instanceof Code(var expression) ? reads.and(expression.reads()) : reads;
    }
    return reads;
  }

  @Override
  public boolean sameForCaller() {
    return parts.stream()
        .allMatch(part -> !(part instanceof Code(var expression)) || expression.onlyAuth());
  }

  private static String text(Expression expression, RequestFacts request)
      throws EvaluationException {
    return switch (expression.evaluate(request)) {
      case String text -> text;
      case Boolean bool -> bool.toString();
      case Long number -> number.toString();
      case UnsignedLong number -> number.toString();
      case Double number when Double.isFinite(number) -> plain(number);
      default ->
        throw new EvaluationException("`" + expression + "` yields no string, number or bool");
    };
  }

  /** A claim's {@code 12345678} is a double by the time it comes here, and must not become {@code 1.2345678E7}. */
  private static String plain(double number) {
    if (number == Math.rint(number) && Math.abs(number) < 1e15) {
      return Long.toString((long) number);
    }
    return BigDecimal.valueOf(number).stripTrailingZeros().toPlainString();
  }
}
