package dev.gatehouse.policy.expr;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.re2j.Pattern;
import dev.cel.common.CelAbstractSyntaxTree;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelFunctionBinding;
import dev.cel.runtime.CelRuntime;
import dev.cel.runtime.CelRuntimeFactory;
import dev.cel.runtime.CelStandardFunctions;
import dev.cel.runtime.CelStandardFunctions.StandardFunction;
import dev.cel.runtime.Program;

/**
 * Makes programs of checked expressions. CEL's own {@code matches} compiles its pattern at each call; ours finds it compiled. A program
 * that may cost more than the length of what it looks at is made of functions that {@linkplain Costs spend}.
 */
final class Programs {
  private static final ImmutableList<CelFunctionBinding> SPENDING = Costs.functions();
  private static final CelRuntime PLAIN = CelRuntimeFactory.plannerRuntimeBuilder()
      .setOptions(Vocabulary.OPTIONS)
      .addLibraries(Vocabulary.STRINGS)
      .build();
  private static final CelRuntime WITHOUT_PATTERNS = bounded(ImmutableMap.of());

  private Programs() {}

  static Program of(CelAbstractSyntaxTree checked, Uses uses) throws CelEvaluationException {
    if (!uses.isCostly()) {
      return PLAIN.createProgram(checked);
    }
    var runtime = uses.patterns().isEmpty() ? WITHOUT_PATTERNS : bounded(uses.patterns());
    return runtime.createProgram(checked);
  }

  private static CelRuntime bounded(ImmutableMap<String, Pattern> patterns) {
    return CelRuntimeFactory.plannerRuntimeBuilder()
        .setOptions(Vocabulary.OPTIONS)
        .setStandardFunctions(CelStandardFunctions.newBuilder()
            .excludeFunctions(StandardFunction.values())
            .build())
        .addFunctionBindings(SPENDING)
        .addFunctionBindings(CelFunctionBinding.fromOverloads(
            "matches",
            CelFunctionBinding.from(
                "matches",
                String.class,
                String.class,
                (text, regex) -> find(patterns, text, regex)),
            CelFunctionBinding.from(
                "matches_string",
                String.class,
                String.class,
                (text, regex) -> find(patterns, text, regex))))
        .build();
  }

  /** Anywhere in the text, as CEL defines it. */
  private static boolean find(ImmutableMap<String, Pattern> patterns, String text, String regex) {
    var pattern = patterns.get(regex);
    if (pattern == null) {
      throw new IllegalStateException("a pattern that was not there when policies were loaded");
    }
    Costs.matching(text, pattern.programSize());
    return pattern.matcher(text).find();
  }
}
