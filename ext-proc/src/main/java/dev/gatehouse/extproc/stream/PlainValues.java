package dev.gatehouse.extproc.stream;

import com.google.protobuf.ListValue;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Structs as plain Java, as conditions see them: texts, doubles, booleans, maps and lists. Nulls are left out: what is null is not there. */
public final class PlainValues {
  private PlainValues() {}

  /** The fields, in their order. */
  public static Map<String, Object> of(Struct struct) {
    var map = new LinkedHashMap<String, Object>();
    struct.getFieldsMap().forEach((name, value) -> {
      var plain = of(value);
      if (plain != null) {
        map.put(name, plain);
      }
    });
    return map;
  }

  private static List<Object> of(ListValue list) {
    var all = new ArrayList<Object>();
    for (var value : list.getValuesList()) {
      var plain = of(value);
      if (plain != null) {
        all.add(plain);
      }
    }
    return all;
  }

  private static @Nullable Object of(Value value) {
    return switch (value.getKindCase()) {
      case STRING_VALUE -> value.getStringValue();
      case NUMBER_VALUE -> value.getNumberValue();
      case BOOL_VALUE -> value.getBoolValue();
      case STRUCT_VALUE -> of(value.getStructValue());
      case LIST_VALUE -> of(value.getListValue());
      case NULL_VALUE, KIND_NOT_SET -> null;
    };
  }
}
