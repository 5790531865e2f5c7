package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.stream.HeaderChanges;
import dev.gatehouse.extproc.stream.HeadersMessage;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A message's headers as the steps so far have made them: the ones that came, and the edits laid over them. Several values of
 * one name stay apart, and bytes stay bytes.
 */
final class HeaderEdits implements NamedEdits.Target {
  private final List<HeaderValue> original;
  private @Nullable Map<String, Edit> edits;

  /** What {@link #all} said last; edits make it void. */
  private @Nullable Map<String, String> known;

  /** @param original null for none */
  HeaderEdits(@Nullable HeadersMessage original) {
    this(original == null ? List.of() : original.headers());
  }

  private HeaderEdits(List<HeaderValue> original) {
    this.original = original;
  }

  /** The same headers with the same edits. */
  HeaderEdits copy() {
    var copy = new HeaderEdits(original);
    if (edits != null) {
      var copied = new LinkedHashMap<String, Edit>();
      edits.forEach((name, edit) -> copied.put(name, edit.copy()));
      copy.edits = copied;
    }
    return copy;
  }

  /** The same headers, when Envoy has been told of the edits: {@link #changes} says only what comes. */
  HeaderEdits gone() {
    if (edits == null) {
      return copy();
    }
    var now = new ArrayList<HeaderValue>();
    for (var header : original) {
      var edit = edits.get(header.getKey());
      if (edit == null || edit.keepsOriginal) {
        now.add(header);
      }
    }
    edits.forEach((name, edit) -> {
      for (var value : edit.added) {
        now.add(HeaderValue.newBuilder().setKey(name).setRawValue(value).build());
      }
    });
    return new HeaderEdits(now);
  }

  @Override
  public void remove(String name) {
    edit(name).clear();
  }

  void set(String name, ByteString value) {
    var edit = edit(name);
    edit.clear();
    edit.added.add(value);
  }

  @Override
  public void set(String name, List<ByteString> values) {
    var edit = edit(name);
    edit.clear();
    edit.added.addAll(values);
  }

  @Override
  public void add(String name, List<ByteString> values) {
    edit(name).added.addAll(values);
  }

  @Override
  public boolean has(String name) {
    return !values(name).isEmpty();
  }

  @Override
  public void rename(String from, String to) {
    var values = values(from);
    if (values.isEmpty() || from.equals(to)) {
      return;
    }
    edit(from).clear();
    var edit = edit(to);
    edit.clear();
    edit.added.addAll(values);
  }

  List<ByteString> values(String name) {
    var edit = edits == null ? null : edits.get(name);
    var values = new ArrayList<ByteString>(2);
    if (edit == null || edit.keepsOriginal) {
      for (var i = 0; i < original.size(); i++) {
        var header = original.get(i);
        if (header.getKey().equals(name)) {
          values.add(HeadersMessage.value(header));
        }
      }
    }
    if (edit != null) {
      values.addAll(edit.added);
    }
    return values;
  }

  /** Several values joined by a comma (RFC 9110 section 5.3); null if there are none. */
  @Nullable
  String joined(String name) {
    String first = null;
    StringBuilder more = null;
    var edit = edits == null ? null : edits.get(name);
    if (edit == null || edit.keepsOriginal) {
      for (var i = 0; i < original.size(); i++) {
        var header = original.get(i);
        if (!header.getKey().equals(name)) {
          continue;
        }
        var value = HeadersMessage.value(header).toStringUtf8();
        if (first == null) {
          first = value;
        } else {
          more = (more == null ? new StringBuilder(first) : more).append(',').append(value);
        }
      }
    }
    if (edit != null) {
      for (var added : edit.added) {
        var value = added.toStringUtf8();
        if (first == null) {
          first = value;
        } else {
          more = (more == null ? new StringBuilder(first) : more).append(',').append(value);
        }
      }
    }
    return more != null ? more.toString() : first;
  }

  /** All but the pseudo-headers, several values joined by a comma. */
  Map<String, String> all() {
    if (known == null) {
      known = gather();
    }
    return known;
  }

  private Map<String, String> gather() {
    var all = new LinkedHashMap<String, String>();
    for (var header : original) {
      put(all, header.getKey());
    }
    if (edits != null) {
      edits.keySet().forEach(name -> put(all, name));
    }
    return all;
  }

  private void put(Map<String, String> all, String name) {
    if (name.startsWith(":") || all.containsKey(name)) {
      return;
    }
    var value = joined(name);
    if (value != null) {
      all.put(name, value);
    }
  }

  boolean isEmpty() {
    return edits == null;
  }

  /** What makes of the original headers what these are. */
  HeaderChanges changes() {
    if (edits == null) {
      return HeaderChanges.NONE;
    }
    var changes = HeaderChanges.builder();
    edits.forEach((name, edit) -> edit.addTo(changes, name));
    return changes.build();
  }

  private Edit edit(String name) {
    known = null;
    if (edits == null) {
      edits = new LinkedHashMap<>();
    }
    return edits.computeIfAbsent(name, key -> new Edit());
  }

  private static final class Edit {
    boolean keepsOriginal = true;
    final List<ByteString> added = new ArrayList<>(1);

    Edit copy() {
      var copy = new Edit();
      copy.keepsOriginal = keepsOriginal;
      copy.added.addAll(added);
      return copy;
    }

    void clear() {
      keepsOriginal = false;
      added.clear();
    }

    void addTo(HeaderChanges.Builder changes, String name) {
      if (!keepsOriginal && added.isEmpty()) {
        changes.remove(name);
        return;
      }
      for (var i = 0; i < added.size(); i++) {
        if (i == 0 && !keepsOriginal) {
          changes.overwrite(name, added.get(i));
        } else {
          changes.append(name, added.get(i));
        }
      }
    }
  }
}
