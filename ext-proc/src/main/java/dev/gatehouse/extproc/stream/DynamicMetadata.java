package dev.gatehouse.extproc.stream;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import java.util.Arrays;

/**
 * What is told to the filters after ext_proc, and to the access log ({@code ProcessingResponse.dynamic_metadata}). Envoy takes only
 * the namespaces that {@code metadata_options.receiving_namespaces.untyped} names, and merges each into what is there.
 */
public final class DynamicMetadata {
  public static final DynamicMetadata NONE = new DynamicMetadata(Struct.getDefaultInstance());

  private static final int FIELD = 8;

  private final Struct namespaces;
  private final boolean empty;

  private DynamicMetadata(Struct namespaces) {
    this.namespaces = namespaces;
    this.empty = namespaces.getFieldsCount() == 0;
  }

  /** One text. */
  public static DynamicMetadata of(String namespace, String key, String text) {
    var value = Value.newBuilder().setStringValue(text).build();
    return of(namespace, Struct.newBuilder().putFields(key, value).build());
  }

  public static DynamicMetadata of(String namespace, Struct fields) {
    return new DynamicMetadata(Struct.newBuilder()
        .putFields(namespace, Value.newBuilder().setStructValue(fields).build())
        .build());
  }

  public boolean isEmpty() {
    return empty;
  }

  /** These and others; of a key that both have, the others' value. */
  public DynamicMetadata and(DynamicMetadata others) {
    if (isEmpty() || others.isEmpty()) {
      return isEmpty() ? others : this;
    }
    var all = namespaces.toBuilder();
    others.namespaces.getFieldsMap().forEach((namespace, fields) -> {
      var both =
          namespaces
              .getFieldsOrDefault(namespace, Value.getDefaultInstance())
              .getStructValue()
              .toBuilder()
              .putAllFields(fields.getStructValue().getFieldsMap());
      all.putFields(namespace, Value.newBuilder().setStructValue(both).build());
    });
    return new DynamicMetadata(all.build());
  }

  /** A serialised answer that tells this, too. */
  byte[] beside(byte[] answer) {
    var out = new BackwardsProto(namespaces.getSerializedSize() + 8);
    out.bytes(FIELD, namespaces.toByteArray());
    var field = out.toBytes();
    var both = Arrays.copyOf(answer, answer.length + field.length);
    System.arraycopy(field, 0, both, answer.length, field.length);
    return both;
  }
}
