package dev.gatehouse.policy.expr;

import dev.cel.runtime.CelVariableResolver;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Variables that a loop asks for again and again. Each is made once; but CEL walks over all that is in it whenever it is asked for, and
 * over an element of a list whenever a loop looks at that, be it at one member only. Both are {@link Work}.
 */
final class Known implements CelVariableResolver {
  private final Variables variables;
  private final Work work;
  private final Map<String, Value> values = new HashMap<>();
  private long heaviest;

  private record Value(Optional<Object> value, long walk) {}

  Known(Variables variables, Work work) {
    this.variables = variables;
    this.work = work;
  }

  @Override
  public Optional<Object> find(String name) {
    var known = values.get(name);
    if (known == null) {
      var value = variables.find(name);
      known = new Value(value, value.map(this::walk).orElse(0L));
      values.put(name, known);
      work.eachCall(heaviest);
    }
    work.take(known.walk);
    return known.value;
  }

  private long walk(Object value) {
    return switch (value) {
      case List<?> list -> {
        var sum = (long) Costs.ELEMENT;
        for (var element : list) {
          var walk = walk(element);
          heaviest = Math.max(heaviest, walk);
          sum += Costs.ELEMENT + walk;
        }
        yield sum;
      }
      case Map<?, ?> map -> {
        var sum = (long) Costs.ELEMENT;
        for (var member : map.values()) {
          sum += Costs.MEMBER + walk(member);
        }
        yield sum;
      }
      default -> 1;
    };
  }
}
