package dev.gatehouse.extproc.json;

import dev.gatehouse.extproc.json.JsonPath.Token;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Changes of a JSON text, made in order by splicing: every byte that no edit names stays as it was — numbers, escapes, white space,
 * the order of members, duplicates. An edit of a member that occurs twice changes both: readers differ in which one they take.
 *
 * <p>Compiled once: edits that cannot disturb each other are made in one walk, whose elements are counted as they came.
 */
public final class JsonEdits {
  private static final byte[][] NO_VALUES = {};

  /** How much a text may grow, beside thrice its length. */
  private static final int GROWTH = 1 << 20;

  /** Looks for nothing. */
  private static final JsonMatcher NOTHING = Objects.requireNonNull(JsonMatcher.of(List.of()));

  private final List<Pass> passes;
  private final int slots;
  private final byte[][] values;

  /** One walk, or the three of a move. */
  private sealed interface Pass {}

  private record Walk(JsonMatcher matcher) implements Pass {}

  private record Moving(
      JsonEdit.Move move, JsonMatcher finds, JsonMatcher removes, JsonMatcher puts)
      implements Pass {}

  private JsonEdits(List<Pass> passes, int slots, byte[][] values) {
    this.passes = passes;
    this.slots = slots;
    this.values = values;
  }

  /** @throws IllegalArgumentException for a path that would need too large a matcher */
  public static JsonEdits of(List<JsonEdit> edits) {
    var passes = new ArrayList<Pass>();
    var group = new ArrayList<JsonEdit>();
    for (var edit : edits) {
      if (!group.stream().allMatch(other -> goTogether(other, edit))) {
        walks(group, passes);
        group.clear();
      }
      switch (edit) {
        case JsonEdit.Move move when move.needsWholeBody().isEmpty() -> {}
        case JsonEdit.Move move -> {
          walks(group, passes);
          group.clear();
          passes.add(moving(move));
        }
        case JsonEdit.Merge merge -> {
          walks(group, passes);
          group.clear();
          passes.add(new Walk(JsonMatcher.merges(merge)));
        }
        default -> group.add(edit);
      }
    }
    walks(group, passes);
    return new JsonEdits(List.copyOf(passes), slots(edits), NO_VALUES);
  }

  /** @throws UnprocessableBody if it is not one JSON text, as strictly as if it were edited */
  public static void check(byte[] json) throws UnprocessableBody {
    run(new JsonWalk(NOTHING, NO_VALUES, JsonEdits::discard, null), json);
  }

  /**
   * What all edits together may make of a body of so many bytes: what one {@code *} sets everywhere must not make gigabytes of a small
   * body, nor may many of them, one after the other.
   */
  public static long most(long bytes) {
    return 4 * bytes + GROWTH;
  }

  public static UnprocessableBody tooLarge() {
    return new UnprocessableBody("the changed body would be too large");
  }

  /** One walk, or more if they are too much for one. */
  private static void walks(List<JsonEdit> group, List<Pass> passes) {
    if (group.isEmpty()) {
      return;
    }
    var matcher = JsonMatcher.of(group);
    if (matcher != null) {
      passes.add(new Walk(matcher));
      return;
    }
    if (group.size() == 1) {
      throw new IllegalStateException("one edit has too many places: " + group);
    }
    walks(group.subList(0, group.size() / 2), passes);
    walks(group.subList(group.size() / 2, group.size()), passes);
  }

  private static int slots(List<JsonEdit> edits) {
    int slots = 0;
    for (var edit : edits) {
      slots = Math.max(slots, 1 + slot(edit));
    }
    return slots;
  }

  private static int slot(JsonEdit edit) {
    return switch (edit) {
      case JsonEdit.Set set -> set.value().slot();
      case JsonEdit.Default ready -> ready.value().slot();
      case JsonEdit.Mask mask -> -1;
      case JsonEdit.Remove remove -> -1;
      case JsonEdit.Rename rename -> -1;
      case JsonEdit.Move move -> -1;
      case JsonEdit.Merge(var members) -> slot(members);
    };
  }

  private static int slot(Map<String, JsonEdit.Merge.Change> members) {
    int most = -1;
    for (var change : members.values()) {
      int slot = switch (change) {
        case JsonEdit.Merge.Value value -> value.value().slot();
        case JsonEdit.Merge.Into(var inner) -> slot(inner);
        case JsonEdit.Merge.Removal removal -> -1;
      };
      most = Math.max(most, slot);
    }
    return most;
  }

  /**
   * The same edits, with the values of {@link JsonEdit.Set#given}, {@link JsonEdit.Default#given} and {@link JsonEdit.Merge#given}. Nothing is compiled again.
   *
   * @param values JSON texts, by slot
   */
  public JsonEdits with(List<String> values) {
    if (values.size() != slots) {
      throw new IllegalArgumentException(values.size() + " values (expected: " + slots + ")");
    }
    var bytes =
        values.stream().map(value -> value.getBytes(StandardCharsets.UTF_8)).toArray(byte[][]::new);
    return new JsonEdits(passes, slots, bytes);
  }

  /**
   * Why these edits cannot be made of a text that comes in pieces; empty if they can.
   *
   * <p>A value that moves may be wanted before it has come. All the others stream, with one difference: a member that is to be renamed
   * and comes behind one that has its new name already makes a streamed text unprocessable, while of a whole one the other member goes.
   */
  public Optional<String> needsWholeBody() {
    for (var pass : passes) {
      if (pass instanceof Moving moving) {
        return moving.move.needsWholeBody();
      }
    }
    return Optional.empty();
  }

