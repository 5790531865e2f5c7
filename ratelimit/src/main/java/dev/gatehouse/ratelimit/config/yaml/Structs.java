package dev.gatehouse.ratelimit.config.yaml;

import com.google.protobuf.ListValue;
import com.google.protobuf.NullValue;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Java's maps, lists, texts, doubles, booleans and null as protobuf has them. */
final class Structs {
  private Structs() {}

  static Struct of(Map<?, ?> map) {
    var struct = Struct.newBuilder();
    map.forEach((name, value) -> struct.putFields(String.valueOf(name), value(value)));
    return struct.build();
  }

  private static Value value(@Nullable Object value) {
    var proto = Value.newBuilder();
    return switch (value) {
      case null -> proto.setNullValue(NullValue.NULL_VALUE).build();
      case Map<?, ?> map -> proto.setStructValue(of(map)).build();
      case List<?> list -> {
        var values = ListValue.newBuilder();
        list.forEach(item -> values.addValues(value(item)));
        yield proto.setListValue(values).build();
      }
      case Double number -> proto.setNumberValue(number).build();
      case Boolean bool -> proto.setBoolValue(bool).build();
      default -> proto.setStringValue(value.toString()).build();
    };
  }
}
