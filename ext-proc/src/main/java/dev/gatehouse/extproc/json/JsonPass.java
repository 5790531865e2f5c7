package dev.gatehouse.extproc.json;

import dev.gatehouse.extproc.json.JsonPath.Token;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** One walk over a text that makes several edits whose places cannot meet, or one of any sort. */
final class JsonPass {
  /** A set of edits is a {@code long}. */
  static final int MAX_EDITS = 64;

  private final List<JsonEdit> edits;

  JsonPass(List<JsonEdit> edits) {
    this.edits = List.copyOf(edits);
  }

  byte[] run(byte[] in) throws UnprocessableBody {
    return new Walk(in).run();
  }

  private final class Walk {
    private final byte[] in;
    private final JsonScanner scanner;
    private final Splice splice;

    Walk(byte[] in) {
      this.in = in;
      this.scanner = new JsonScanner(in);
      this.splice = new Splice(in);
    }

    byte[] run() throws UnprocessableBody {
      scanner.peek();
      value(edits.size() == MAX_EDITS ? -1L : (1L << edits.size()) - 1, 0);
      scanner.end();
      return splice.result();
    }

    /** @param active the edits whose way led here, {@code depth} tokens of it */
    private void value(long active, int depth) throws UnprocessableBody {
      if (active == 0) {
        scanner.value(depth);
        return;
      }
      var first = edits.get(Long.numberOfTrailingZeros(active));
      if (first.at().length() == depth) {
        arrived(first, depth); // The only one: the places of a pass cannot meet.
        return;
      }
      switch (scanner.peek()) {
        case '{' -> object(active, depth);
        case '[' -> array(active, depth);
        default -> {
          if (first instanceof JsonEdit.Set set) {
            throw noWay(set);
          }
          scanner.value(depth);
        }
      }
    }

    private void arrived(JsonEdit edit, int depth) throws UnprocessableBody {
      scanner.peek();
      var start = scanner.at();
      switch (edit) {
        case JsonEdit.Mask mask -> mask(mask.keepLast(), depth);
        case JsonEdit.Set set -> {
          scanner.value(depth);
          splice.replace(start, scanner.at(), set.value());
        }
        // These two are about the container, which has seen to them.
        case JsonEdit.Remove remove -> scanner.value(depth);
        case JsonEdit.Rename rename -> scanner.value(depth);
      }
    }

    private void object(long active, int depth) throws UnprocessableBody {
      JsonScanner.checkDepth(depth);
      var first = edits.get(Long.numberOfTrailingZeros(active));
      if (first instanceof JsonEdit.Rename rename && rename.at().length() == depth + 1) {
        renameIn(rename, depth);
        return;
      }
      scanner.take('{');
      var gaps = new Gaps();
      var last = scanner.at();
      var found = false;
      var empty = scanner.took('}');
      if (!empty) {
        do {
          scanner.peek();
          var start = scanner.at();
          scanner.string();
          var here = matching(active, depth, start, scanner.at(), scanner.escaped());
          scanner.take(':');
          gaps.begin(start);
          value(here, depth + 1);
          last = scanner.at();
          gaps.end(start, last, removes(here, depth + 1));
          found |= here != 0;
        } while (scanner.took(','));
        scanner.take('}');
        gaps.close();
      }
      if (!found && first instanceof JsonEdit.Set set) {
        addMember(set, depth, last, empty);
      }
    }

    private void array(long active, int depth) throws UnprocessableBody {
      JsonScanner.checkDepth(depth);
      scanner.take('[');
      var gaps = new Gaps();
      var last = scanner.at();
      var size = 0;
      var found = false;
      if (!scanner.took(']')) {
        do {
          scanner.peek();
          var start = scanner.at();
          var here = matching(active, depth, size);
          gaps.begin(start);
          value(here, depth + 1);
          last = scanner.at();
          gaps.end(start, last, removes(here, depth + 1));
          found |= here != 0;
          size++;
        } while (scanner.took(','));
        scanner.take(']');
        gaps.close();
      }
      if (!found && edits.get(Long.numberOfTrailingZeros(active)) instanceof JsonEdit.Set set) {
        addElement(set, depth, last, size);
      }
    }

    /** The members are looked at twice: one that bears the new name goes only if there is one to take its place. */
    private void renameIn(JsonEdit.Rename rename, int depth) throws UnprocessableBody {
      var from = rename.at().token(depth);
      scanner.peek();
      var start = scanner.at();
      if (!hasMember(from, depth)) {
        return;
      }
      scanner.moveTo(start);
      var to = Token.named(rename.to());
      var name = JsonScanner.quote(rename.to());
      var gaps = new Gaps();
      scanner.take('{');
      do {
        scanner.peek();
        var member = scanner.at();
        scanner.string();
        var keyEnd = scanner.at();
        var isFrom = names(from, member, keyEnd, scanner.escaped());
        var isTo = names(to, member, keyEnd, scanner.escaped());
        gaps.begin(member);
        if (isFrom) {
          splice.replace(member, keyEnd, name);
        }
        scanner.take(':');
        scanner.value(depth + 1);
        gaps.end(member, scanner.at(), isTo && !isFrom);
      } while (scanner.took(','));
      scanner.take('}');
      gaps.close();
    }

    private boolean hasMember(Token token, int depth) throws UnprocessableBody {
      var has = false;
      scanner.take('{');
      if (scanner.took('}')) {
        return false;
      }
      do {
        scanner.peek();
        var start = scanner.at();
        scanner.string();
        has |= names(token, start, scanner.at(), scanner.escaped());
        scanner.take(':');
        scanner.value(depth + 1);
      } while (scanner.took(','));
      scanner.take('}');
      return has;
    }

