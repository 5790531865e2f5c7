package dev.gatehouse.policy.expr;

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

/** Makes programs of checked expressions. CEL's own {@code matches} compiles its pattern at each call; ours finds it compiled. */
final class Programs {
  private static final CelRuntime WITHOUT_PATTERNS = runtime(ImmutableMap.of());

  private Programs() {}

  static Program of(CelAbstractSyntaxTree checked, Uses uses) throws CelEvaluationException {
    var runtime = uses.patterns().isEmpty() ? WITHOUT_PATTERNS : runtime(uses.patterns());
    return runtime.createProgram(checked);
  }

  private static CelRuntime runtime(ImmutableMap<String, Pattern> patterns) {
    return CelRuntimeFactory.plannerRuntimeBuilder()
        .setOptions(Vocabulary.OPTIONS)
        .setStandardFunctions(CelStandardFunctions.newBuilder()
            .excludeFunctions(StandardFunction.MATCHES)
            .build())
        .addLibraries(Vocabulary.STRINGS)
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
    return pattern.matcher(text).find();
  }
}
