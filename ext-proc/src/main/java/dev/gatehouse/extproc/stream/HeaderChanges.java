package dev.gatehouse.extproc.stream;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A {@code HeaderMutation}, serialised. Envoy runs removals before sets, reads only {@code raw_value}, and heeds only the
 * deprecated {@code append}; {@code append_action} is set alike.
 */
public final class HeaderChanges {
  public static final HeaderChanges NONE = new HeaderChanges(List.of(), new byte[0]);

  private static final int APPEND = 0;
  private static final int OVERWRITE = 2;

  private final List<Change> changes;
  private final byte[] mutation;

  private HeaderChanges(List<Change> changes, byte[] mutation) {
    this.changes = changes;
    this.mutation = mutation;
  }

  /** @param value null for a removal */
  private record Change(String name, @Nullable ByteString value, int action) {}

  public static Builder builder() {
    return new Builder();
  }

  public boolean isEmpty() {
    return mutation.length == 0;
  }

  /** The fields of the serialised {@code HeaderMutation}. */
  byte[] mutation() {
    return mutation;
  }

  /** These, and then others. Envoy runs all removals first, so what the others remove is not set by these any more. */
  public HeaderChanges and(HeaderChanges others) {
    if (isEmpty() || others.isEmpty()) {
      return isEmpty() ? others : this;
    }
    var all = new ArrayList<Change>(changes.size() + others.changes.size());
    for (var change : changes) {
      if (change.value == null || !others.removes(change.name)) {
        all.add(change);
      }
    }
    var nothingIsVoid = all.size() == changes.size();
    all.addAll(others.changes);
    if (!nothingIsVoid) {
      return of(all);
    }
    var out = new BackwardsProto(mutation.length + others.mutation.length);
    out.raw(others.mutation);
    out.raw(mutation);
    return new HeaderChanges(all, out.toBytes());
  }

  boolean removes(String name) {
    for (var i = 0; i < changes.size(); i++) {
      if (changes.get(i).value == null && changes.get(i).name.equals(name)) {
        return true;
      }
    }
    return false;
  }

  private static HeaderChanges of(List<Change> changes) {
    var size = 16;
    for (var change : changes) {
      size += change.name.length() + (change.value == null ? 0 : change.value.size()) + 24;
    }
    var out = new BackwardsProto(size);
    for (var i = changes.size() - 1; i >= 0; i--) {
      var change = changes.get(i);
      if (change.value == null) {
        out.string(2, change.name);
      } else {
        option(out, change.name, change.value, change.action);
      }
    }
    return new HeaderChanges(changes, out.toBytes());
  }

  /** These and one more header, overwritten. */
  HeaderChanges andOverwrite(String name, ByteString value) {
    var out = new BackwardsProto(mutation.length + name.length() + value.size() + 32);
    out.raw(mutation);
    option(out, name, value, OVERWRITE);
    var all = new ArrayList<>(changes);
    all.add(new Change(name, value, OVERWRITE));
    return new HeaderChanges(all, out.toBytes());
  }

  private static void option(BackwardsProto out, String name, ByteString value, int action) {
    var option = out.mark();
    if (action != APPEND) {
      out.number(3, action);
    }
    var append = out.mark();
    if (action == APPEND) {
      out.number(1, 1);
    }
    out.message(2, append);
    var header = out.mark();
    out.bytes(3, value);
    out.string(1, name);
    out.message(1, header);
    out.message(1, option);
  }

  /** Collects changes; a name should be either removed, or overwritten once and appended to, in this order. */
  public static final class Builder {
    private final List<Change> changes = new ArrayList<>();

    public Builder remove(String name) {
      return add(new Change(name, null, OVERWRITE));
    }

    /** Replaces whatever values there are. */
    public Builder overwrite(String name, ByteString value) {
      return add(new Change(name, value, OVERWRITE));
    }

    public Builder overwrite(String name, String value) {
      return overwrite(name, ByteString.copyFromUtf8(value));
    }

    /** Leaves the values there are, and adds one. */
    public Builder append(String name, ByteString value) {
      return add(new Change(name, value, APPEND));
    }

    private Builder add(Change change) {
      changes.add(change);
      return this;
    }

    public HeaderChanges build() {
      return changes.isEmpty() ? NONE : of(List.copyOf(changes));
    }
  }
}
