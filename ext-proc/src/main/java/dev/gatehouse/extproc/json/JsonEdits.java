package dev.gatehouse.extproc.json;

import dev.gatehouse.extproc.json.JsonPath.Token;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Changes of a JSON text, made in order by splicing: every byte that no edit names stays as it was — numbers, escapes, white space,
 * the order of members, duplicates. An edit of a member that occurs twice changes both: readers differ in which one they take.
 *
 * <p>Compiled once: edits that cannot disturb each other are made in one walk, whose elements are counted as they came.
 */
public final class JsonEdits {
  private final List<Pass> passes;

  /** One walk, or the three of a move. */
  private sealed interface Pass {}

  private record Walk(JsonMatcher matcher) implements Pass {}

  private record Moving(
      JsonEdit.Move move, JsonMatcher finds, JsonMatcher removes, JsonMatcher puts)
      implements Pass {}

  private JsonEdits(List<Pass> passes) {
    this.passes = passes;
  }

  /** @throws IllegalArgumentException for a path that would need too large a matcher */
  public static JsonEdits of(List<JsonEdit> edits) {
    var passes = new ArrayList<Pass>();
    var group = new ArrayList<JsonEdit>();
    JsonMatcher matcher = null;
    for (var edit : edits) {
      if (edit instanceof JsonEdit.Move move) {
        if (matcher != null) {
          passes.add(new Walk(matcher));
          matcher = null;
          group.clear();
        }
        if (!move.at().equals(move.to())) {
          passes.add(moving(move));
        }
        continue;
      }
      var together = group.stream().allMatch(other -> goTogether(other, edit));
      group.add(edit);
      var both = together ? JsonMatcher.of(group) : null;
      if (both == null) {
        if (matcher != null) {
          passes.add(new Walk(matcher));
        }
        group.clear();
        group.add(edit);
        both = alone(edit);
      }
      matcher = both;
    }
    if (matcher != null) {
      passes.add(new Walk(matcher));
    }
    return new JsonEdits(List.copyOf(passes));
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
        return Optional.of("what moves from " + moving.move.at() + " to " + moving.move.to()
            + " may come after the place that it goes to");
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
        var walk = new JsonWalk(matcher, next, null);
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
    var text = json;
    for (var pass : passes) {
      text = switch (pass) {
        case Walk(var matcher) -> walk(matcher, text);
        case Moving moving -> move(moving, text);
      };
    }
    return text;
  }

  private static byte[] walk(JsonMatcher matcher, byte[] text) throws UnprocessableBody {
    var spliced = new SplicedText(text);
    var walk = new JsonWalk(matcher, spliced, null);
    try {
      run(walk, text);
      return spliced.bytes();
    } catch (UnprocessableBody e) {
      if (!walk.newNameCameFirst()) {
        throw e;
      }
    }
    var foresight = new Foresight(text);
    run(new JsonWalk(matcher, JsonEdits::discard, foresight), text);
    foresight.replay();
    var second = new SplicedText(text);
    run(new JsonWalk(matcher, second, foresight), text);
    return second.bytes();
  }

  private static byte[] move(Moving moving, byte[] text) throws UnprocessableBody {
    var foresight = new Foresight(text);
    run(new JsonWalk(moving.finds, JsonEdits::discard, foresight), text);
    if (!foresight.anything()) {
      return text;
    }
    var without = walk(moving.removes, text);
    foresight.replay();
    var moved = new SplicedText(without);
    run(new JsonWalk(moving.puts, moved, foresight), without);
    return moved.bytes();
  }

  private static void run(JsonWalk walk, byte[] text) throws UnprocessableBody {
    walk.feed(text, 0, text.length);
    walk.finish();
  }

  private static void discard(byte[] bytes, int from, int to) {}

  private static JsonMatcher alone(JsonEdit edit) {
    var matcher = JsonMatcher.of(List.of(edit));
    if (matcher == null) {
      throw new IllegalStateException("one edit has too many places: " + edit);
    }
    return matcher;
  }

  private static Moving moving(JsonEdit.Move move) {
    return new Moving(
        move,
        JsonMatcher.captures(move),
        alone(new JsonEdit.Remove(move.at())),
        JsonMatcher.puts(move));
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