    private void addMember(JsonEdit.Set set, int depth, int last, boolean empty)
        throws UnprocessableBody {
      var token = set.at().token(depth);
      var name = token.name();
      if (name == null || !isDefinite(set, depth + 1)) {
        return; // Any member of none.
      }
      var member = new Bytes()
          .add(empty ? "" : ",")
          .add(JsonScanner.quote(name))
          .add(":")
          .add(wrapped(set, depth + 1));
      splice.replace(last, last, member.toArray());
    }

    private void addElement(JsonEdit.Set set, int depth, int last, int size)
        throws UnprocessableBody {
      var token = set.at().token(depth);
      if (token.isAny() || !isDefinite(set, depth + 1)) {
        return; // Any element of none.
      }
      if (token.index() != size && !"-".equals(token.name())) {
        throw noWay(set);
      }
      splice.replace(
          last,
          last,
          new Bytes().add(size == 0 ? "" : ",").add(wrapped(set, depth + 1)).toArray());
    }

    /** The value inside the objects that are missing. */
    private byte[] wrapped(JsonEdit.Set set, int from) {
      var open = new Bytes();
      for (var i = from; i < set.at().length(); i++) {
        var name = set.at().token(i).name();
        open.add("{").add(JsonScanner.quote(name == null ? "*" : name)).add(":");
      }
      return open.add(set.value()).add("}".repeat(set.at().length() - from)).toArray();
    }

    private static boolean isDefinite(JsonEdit.Set set, int from) {
      for (var i = from; i < set.at().length(); i++) {
        if (set.at().token(i).isAny()) {
          return false;
        }
      }
      return true;
    }

    private void mask(int keepLast, int depth) throws UnprocessableBody {
      var first = scanner.peek();
      var start = scanner.at();
      switch (first) {
        case '{' -> {
          JsonScanner.checkDepth(depth);
          scanner.take('{');
          if (scanner.took('}')) {
            return;
          }
          do {
            scanner.peek();
            scanner.string();
            scanner.take(':');
            mask(keepLast, depth + 1);
          } while (scanner.took(','));
          scanner.take('}');
        }
        case '[' -> {
          JsonScanner.checkDepth(depth);
          scanner.take('[');
          if (scanner.took(']')) {
            return;
          }
          do {
            mask(keepLast, depth + 1);
          } while (scanner.took(','));
          scanner.take(']');
        }
        case '"' -> {
          scanner.string();
          var text = scanner.text(start, scanner.at(), scanner.escaped());
          splice.replace(start, scanner.at(), masked(text, keepLast));
        }
        case 'n' -> scanner.literal();
        default -> {
          scanner.literal();
          var text = new String(in, start, scanner.at() - start, StandardCharsets.US_ASCII);
          splice.replace(start, scanner.at(), masked(text, keepLast));
        }
      }
    }

    private static byte[] masked(String text, int keepLast) {
      var length = text.codePointCount(0, text.length());
      var hidden = length <= keepLast ? length : length - keepLast;
      var kept = text.substring(text.offsetByCodePoints(0, hidden));
      return JsonScanner.quote("*".repeat(hidden) + kept);
    }

    private boolean removes(long here, int depth) {
      return here != 0
          && edits.get(Long.numberOfTrailingZeros(here)) instanceof JsonEdit.Remove remove
          && remove.at().length() == depth;
    }

    private long matching(long active, int depth, int start, int end, boolean escaped) {
      var here = 0L;
      for (var left = active; left != 0; left &= left - 1) {
        var bit = Long.numberOfTrailingZeros(left);
        if (names(edits.get(bit).at().token(depth), start, end, escaped)) {
          here |= 1L << bit;
        }
      }
      return here;
    }

    private boolean names(Token token, int start, int end, boolean escaped) {
      var name = token.name();
      if (name == null) {
        return true;
      }
      return escaped
          ? name.equals(scanner.text(start, end, true))
          : scanner.says(start, end, token.utf8());
    }

    private long matching(long active, int depth, int index) {
      var here = 0L;
      for (var left = active; left != 0; left &= left - 1) {
        var bit = Long.numberOfTrailingZeros(left);
        var token = edits.get(bit).at().token(depth);
        if (token.isAny() || token.index() == index) {
          here |= 1L << bit;
        }
      }
      return here;
    }

    private UnprocessableBody noWay(JsonEdit.Set set) {
      return new UnprocessableBody("nothing can be set at " + set.at()
          + ": the way leads through something that is no object, or past an array's end");
    }

    /** Sees to the commas when children of one container go. */
    private final class Gaps {
      private int keptEnd = -1;
      private int droppedStart = -1;
      private int droppedEnd = -1;

      void begin(int start) throws UnprocessableBody {
        if (droppedStart >= 0) {
          splice.cut(droppedStart, start);
          droppedStart = -1;
        }
      }

      void end(int start, int end, boolean drop) throws UnprocessableBody {
        if (drop && keptEnd < 0) {
          droppedStart =
              start; // No child before it is kept: the comma after it goes, if there is one.
          droppedEnd = end;
          return;
        }
        if (drop) {
          splice.cut(keptEnd, end);
        }
        keptEnd = end;
      }

      void close() throws UnprocessableBody {
        if (droppedStart >= 0) {
          splice.cut(droppedStart, droppedEnd);
        }
      }
    }
  }
}
