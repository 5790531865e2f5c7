package dev.gatehouse.extproc.stream;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.gatehouse.policy.expr.Auth;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What ext-authz says of who is calling, read out of its dynamic metadata. */
final class AuthMetadata {
  private AuthMetadata() {}

  /** @return null where it says nothing: it did not allow the request, or was not asked */
  static @Nullable Auth read(@Nullable Struct metadata) {
    var said = metadata == null ? null : metadata.getFieldsMap().get("auth");
    return said == null || !said.hasStructValue() ? null : auth(said.getStructValue());
  }

  private static Auth auth(Struct struct) {
    var fields = struct.getFieldsMap();
    var claims = fields.get("claims");
    var scopes = fields.get("scopes");
    return new Auth(
        Objects.requireNonNullElse(text(fields.get("method")), ""),
        text(fields.get("sub")),
        text(fields.get("iss")),
        scopes == null
            ? List.of()
            : scopes.getListValue().getValuesList().stream()
                .map(Value::getStringValue)
                .toList(),
        claims == null ? Map.of() : PlainValues.of(claims.getStructValue()),
        text(fields.get("plan")));
  }

  private static @Nullable String text(@Nullable Value value) {
    return value == null || !value.hasStringValue() ? null : value.getStringValue();
  }
}
