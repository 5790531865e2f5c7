package dev.gatehouse.cli.explain;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MapEntry;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * Envoy's messages as protobuf JSON with the names of the {@code .proto} files. Only bytes are not in base64 where they are text, so
 * that people can read them and nothing secret hides in them.
 */
final class Protos {
  private Protos() {}

  static Map<String, Object> json(Message message) {
    var json = new LinkedHashMap<String, Object>();
    message
        .getAllFields()
        .forEach((field, value) -> json.put(field.getName(), value(field, value)));
    return json;
  }

  private static Object value(FieldDescriptor field, Object value) {
    if (field.isMapField()) {
      var map = new LinkedHashMap<String, Object>();
      for (var entry : (List<?>) value) {
        var pair = (MapEntry<?, ?>) entry;
        map.put(String.valueOf(pair.getKey()), single(pair.getValue()));
      }
      return map;
    }
    return field.isRepeated()
        ? ((List<?>) value).stream().map(Protos::single).toList()
        : single(value);
  }

  private static Object single(Object value) {
    return switch (value) {
      case ByteString bytes ->
        bytes.isValidUtf8()
            ? bytes.toStringUtf8()
            : Base64.getEncoder().encodeToString(bytes.toByteArray());
      case EnumValueDescriptor constant -> constant.getName();
      case Message message ->
        message.getDescriptorForType().getFullName().startsWith("google.protobuf.")
            ? wellKnown(message)
            : json(message);
      default -> value;
    };
  }

  /** A Struct, a Duration, a BoolValue: these have a JSON of their own. */
  private static Object wellKnown(Message message) {
    try {
      return JsonMapper.shared().readValue(JsonFormat.printer().print(message), Object.class);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("no JSON of a " + message.getClass().getSimpleName(), e);
    }
  }
}
