package dev.gatehouse.policy.expr;

import com.google.common.collect.FluentIterable;
import com.google.common.collect.ImmutableList;
import dev.cel.common.values.CelByteString;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelFunctionBinding;
import dev.cel.runtime.CelFunctionOverload;
import dev.cel.runtime.CelRuntimeBuilder;
import dev.cel.runtime.CelStandardFunctions;
import dev.cel.runtime.CelStandardFunctions.StandardFunction;
import dev.cel.runtime.RuntimeEquality;
import dev.cel.runtime.RuntimeHelpers;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** CEL's functions, each of which first spends of the {@link Work} what it is about to cost. */
final class Costs {
  /** Of any call, beside what it looks at. */
  private static final int CALL = 30;

  /** Of an element of a list. */
  static final int ELEMENT = 5;

  /** Of a member of a map, which CEL copies. */
  static final int MEMBER = 20;

  /** Of a failure: a stack trace, or several. */
  private static final int FAILURE = 2000;

  private Costs() {}

  /** All of CEL's own but {@code matches}, and those of {@link Vocabulary#STRINGS}. */
  static ImmutableList<CelFunctionBinding> functions() {
    var all = ImmutableList.<CelFunctionBinding>builder();
    var equality = RuntimeEquality.create(RuntimeHelpers.create(), Vocabulary.OPTIONS);
    for (var function : StandardFunction.values()) {
      if (function != StandardFunction.MATCHES) {
        var only = CelStandardFunctions.newBuilder().includeFunctions(function).build();
        all.addAll(
            spending(only.newFunctionBindings(equality, Vocabulary.OPTIONS).asList()));
      }
    }
    Vocabulary.STRINGS.setRuntimeOptions(builder(group -> all.addAll(spending(group))));
    return all.build();
  }

  /** What a library of functions can be asked for is only to tell a builder of them: function after function. */
  private static CelRuntimeBuilder builder(Consumer<List<CelFunctionBinding>> functions) {
    return (CelRuntimeBuilder) Proxy.newProxyInstance(
        Costs.class.getClassLoader(),
        new Class<?>[] {CelRuntimeBuilder.class},
        (builder, method, args) -> {
          functions.accept(FluentIterable.from((Iterable<?>) args[0])
              .filter(CelFunctionBinding.class)
              .toList());
          return builder;
        });
  }

  /**
   * Of a regular expression on a text, which takes linear time.
   *
   * @param size of its program; at each character some of that is run
   */
  static void matching(String text, int size) {
    Work.call(CALL + text.length() * (4 + size / 16L));
  }

  /** @param group the overloads of one function, and at the end what its name alone stands for */
  private static Iterable<CelFunctionBinding> spending(List<CelFunctionBinding> group) {
    var name = group.getLast().getOverloadId();
    var overloads = new ArrayList<CelFunctionBinding>();
    for (var binding : group) {
      if (!binding.getOverloadId().equals(name)) {
        overloads.add(spending(binding));
      }
    }
    return CelFunctionBinding.fromOverloads(name, overloads);
  }

  @SuppressWarnings("unchecked") // a binding is given what it takes
  private static CelFunctionBinding spending(CelFunctionBinding function) {
    var id = function.getOverloadId();
    var types = function.getArgTypes();
    var definition = function.getDefinition();
    var made = switch (types.size()) {
      case 1 ->
        CelFunctionBinding.from(id, (Class<Object>) types.get(0), a -> call(id, definition, a));
      case 2 ->
        CelFunctionBinding.from(
            id,
            (Class<Object>) types.get(0),
            (Class<Object>) types.get(1),
            (a, b) -> call(id, definition, a, b));
      default -> CelFunctionBinding.from(id, types, args -> call(id, definition, args));
    };
    return new Spending(id, types, made.getDefinition(), function.isStrict());
  }

  private record Spending(
      String getOverloadId,
      ImmutableList<Class<?>> getArgTypes,
      CelFunctionOverload getDefinition,
      boolean isStrict)
      implements CelFunctionBinding {}

  private static Object call(String id, CelFunctionOverload function, Object... args)
      throws CelEvaluationException {
    Work.call(CALL + cost(id, args));
    if (id.equals("contains_string")) {
      return Search.contains((String) args[0], (String) args[1]);
    }
    try {
      return function.apply(args);
    } catch (RuntimeException | CelEvaluationException e) {
      Work.call(FAILURE);
      throw e;
    }
  }

  private static long cost(String id, Object[] args) {
    return switch (id) {
      case "equals", "not_equals", "in_list" -> compared(args[0], args[1]);
      case "string_index_of_string",
          "string_index_of_string_int",
          "string_last_index_of_string",
          "string_last_index_of_string_int",
          "string_split_string",
          "string_split_string_int" -> 3L * length(args[0]) * Math.max(1, length(args[1]));
      case "contains_string" -> 3 * sizes(args);
      // Each loop that makes a list copies at each step what it has made.
      case "add_list" -> 4 * sizes(args);
      case "not_strictly_false" -> args[0] instanceof Boolean ? 0 : FAILURE;
      default -> sizes(args);
    };
  }

  private static long compared(Object one, Object other) {
    if (one instanceof String a && other instanceof String b) {
      return Math.min(a.length(), b.length()) / 8;
    }
    return weight(one) + weight(other);
  }

  private static long weight(Object value) {
    return switch (value) {
      case String text -> 1 + text.length() / 8;
      case List<?> list -> {
        var sum = (long) ELEMENT;
        for (var element : list) {
          sum += ELEMENT + weight(element);
        }
        yield sum;
      }
      case Map<?, ?> map -> {
        var sum = (long) ELEMENT;
        for (var entry : map.entrySet()) {
          sum += MEMBER + weight(entry.getKey()) + weight(entry.getValue());
        }
        yield sum;
      }
      default -> 1;
    };
  }

  private static long sizes(Object[] args) {
    var sum = 0L;
    for (var arg : args) {
      sum += length(arg);
    }
    return sum;
  }

  private static long length(Object value) {
    return switch (value) {
      case String text -> text.length();
      case CelByteString bytes -> bytes.size();
      case List<?> list -> (long) ELEMENT * list.size();
      case Map<?, ?> map -> (long) MEMBER * map.size();
      default -> 1;
    };
  }
}
