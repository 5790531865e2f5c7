package dev.gatehouse.extproc.json;

import dev.gatehouse.extproc.json.JsonMatcher.Name;
import dev.gatehouse.extproc.json.JsonMatcher.Place;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One walk over a JSON text (RFC 8259) that comes in pieces, and makes the edits of a {@link JsonMatcher} on the way. A piece may end
 * anywhere; what is not edited goes on as ranges of the pieces themselves.
 *
 * <p>It is as strict where no edit can be as where one is, so that no reader behind can see another text than the one that was
 * edited: grammar, escapes and UTF-8 (RFC 3629, no overlong form, no surrogate) are checked of every byte. Only names are not
 * compared there, and nothing is remembered but which brackets are open.
 *
 * <p>What it remembers: a few words a level, of at most {@value #MAX_DEPTH} levels; of a name as much as the longest one that is looked
 * for; of a masked value its last characters. Where members may go or come, the comma and white space before a name are held until
 * the name is known: not more than {@value #MAX_HELD} bytes of them. Everything else has gone when {@link #feed} returns.
 */
final class JsonWalk {
  /** Deeper texts are refused. */
  static final int MAX_DEPTH = 512;

  /** White space and a comma between two members, where members may go or come, held over a piece's end. */
  static final int MAX_HELD = 16 * 1024;

  /** The longest that one byte of a name's UTF-8 can be written. */
  private static final int MOST_ESCAPED = 6;

  // What comes next.
  private static final int BEGIN = 0;
  private static final int VALUE = 1;
  private static final int FIRST_ELEMENT = 2;
  private static final int ELEMENT = 3;
  private static final int FIRST_NAME = 4;
  private static final int NAME = 5;
  private static final int IN_NAME = 6;
  private static final int COLON = 7;
  private static final int IN_STRING = 8;
  private static final int IN_LITERAL = 9;
  private static final int AFTER = 10;
  private static final int END = 11;

  private static final byte[] BYTE_ORDER_MARK = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};
  private static final byte[] QUOTE = ascii("\"");
  private static final byte[] COMMA = ascii(",");

  /** Stands for both: the number of stars would tell which it was. */
  private static final byte[] MASKED_BOOLEAN = ascii("\"****\"");

  private final JsonTokens tokens = new JsonTokens();
  private final JsonOutlet outlet;
  private final byte[][] values;
  private final @Nullable Foresight foresight;
  private final JsonSink inserted;

  private int state = BEGIN;

  // The containers that are open, as far as something is looked for in them.
  private int depth = -1;
  private Place[] places = new Place[8];
  private boolean[] objects = new boolean[8];
  private boolean[] kept = new boolean[8];
  private long[] seen = new long[8];
  private int[] sizes = new int[8];

  /** What is wanted of the value that comes next, or is being read. */
  private Place child;

  // The containers inside that are passed over.
  private int skipped;
  private boolean[] skippedObjects = new boolean[32];

  private int markAt;

  private final MemberName name;
  private boolean nameIsKnown;
  private final Masking masking = new Masking();
  private boolean masks;

  /** Whether a member or element that goes is being read. */
  private boolean drops;

  private boolean newNameCameFirst;

  /** Whether a value is being read that a move takes, and in which container. */
  private boolean captures;

  private int captureDepth;

  /**
   * @param values those that are given for this text
   * @param foresight what another walk has seen of the same text, null if this one has to do without
   */
  JsonWalk(JsonMatcher matcher, byte[][] values, JsonSink out, @Nullable Foresight foresight) {
    this.outlet = new JsonOutlet(out, tokens, MAX_HELD + MOST_ESCAPED * matcher.longestName() + 2);
    this.inserted = outlet::write;
    this.values = values;
    this.foresight = foresight;
    this.child = matcher.root();
    this.name = new MemberName(matcher.longestName());
  }

  /** Takes the next piece; what it held has been written, or is remembered, when this returns. */
  void feed(byte[] in, int start, int end) throws UnprocessableBody {
    tokens.pieceBegins(start, end);
    outlet.pieceBegins(in, start, end);
    int at = start;
    while (at < end) {
      at = skipped > 0 ? skip(in, at, end) : walk(in, at, end);
    }
    pieceEnds(in, end);
  }

  /** @throws UnprocessableBody if the text is not complete */
  void finish() throws UnprocessableBody {
    if (state == IN_LITERAL && depth < 0 && skipped == 0 && tokens.isWholeNumber()) {
      if (masks) {
        finishMask();
        outlet.write(QUOTE, 0, 1);
      }
      state = END;
    }
    if (state != END && !(state == AFTER && depth < 0 && skipped == 0)) {
      throw new UnprocessableBody("the JSON text ends early");
    }
  }

  /**
   * Once it is unprocessable: hands over what it has read and not written. Of a masked value what came before the piece at hand is
   * hidden.
   */
  void giveUp(JsonSink end) throws UnprocessableBody {
    if (masks) {
      masking.giveUp(end);
    }
    outlet.giveUp(end);
  }

  /** Whether what it wrote is anything but what it read. */
  boolean changed() {
    return outlet.changed();
  }

  /** Whether it was refused only because a member had the new name already, and came before the one that is renamed. */
  boolean newNameCameFirst() {
    return newNameCameFirst;
  }

  @SuppressWarnings("fallthrough")
  private int walk(byte[] in, int start, int end) throws UnprocessableBody {
    int at = start;
    for (; ; ) {
      switch (state) {
        case BEGIN:
          if (in[at] != BYTE_ORDER_MARK[markAt]) {
            if (markAt > 0) {
              throw tokens.bad(at);
            }
            state = VALUE;
            continue;
          }
          // Some writers put it before UTF-8 and parsers may ignore it (section 8.1).
          at++;
          if (++markAt == BYTE_ORDER_MARK.length) {
            markAt = 0;
            state = VALUE;
          }
          if (at == end) {
            return end;
          }
          continue;

        case FIRST_NAME:
          at = JsonTokens.space(in, at, end);
          if (at == end) {
            return end;
          }
          if (in[at] == '}') {
            close(in, at++);
            continue;
          }
        // fall through
        case NAME: {
          at = JsonTokens.space(in, at, end);
          if (at == end) {
            return end;
          }
          if (in[at] != '"') {
            throw tokens.bad(at);
          }
          var place = places[depth];
          if (place.isReshaped) {
            outlet.childBegins(at);
          }
          tokens.stringBegins();
          nameIsKnown = false;
          int close = tokens.string(in, at + 1, end);
          if (close < 0) {
            name.begin();
            name.take(in, at + 1, end);
            state = IN_NAME;
            return end;
          }
          if (!place.hasNames()) {
            named(in, close, null);
          } else if (tokens.escaped()) {
            name.begin();
            name.take(in, at + 1, close - 1);
            named(in, close, nameTaken());
          } else {
            named(in, close, place.named(in, at + 1, close - 1));
          }
          at = close;
          state = COLON;
        }
        // fall through
        case COLON:
          at = JsonTokens.space(in, at, end);
          if (at == end) {
            return end;
          }
          if (in[at] != ':') {
            throw tokens.bad(at);
          }
          at++;
          state = VALUE;
        // fall through
        case VALUE: {
          at = JsonTokens.space(in, at, end);
          if (at == end) {
            return end;
          }
          byte c = in[at];
          if (child.isSpecial) {
            special(in, at, c);
          }
          if (c == '"') {
            if (masks) {
              at = maskString(in, at + 1, end);
            } else {
              at = tokens.string(in, at + 1, end);
            }
            if (at < 0) {
              state = IN_STRING;
              return end;
            }
          } else if (c == '{' || c == '[') {
            if (!child.isOpen) {
              checkDepth(depth + 1);
              skippedObjects[0] = c == '{';
              skipped = 1;
              state = c == '{' ? FIRST_NAME : FIRST_ELEMENT;
              return at + 1;
            }
            open(at, c == '{');
            at++;
            continue;
          } else {
            int begin = at;
            at = tokens.literal(in, at, end, c);
            if (masks) {
              maskLiteral(in, begin, at, end);
            }
            if (at < 0) {
              state = IN_LITERAL;
              return end;
            }
          }
          valueEnds(at);
          state = AFTER;
        }
        // fall through
        case AFTER: {
          at = JsonTokens.space(in, at, end);
          if (at == end) {
            return end;
          }
          if (depth < 0) {
            throw new UnprocessableBody("something follows the JSON text");
          }
          byte c = in[at];
          if (c == ',') {
            at++;
            if (outlet.holds() && !kept[depth]) {
              outlet.drop(in);
            }
            state = objects[depth] ? NAME : ELEMENT;
            continue;
          }
          if (c != (objects[depth] ? '}' : ']')) {
            throw tokens.bad(at);
          }
          close(in, at++);
          continue;
        }

        case FIRST_ELEMENT:
          at = JsonTokens.space(in, at, end);
          if (at == end) {
            return end;
          }
          if (in[at] == ']') {
            close(in, at++);
            continue;
          }
        // fall through
        case ELEMENT:
          at = JsonTokens.space(in, at, end);
          if (at == end) {
            return end;
          }
          element(in, at);
          state = VALUE;
          continue;

        case IN_NAME: {
          int close = tokens.string(in, at, end);
          name.take(in, at, close < 0 ? end : close - 1);
          if (close < 0) {
            return end;
          }
          if (!nameIsKnown) {
            named(in, close, nameTaken());
          }
          at = close;
          state = COLON;
          continue;
        }

        case IN_STRING: {
          int close = tokens.string(in, at, end);
          if (masks) {
            masking.take(in, at, close < 0 ? end : close - 1);
          }
          if (close < 0) {
            return end;
          }
          if (masks) {
            finishMask();
            outlet.goOnAt(close - 1);
          }
          at = close;
          valueEnds(at);
          state = AFTER;
          continue;
        }

        case IN_LITERAL: {
          int begin = at;
          at = tokens.resumeLiteral(in, at, end);
          if (masks) {
            masking.take(in, begin, at < 0 ? end : at);
          }
          if (at < 0) {
            return end;
          }
          if (masks) {
            finishMask();
            outlet.write(QUOTE, 0, 1);
            outlet.goOnAt(at);
          }
          valueEnds(at);
          state = AFTER;
          continue;
        }

        case END:
        default:
          throw new IllegalStateException("the text has been finished");
      }
    }
  }

  /** Passes over containers in which nothing is looked for. */
  @SuppressWarnings("fallthrough")
  private int skip(byte[] in, int start, int end) throws UnprocessableBody {
    int at = start;
    for (; ; ) {
      switch (state) {
        case FIRST_NAME:
          at = JsonTokens.space(in, at, end);
          if (at == end) {
            return end;
          }
          if (in[at] == '}') {
            at++;
            state = AFTER;
            if (--skipped == 0) {
              valueEnds(at);
              return at;
            }
            continue;
          }
        // fall through
        case NAME:
          at = JsonTokens.space(in, at, end);
          if (at == end) {
            return end;
          }
          if (in[at] != '"') {
            throw tokens.bad(at);
          }
          at = tokens.string(in, at + 1, end);
          if (at < 0) {
            state = IN_NAME;
            return end;
          }
          state = COLON;
        // fall through
        case COLON:
          at = JsonTokens.space(in, at, end);
          if (at == end) {
            return end;
          }
          if (in[at] != ':') {
            throw tokens.bad(at);
          }
          at++;
          state = VALUE;
        // fall through
        case VALUE:
        case ELEMENT: {
          at = JsonTokens.space(in, at, end);
          if (at == end) {
            return end;
          }
          byte c = in[at];
          if (c == '"') {
            at = tokens.string(in, at + 1, end);
            if (at < 0) {
              state = IN_STRING;
              return end;
            }
          } else if (c == '{' || c == '[') {
            push(c == '{');
            at++;
            state = c == '{' ? FIRST_NAME : FIRST_ELEMENT;
            continue;
          } else {
            at = tokens.literal(in, at, end, c);
            if (at < 0) {
              state = IN_LITERAL;
              return end;
            }
          }
          state = AFTER;
        }
        // fall through
        case AFTER: {
          at = JsonTokens.space(in, at, end);
          if (at == end) {
            return end;
          }
          boolean object = skippedObjects[skipped - 1];
          byte c = in[at];
          if (c == ',') {
            at++;
            state = object ? NAME : ELEMENT;
            continue;
          }
          if (c != (object ? '}' : ']')) {
            throw tokens.bad(at);
          }
          at++;
          if (--skipped == 0) {
            valueEnds(at);
            return at;
          }
          continue;
        }

        case FIRST_ELEMENT:
          at = JsonTokens.space(in, at, end);
          if (at == end) {
            return end;
          }
          if (in[at] == ']') {
            at++;
            state = AFTER;
            if (--skipped == 0) {
              valueEnds(at);
              return at;
            }
            continue;
          }
          state = ELEMENT;
          continue;

        case IN_NAME:
          at = tokens.string(in, at, end);
          if (at < 0) {
            return end;
          }
          state = COLON;
          continue;

        case IN_STRING:
        case IN_LITERAL:
          at = state == IN_STRING ? tokens.string(in, at, end) : tokens.resumeLiteral(in, at, end);
          if (at < 0) {
            return end;
          }
          state = AFTER;
          continue;

        default:
          throw new IllegalStateException();
      }
    }
  }

  // Containers.

  private void push(boolean object) throws UnprocessableBody {
    checkDepth(depth + 1 + skipped);
    if (skipped == skippedObjects.length) {
      skippedObjects = Arrays.copyOf(skippedObjects, 2 * skipped);
    }
    skippedObjects[skipped++] = object;
  }

  private void open(int at, boolean object) throws UnprocessableBody {
    checkDepth(++depth);
    if (depth == places.length) {
      places = Arrays.copyOf(places, 2 * depth);
      objects = Arrays.copyOf(objects, 2 * depth);
      kept = Arrays.copyOf(kept, 2 * depth);
      seen = Arrays.copyOf(seen, 2 * depth);
      sizes = Arrays.copyOf(sizes, 2 * depth);
    }
    places[depth] = child;
    objects[depth] = object;
    kept[depth] = false;
    seen[depth] = 0;
    sizes[depth] = 0;
    if (foresight != null) {
      if (child.renames && object) {
        seen[depth] = foresight.objectOpens(depth, at);
      }
      if (child.isNumbered && !foresight.containerOpens()) {
        places[depth] = Place.NOTHING; // There is nothing to be put.
      }
    }
    state = object ? FIRST_NAME : FIRST_ELEMENT;
  }

  /** @param at the closing bracket */
  private void close(byte[] in, int at) throws UnprocessableBody {
    var place = places[depth];
    if (place.isReshaped) {
      if (place.additions.length > 0) {
        outlet.passToHeld(in, at);
        add(place);
      }
      outlet.release();
    }
    if (foresight != null && place.renames && objects[depth]) {
      foresight.objectCloses(depth, seen[depth]);
    }
    depth--;
    state = AFTER;
    valueEnds(at + 1);
  }

  private void add(Place place) throws UnprocessableBody {
    for (var addition : place.additions) {
      if ((seen[depth] & addition.seen) != 0) {
        continue;
      }
      if (!objects[depth] && addition.index != -1 && addition.index != sizes[depth]) {
        if (addition.must != null) {
          throw noWay(addition.must);
        }
        continue;
      }
      if (kept[depth]) {
        outlet.write(COMMA, 0, 1);
      }
      kept[depth] = true;
      sizes[depth]++;
      if (objects[depth]) {
        outlet.write(addition.member, 0, addition.member.length);
      }
      for (var piece : addition.value) {
        put(piece);
      }
      if (addition.putsMoved && foresight != null) {
        foresight.put(inserted);
      }
      outlet.write(addition.after, 0, addition.after.length);
    }
  }

  private void put(JsonValue value) throws UnprocessableBody {
    var json = value.in(values);
    outlet.write(json, 0, json.length);
  }

  private static void checkDepth(int depth) throws UnprocessableBody {
    if (depth >= MAX_DEPTH) {
      throw new UnprocessableBody(
          "the JSON text is nested more than " + MAX_DEPTH + " levels deep");
    }
  }

  // Members and elements.

  private @Nullable Name nameTaken() {
    name.end();
    return name.isUnknown() ? null : places[depth].named(name.utf8(), 0, name.length());
  }

  /** @param at after the name, or as far as it was needed */
  private void named(byte[] in, int at, @Nullable Name known) throws UnprocessableBody {
    var place = places[depth];
    if (known == null) {
      child = place.other;
      if (place.isReshaped) {
        keepOrDrop(in, child.isRemoved);
      }
      return;
    }
    child = known.place();
    if (!place.isReshaped) {
      return;
    }
    long before = seen[depth];
    if ((before & known.clashesWith) != 0 && foresight == null) {
      newNameCameFirst = true;
      throw new UnprocessableBody(
          "a member has the new name already, and comes before the one that is to be renamed");
    }
    if (child.isRemoved || (before & known.yieldsTo) != 0) {
      keepOrDrop(in, true);
      return;
    }
    seen[depth] = before | known.seen;
    if (known.renamed != null) {
      outlet.rename(in, at, known.renamed);
    } else {
      keepOrDrop(in, false);
    }
  }

  private void element(byte[] in, int at) throws UnprocessableBody {
    var place = places[depth];
    int index = sizes[depth]++;
    var known = place.elementName(index);
    child = known == null ? place.other : known.place();
    if (place.isReshaped) {
      outlet.childBegins(at);
      keepOrDrop(in, child.isRemoved);
      if (known != null) {
        seen[depth] |= known.seen;
      }
    }
  }

  private void keepOrDrop(byte[] in, boolean goes) throws UnprocessableBody {
    if (goes) {
      outlet.drop(in);
      drops = true;
      child = Place.NOTHING;
    } else {
      outlet.release();
    }
  }

  // Values.

  /** @param c the value's first byte */
  private void special(byte[] in, int at, byte c) throws UnprocessableBody {
    boolean container = c == '{' || c == '[';
    if (child.mustLead != null && !container) {
      throw noWay(child.mustLead);
    }
    if (child.isCaptured && foresight != null) {
      foresight.captureBegins(at);
      captures = true;
      captureDepth = depth;
    }
    if (child.unlessObject != null && c != '{') {
      outlet.passTo(in, at);
      outlet.leaveOut();
      for (var piece : child.unlessObject) {
        put(piece);
      }
      child = Place.NOTHING;
      return;
    }
    if (child.value != null) {
      outlet.passTo(in, at);
      outlet.leaveOut();
      if (child.putsMoved && foresight != null) {
        foresight.put(inserted);
      } else {
        put(child.value);
      }
    } else if (child.mask != null && !container && c != 'n') {
      masks = true;
    }
  }

  /** @param at after the value */
  private void valueEnds(int at) {
    if (captures && depth == captureDepth && foresight != null) {
      foresight.captureEnds(at);
      captures = false;
    }
    if (outlet.leavesOut()) {
      outlet.goOnAt(at);
    }
    if (depth >= 0 && places[depth].isReshaped) {
      outlet.childEnds(at);
      kept[depth] |= !drops;
      drops = false;
    }
  }

  /** @param at after the opening quote */
  private int maskString(byte[] in, int at, int end) throws UnprocessableBody {
    tokens.stringBegins();
    int close = tokens.string(in, at, end);
    outlet.passTo(in, at);
    if (close >= 0 && !tokens.escaped()) {
      maskAsItIs(in, at, close - 1);
      return close;
    }
    masking.begin(maskAtHand());
    masking.take(in, at, close < 0 ? end : close - 1);
    outlet.leaveOut();
    if (close >= 0) {
      finishMask();
      outlet.goOnAt(close - 1);
    }
    return close;
  }

  /** A string that is all here and has no escapes: what stays of it goes on as it is. */
  private void maskAsItIs(byte[] in, int start, int end) throws UnprocessableBody {
    int length = tokens.isAscii() ? end - start : CodePoints.count(in, start, end);
    int kept = maskAtHand().kept(length);
    Masking.stars(length - kept, inserted);
    int at = end;
    for (int left = kept; left > 0; left--) {
      at = CodePoints.before(in, at);
    }
    outlet.goOnAt(at);
    masks = false;
  }

  /** @param at after the literal, -1 if the piece ended within */
  private void maskLiteral(byte[] in, int begin, int at, int end) throws UnprocessableBody {
    outlet.passTo(in, begin);
    outlet.leaveOut();
    if (in[begin] == 't' || in[begin] == 'f') {
      outlet.write(MASKED_BOOLEAN, 0, MASKED_BOOLEAN.length);
      masks = false;
      return; // The text goes on where the value ends.
    }
    outlet.write(QUOTE, 0, 1);
    masking.begin(maskAtHand());
    masking.take(in, begin, at < 0 ? end : at);
    if (at >= 0) {
      finishMask();
      outlet.write(QUOTE, 0, 1);
      outlet.goOnAt(at);
    }
  }

  private Masking.Mask maskAtHand() {
    if (child.mask == null) {
      throw new IllegalStateException();
    }
    return child.mask;
  }

  private void finishMask() throws UnprocessableBody {
    masking.finish(inserted);
    masks = false;
  }

  private void pieceEnds(byte[] in, int end) throws UnprocessableBody {
    if (masks) {
      masking.flush(inserted);
    }
    if (state == IN_NAME && skipped == 0 && !nameIsKnown && name.isUnknown()) {
      named(in, end, null);
      nameIsKnown = true;
    }
    outlet.pieceEnds(in, end);
  }

  private static UnprocessableBody noWay(JsonEdit edit) {
    var at = edit instanceof JsonEdit.Move move ? move.to() : edit.at();
    return new UnprocessableBody("nothing can be set at " + at
        + ": the way leads through something that is no object, or past an array's end");
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
