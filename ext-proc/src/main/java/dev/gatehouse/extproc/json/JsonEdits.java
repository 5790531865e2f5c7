package dev.gatehouse.extproc.json;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Changes of a JSON text, made in order by splicing: every byte that no edit names stays as it was — numbers, escapes, white space,
 * the order of members, duplicates. An edit of a member that occurs twice changes both: readers differ in which one they take.
 *
 * <p>Edits that cannot meet are made in one walk.
 */
public final class JsonEdits {
  private final List<JsonPass> passes;

  private JsonEdits(List<JsonPass> passes) {
    this.passes = passes;
  }

  public static JsonEdits of(List<JsonEdit> edits) {
    var passes = new ArrayList<JsonPass>();
    var group = new ArrayList<JsonEdit>();
    for (var edit : edits) {
      if (!fits(edit, group)) {
        passes.add(new JsonPass(group));
        group.clear();
      }
      group.add(edit);
    }
    if (!group.isEmpty()) {
      passes.add(new JsonPass(group));
    }
    return new JsonEdits(List.copyOf(passes));
  }

  /**
   * The changed text; the very same array if nothing changed.
   *
   * @throws UnprocessableBody when it is no JSON text, or an edit cannot be made
   */
  public byte[] apply(byte[] json) throws UnprocessableBody {
    var text = json;
    for (var pass : passes) {
      text = pass.run(text);
    }
    return text;
  }

  private static boolean fits(JsonEdit edit, List<JsonEdit> group) {
    if (group.isEmpty()) {
      return true;
    }
    return group.size() < JsonPass.MAX_EDITS
        && walksAlong(edit)
        && group.stream().allMatch(other -> walksAlong(other) && !meet(edit.at(), other.at()));
  }

  private static boolean walksAlong(JsonEdit edit) {
    return edit instanceof JsonEdit.Mask || edit instanceof JsonEdit.Remove;
  }

  /** Whether one of the places may be inside the other. */
  private static boolean meet(JsonPath one, JsonPath other) {
    var common = Math.min(one.length(), other.length());
    for (var i = 0; i < common; i++) {
      var a = one.token(i);
      var b = other.token(i);
      if (!a.isAny() && !b.isAny() && !Arrays.equals(a.utf8(), b.utf8())) {
        return false;
      }
    }
    return true;
  }
}