  /**
   * The edits for one text that comes in pieces.
   *
   * @throws IllegalStateException if they {@linkplain #needsWholeBody need the whole}
   */
  public JsonSplicer splicer(JsonSink out) {
    var why = needsWholeBody();
    if (why.isPresent()) {
      throw new IllegalStateException(why.get());
    }
    var walks = new ArrayList<JsonWalk>();
    var next = out;
    for (var pass : passes.reversed()) {
      if (pass instanceof Walk(var matcher)) {
        var walk = new JsonWalk(matcher, given(), next, null);
        walks.addFirst(walk);
        next = walk::feed;
      }
    }
    return new JsonSplicer(List.copyOf(walks), next);
  }

  /**
   * The changed text; the very same array if nothing changed.
   *
   * @throws UnprocessableBody when it is no JSON text, or an edit cannot be made
   */
  public byte[] apply(byte[] json) throws UnprocessableBody {
    return apply(json, most(json.length));
  }

  /**
   * As {@link #apply(byte[])}, of what other edits have made of a body.
   *
   * @param most bytes that may come of it
   */
  public byte[] apply(byte[] json, long most) throws UnprocessableBody {
    var text = json;
    for (var pass : passes) {
      text = switch (pass) {
        case Walk(var matcher) -> walk(matcher, text, most);
        case Moving moving -> move(moving, text, most);
      };
    }
    return text;
  }

  private byte[] walk(JsonMatcher matcher, byte[] text, long most) throws UnprocessableBody {
    var spliced = new SplicedText(text, most);
    var walk = new JsonWalk(matcher, given(), spliced, null);
    try {
      run(walk, text);
      return spliced.bytes();
    } catch (UnprocessableBody e) {
      if (!walk.newNameCameFirst()) {
        throw e;
      }
    }
    var foresight = new Foresight(text);
    run(new JsonWalk(matcher, given(), JsonEdits::discard, foresight), text);
    foresight.replay();
    var second = new SplicedText(text, most);
    run(new JsonWalk(matcher, given(), second, foresight), text);
    return second.bytes();
  }

  private byte[] move(Moving moving, byte[] text, long most) throws UnprocessableBody {
    var foresight = new Foresight(text);
    run(new JsonWalk(moving.finds, NO_VALUES, JsonEdits::discard, foresight), text);
    if (!foresight.anything()) {
      return text;
    }
    var without = walk(moving.removes, text, most);
    foresight.replay();
    var moved = new SplicedText(without, most);
    run(new JsonWalk(moving.puts, NO_VALUES, moved, foresight), without);
    return moved.bytes();
  }

  private byte[][] given() {
    if (values.length != slots) {
      throw new IllegalStateException("the values are missing that are given for each text");
    }
    return values;
  }

  private static void run(JsonWalk walk, byte[] text) throws UnprocessableBody {
    walk.feed(text, 0, text.length);
    walk.finish();
  }

  private static void discard(byte[] bytes, int from, int to) {}

  private static Moving moving(JsonEdit.Move move) {
    return new Moving(
        move, JsonMatcher.captures(move), JsonMatcher.removes(move), JsonMatcher.puts(move));
  }

  /** Whether one walk makes what two would have made, one after the other. */
  private static boolean goTogether(JsonEdit one, JsonEdit other) {
    return switch (one) {
      case JsonEdit.Mask mask when other instanceof JsonEdit.Mask -> true;
      case JsonEdit.Mask mask
      when other instanceof JsonEdit.Remove remove ->
        shiftsNothing(remove) || !meet(mask.at(), remove.at());
      case JsonEdit.Remove remove
      when other instanceof JsonEdit.Mask mask ->
        shiftsNothing(remove) || !meet(mask.at(), remove.at());
      case JsonEdit.Remove remove
      when other instanceof JsonEdit.Remove too ->
        (shiftsNothing(remove) && shiftsNothing(too)) || !meet(remove.at(), too.at());
      default -> {
        for (var a : places(one)) {
          for (var b : places(other)) {
            if (!partByName(a, b)) {
              yield false;
            }
          }
        }
        yield true;
      }
    };
  }

  /** Whether no other element gets another index when it goes. */
  private static boolean shiftsNothing(JsonEdit.Remove remove) {
    var tokens = remove.at().tokens();
    return !tokens.isEmpty() && tokens.getLast().index() < 0;
  }

  /** What an edit looks at or changes. */
  private static List<List<Token>> places(JsonEdit edit) {
    var tokens = edit.at().tokens();
    if (!(edit instanceof JsonEdit.Rename rename)) {
      return List.of(tokens);
    }
    var renamed = new ArrayList<>(tokens.subList(0, Math.max(0, tokens.size() - 1)));
    renamed.add(Token.named(rename.to()));
    return List.of(tokens, renamed);
  }

  private static boolean meet(JsonPath one, JsonPath other) {
    return meet(one.tokens(), other.tokens());
  }

  /** Whether one of the places may be inside the other. */
  private static boolean meet(List<Token> one, List<Token> other) {
    int common = Math.min(one.size(), other.size());
    for (int i = 0; i < common; i++) {
      if (one.get(i).isDescent() || other.get(i).isDescent()) {
        return true;
      }
      if (!one.get(i).meets(other.get(i))) {
        return false;
      }
    }
    return true;
  }

  /**
   * Whether the places part at two names below one and the same container. Where a {@code *} of one is a name of the other, what the
   * other adds may be what the one is about; and where they part at elements, one may move the other.
   */
  private static boolean partByName(List<Token> one, List<Token> other) {
    int common = Math.min(one.size(), other.size());
    for (int i = 0; i < common; i++) {
      var a = one.get(i);
      var b = other.get(i);
      if (a.isDescent() || b.isDescent()) {
        return false;
      }
      if (!a.equals(b)) {
        return !a.meets(b) && !(a.isElement() && b.isElement());
      }
    }
    return false;
  }
}
