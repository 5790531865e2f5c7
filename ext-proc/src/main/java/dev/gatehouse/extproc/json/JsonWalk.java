package dev.gatehouse.extproc.json;

import dev.gatehouse.extproc.json.JsonMatcher.Name;
import dev.gatehouse.extproc.json.JsonMatcher.Place;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
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

  /** White space and a comma between two members, where members may go or come. */
  static final int MAX_HELD = 16 * 1024;

  /** How much a text may grow, beside thrice its length: what one {@code *} sets everywhere must not make gigabytes of a small body. */
  private static final int GROWTH = 1 << 20;

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
  private static final int IN_NUMBER = 9;
  private static final int IN_WORD = 10;
  private static final int AFTER = 11;
  private static final int END = 12;

  // Where a string was left when a piece ended.
  private static final int PLAIN = 0;
  private static final int ESCAPE = 1;
  private static final int HEX = 2;
  private static final int UTF8 = 3;

  // What a number has come to.
  private static final int SIGN = 0;
  private static final int FIRST_DIGIT = 1;
  private static final int ZERO = 2;
  private static final int INTEGER = 3;
  private static final int POINT = 4;
  private static final int FRACTION = 5;
  private static final int EXPONENT = 6;
  private static final int EXPONENT_DIGIT = 7;
  private static final int EXPONENT_DIGITS = 8;

  private static final byte[] TRUE = ascii("true");
  private static final byte[] FALSE = ascii("false");
  private static final byte[] NULL = ascii("null");
  private static final byte[] BYTE_ORDER_MARK = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};
  private static final byte[] QUOTE = ascii("\"");
  private static final byte[] COMMA = ascii(",");

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long ONES = 0x0101010101010101L;
  private static final long HIGHS = 0x8080808080808080L;
  private static final long QUOTES = '"' * ONES;
  private static final long BACKSLASHES = '\\' * ONES;
  private static final long SPACES = ' ' * ONES;

  private final JsonMatcher matcher;
  private final JsonSink out;
  private final @Nullable Foresight foresight;
  private final JsonSink self = this::write;

  private int state = BEGIN;
  private long received;
  private int pieceEnd;
  private long written;

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

  // Within one token.
  private int left = PLAIN;
  private int leftCount;
  private int leftLow;
  private int leftHigh;
  private boolean escaped;
  private boolean multiByte;
  private int number;
  private byte[] word = TRUE;
  private int wordAt;

  private final MemberName name;
  private boolean nameIsKnown;
  private final Masking masking = new Masking();
  private boolean masks;

  /** Where the bytes begin that are to go on, in the piece at hand; -1 while what is read goes nowhere. */
  private int from;

  /** Whether the bytes from {@link #holdAt} on wait, behind those in {@link #held}, for a name that says whether they stay. */
  private boolean holds;

  /** Whether a member or element that goes is being read, or the comma behind it. */
  private boolean drops;

  private int holdAt;
  private byte[] held = new byte[0];
  private int heldLength;
  private int separatorLength;

  private boolean newNameCameFirst;

  /** Whether a value is being read that a move takes, and in which container. */
  private boolean captures;

  private int captureDepth;

  /** @param foresight what another walk has seen of the same text, null if this one has to do without */
  JsonWalk(JsonMatcher matcher, JsonSink out, @Nullable Foresight foresight) {
    this.matcher = matcher;
    this.out = out;
    this.foresight = foresight;
    this.child = matcher.root();
    this.name = new MemberName(matcher.longestName());
  }

  /** Takes the next piece; what it held has been written, or is remembered, when this returns. */
  void feed(byte[] in, int start, int end) throws UnprocessableBody {
    received += end - start;
    pieceEnd = end;
    if (from >= 0) {
      from = start;
      holdAt = start;
    }
    int at = start;
    while (at < end) {
      at = skipped > 0 ? skip(in, at, end) : walk(in, at, end);
    }
    endOfPiece(in, end);
  }

  /** @throws UnprocessableBody if the text is not complete */
  void finish() throws UnprocessableBody {
    if (state == IN_NUMBER && depth < 0 && skipped == 0 && isWhole(number)) {
      if (masks) {
        finishMask();
        write(QUOTE, 0, 1);
      }
      state = END;
    }
    if (state != END && !(state == AFTER && depth < 0 && skipped == 0)) {
      throw new UnprocessableBody("the JSON text ends early");
    }
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
          if (in[at] != BYTE_ORDER_MARK[wordAt]) {
            if (wordAt > 0) {
              throw bad(at);
            }
            state = VALUE;
            continue;
          }
          // Some writers put it before UTF-8 and parsers may ignore it (section 8.1).
          at++;
          if (++wordAt == BYTE_ORDER_MARK.length) {
            wordAt = 0;
            state = VALUE;
          }
          if (at == end) {
            return end;
          }
          continue;

        case FIRST_NAME:
          at = space(in, at, end);
          if (at == end) {
            return end;
          }
          if (in[at] == '}') {
            close(in, at++);
            continue;
          }
        // fall through
        case NAME: {
          at = space(in, at, end);
          if (at == end) {
            return end;
          }
          if (in[at] != '"') {
            throw bad(at);
          }
          var place = places[depth];
          if (place.isReshaped) {
            childBegins(at);
          }
          escaped = false;
          nameIsKnown = false;
          int close = string(in, at + 1, end);
          if (close < 0) {
            name.begin();
            name.take(in, at + 1, end);
            state = IN_NAME;
            return end;
          }
          if (!place.hasNames()) {
            named(in, close, null);
          } else if (escaped) {
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
          at = space(in, at, end);
          if (at == end) {
            return end;
          }
          if (in[at] != ':') {
            throw bad(at);
          }
          at++;
          state = VALUE;
        // fall through
        case VALUE: {
          at = space(in, at, end);
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
              at = string(in, at + 1, end);
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
            open(c == '{');
            at++;
            continue;
          } else {
            int begin = at;
            at = literal(in, at, end, c);
            if (masks) {
              maskLiteral(in, begin, at, end);
            }
            if (at < 0) {
              return end;
            }
          }
          valueEnds(at);
          state = AFTER;
        }
        // fall through
        case AFTER: {
          at = space(in, at, end);
          if (at == end) {
            return end;
          }
          if (depth < 0) {
            throw new UnprocessableBody("something follows the JSON text");
          }
          byte c = in[at];
          if (c == ',') {
            at++;
            if (holds && !kept[depth]) {
              drop(in);
            }
            state = objects[depth] ? NAME : ELEMENT;
            continue;
          }
          if (c != (objects[depth] ? '}' : ']')) {
            throw bad(at);
          }
          close(in, at++);
          continue;
        }

        case FIRST_ELEMENT:
          at = space(in, at, end);
          if (at == end) {
            return end;
          }
          if (in[at] == ']') {
            close(in, at++);
            continue;
          }
        // fall through
        case ELEMENT:
          at = space(in, at, end);
          if (at == end) {
            return end;
          }
          element(in, at);
          state = VALUE;
          continue;

        case IN_NAME: {
          int close = string(in, at, end);
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
          int close = string(in, at, end);
          if (masks) {
            masking.take(in, at, close < 0 ? end : close - 1);
          }
          if (close < 0) {
            return end;
          }
          if (masks) {
            finishMask();
            from = close - 1;
          }
          at = close;
          valueEnds(at);
          state = AFTER;
          continue;
        }

        case IN_NUMBER:
        case IN_WORD: {
          int begin = at;
          at = state == IN_NUMBER ? number(in, at, end) : word(in, at, end);
          if (masks) {
            masking.take(in, begin, at < 0 ? end : at);
          }
          if (at < 0) {
            return end;
          }
          if (masks) {
            finishMask();
            write(QUOTE, 0, 1);
            from = at;
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
          at = space(in, at, end);
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
          at = space(in, at, end);
          if (at == end) {
            return end;
          }
          if (in[at] != '"') {
            throw bad(at);
          }
          at = string(in, at + 1, end);
          if (at < 0) {
            state = IN_NAME;
            return end;
          }
          state = COLON;
        // fall through
        case COLON:
          at = space(in, at, end);
          if (at == end) {
            return end;
          }
          if (in[at] != ':') {
            throw bad(at);
          }
          at++;
          state = VALUE;
        // fall through
        case VALUE:
        case ELEMENT: {
          at = space(in, at, end);
          if (at == end) {
            return end;
          }
          byte c = in[at];
          if (c == '"') {
            at = string(in, at + 1, end);
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
            at = literal(in, at, end, c);
            if (at < 0) {
              return end;
            }
          }
          state = AFTER;
        }
        // fall through
        case AFTER: {
          at = space(in, at, end);
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
            throw bad(at);
          }
          at++;
          if (--skipped == 0) {
            valueEnds(at);
            return at;
          }
          continue;
        }

        case FIRST_ELEMENT:
          at = space(in, at, end);
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
          at = string(in, at, end);
          if (at < 0) {
            return end;
          }
          state = COLON;
          continue;

        case IN_STRING:
        case IN_NUMBER:
        case IN_WORD:
          at = state == IN_STRING
              ? string(in, at, end)
              : state == IN_NUMBER ? number(in, at, end) : word(in, at, end);
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

  private void open(boolean object) throws UnprocessableBody {
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
        seen[depth] = foresight.objectOpens(depth);
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
        emit(in, holds ? holdAt : at);
        add(place);
      }
      release();
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
        write(COMMA, 0, 1);
      }
      kept[depth] = true;
      sizes[depth]++;
      if (objects[depth]) {
        write(addition.member, 0, addition.member.length);
      }
      write(addition.value, 0, addition.value.length);
      if (addition.putsMoved && foresight != null) {
        foresight.put(self);
      }
      write(addition.after, 0, addition.after.length);
    }
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
      rename(in, at, known.renamed);
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
      childBegins(at);
      keepOrDrop(in, child.isRemoved);
      if (known != null) {
        seen[depth] |= known.seen;
      }
    }
  }

  private void keepOrDrop(byte[] in, boolean goes) throws UnprocessableBody {
    if (goes) {
      drop(in);
      drops = true;
      child = Place.NOTHING;
    } else {
      release();
    }
  }

  /** From here on it depends on the name. */
  private void childBegins(int at) {
    if (!holds) {
      holds = true;
      holdAt = at;
      if (from < 0) {
        from = at;
      }
    }
    separatorLength = heldLength + at - holdAt;
  }

  /** What was held goes on. */
  private void release() throws UnprocessableBody {
    if (heldLength > 0) {
      write(held, 0, heldLength);
      heldLength = 0;
    }
    holds = false;
  }

  /** What was held, and what comes, does not go on. */
  private void drop(byte[] in) throws UnprocessableBody {
    emit(in, holdAt);
    from = -1;
    heldLength = 0;
    holds = false;
  }

  private void rename(byte[] in, int at, byte[] renamed) throws UnprocessableBody {
    int early = Math.min(heldLength, separatorLength);
    if (early > 0) {
      write(held, 0, early);
    }
    emit(in, holdAt + separatorLength - early);
    write(renamed, 0, renamed.length);
    heldLength = 0;
    holds = false;
    from = at;
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
    if (child.value != null) {
      emit(in, at);
      from = -1;
      if (child.putsMoved && foresight != null) {
        foresight.put(self);
      } else {
        write(child.value, 0, child.value.length);
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
    if (from < 0) {
      from = at;
    }
    if (depth >= 0 && places[depth].isReshaped) {
      holds = true;
      holdAt = at;
      kept[depth] |= !drops;
      drops = false;
    }
  }

  /** @param at after the opening quote */
  private int maskString(byte[] in, int at, int end) throws UnprocessableBody {
    escaped = false;
    multiByte = false;
    int close = string(in, at, end);
    emit(in, at);
    if (close >= 0 && !escaped && !multiByte) {
      int length = close - 1 - at;
      int hidden = length - maskAtHand().kept(length);
      Masking.stars(hidden, self);
      from = at + hidden;
      masks = false;
      return close;
    }
    masking.begin(maskAtHand());
    masking.take(in, at, close < 0 ? end : close - 1);
    from = -1;
    if (close >= 0) {
      finishMask();
      from = close - 1;
    }
    return close;
  }

  /** @param at after the literal, -1 if the piece ended within */
  private void maskLiteral(byte[] in, int begin, int at, int end) throws UnprocessableBody {
    emit(in, begin);
    from = -1;
    write(QUOTE, 0, 1);
    masking.begin(maskAtHand());
    masking.take(in, begin, at < 0 ? end : at);
    if (at >= 0) {
      finishMask();
      write(QUOTE, 0, 1);
      from = at;
    }
  }

  private Masking.Mask maskAtHand() {
    if (child.mask == null) {
      throw new IllegalStateException();
    }
    return child.mask;
  }

  private void finishMask() throws UnprocessableBody {
    masking.finish(self);
    masks = false;
  }

  // Tokens. Each returns the place after, or -1 where the piece ended within.

  /** @param start after the opening quote, or anywhere within where the last piece ended there */
  private int string(byte[] in, int start, int end) throws UnprocessableBody {
    int at = left == PLAIN ? start : resume(in, start, end);
    while (at >= 0) {
      at = plain(in, at, end);
      if (at == end) {
        return -1;
      }
      byte c = in[at];
      if (c == '"') {
        return at + 1;
      }
      if (c == '\\') {
        escaped = true;
        at = escape(in, at + 1, end);
      } else if (c < 0) {
        multiByte = true;
        at = multiByte(in, at, end);
      } else {
        throw bad(at);
      }
    }
    return -1;
  }

  /** The first byte that is not an ordinary character of a string in ASCII. */
  private static int plain(byte[] in, int start, int end) {
    int at = start;
    while (end - at >= Long.BYTES) {
      long bytes = (long) LONG.get(in, at);
      long quotes = bytes ^ QUOTES;
      long backslashes = bytes ^ BACKSLASHES;
      // The high bit of a byte that is 0 after the xor, below 0x20, or not ASCII. A borrow can only
      // reach bytes above one that was
      // found, and the lowest one counts.
      long found = (((quotes - ONES) & ~quotes)
              | ((backslashes - ONES) & ~backslashes)
              | (bytes - SPACES)
              | bytes)
          & HIGHS;
      if (found != 0) {
        return at + (Long.numberOfTrailingZeros(found) >>> 3);
      }
      at += Long.BYTES;
    }
    while (at < end) {
      byte c = in[at];
      if (c < ' ' || c == '"' || c == '\\') {
        return at;
      }
      at++;
    }
    return at;
  }

  private int resume(byte[] in, int at, int end) throws UnprocessableBody {
    int what = left;
    left = PLAIN;
    return switch (what) {
      case ESCAPE -> escape(in, at, end);
      case HEX -> hex(in, at, end, leftCount);
      default -> continuation(in, at, end, leftCount, leftLow, leftHigh);
    };
  }

  /** @param at after the backslash */
  private int escape(byte[] in, int at, int end) throws UnprocessableBody {
    if (at == end) {
      left = ESCAPE;
      return -1;
    }
    return switch (in[at]) {
      case '"', '\\', '/', 'b', 'f', 'n', 'r', 't' -> at + 1;
      case 'u' -> hex(in, at + 1, end, 4);
      default -> throw bad(at);
    };
  }

  private int hex(byte[] in, int start, int end, int count) throws UnprocessableBody {
    int at = start;
    for (int missing = count; missing > 0; missing--) {
      if (at == end) {
        left = HEX;
        leftCount = missing;
        return -1;
      }
      if (Character.digit(in[at], 16) < 0) {
        throw bad(at);
      }
      at++;
    }
    return at;
  }

  /** Characters of several bytes (RFC 3629 section 4): no overlong form, no surrogate, nothing above U+10FFFF. */
  private int multiByte(byte[] in, int start, int end) throws UnprocessableBody {
    int at = start;
    while (at >= 0 && at < end && in[at] < 0) {
      int first = in[at] & 0xff;
      int count = first < 0xc2 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : 0;
      if (count == 0) {
        throw notUtf8();
      }
      int low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
      int high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
      at = continuation(in, at + 1, end, count, low, high);
    }
    return at;
  }

  private int continuation(byte[] in, int start, int end, int count, int low, int high)
      throws UnprocessableBody {
    int at = start;
    int least = low;
    int most = high;
    for (int missing = count; missing > 0; missing--) {
      if (at == end) {
        left = UTF8;
        leftCount = missing;
        leftLow = least;
        leftHigh = most;
        return -1;
      }
      int next = in[at] & 0xff;
      if (next < least || next > most) {
        throw notUtf8();
      }
      least = 0x80;
      most = 0xbf;
      at++;
    }
    return at;
  }

  /** A number or one of the three words, whose first byte is here. */
  private int literal(byte[] in, int at, int end, byte c) throws UnprocessableBody {
    if (c >= '1' && c <= '9') {
      int after = digits(in, at + 1, end);
      if (after < end && in[after] != '.' && (in[after] | 0x20) != 'e') {
        return after;
      }
      number = INTEGER;
      state = IN_NUMBER;
      return after == end ? -1 : number(in, after, end);
    }
    if (c == '-' || c == '0') {
      number = SIGN;
      state = IN_NUMBER;
      return number(in, at, end);
    }
    wordAt = 0;
    word = switch (c) {
      case 't' -> TRUE;
      case 'f' -> FALSE;
      case 'n' -> NULL;
      default -> throw bad(at);
    };
    state = IN_WORD;
    return word(in, at, end);
  }

  private int word(byte[] in, int start, int end) throws UnprocessableBody {
    int at = start;
    while (wordAt < word.length) {
      if (at == end) {
        return -1;
      }
      if (in[at] != word[wordAt]) {
        throw bad(at);
      }
      at++;
      wordAt++;
    }
    wordAt = 0;
    return at;
  }

  private int number(byte[] in, int start, int end) throws UnprocessableBody {
    int at = start;
    while (at < end) {
      byte c = in[at];
      switch (number) {
        case SIGN -> {
          number = FIRST_DIGIT;
          at += c == '-' ? 1 : 0;
        }
        case FIRST_DIGIT -> {
          number = digit(c, at) == '0' ? ZERO : INTEGER;
          at++;
        }
        case POINT -> {
          digit(c, at);
          number = FRACTION;
          at++;
        }
        case EXPONENT -> {
          number = EXPONENT_DIGIT;
          at += c == '+' || c == '-' ? 1 : 0;
        }
        case EXPONENT_DIGIT -> {
          digit(c, at);
          number = EXPONENT_DIGITS;
          at++;
        }
        default -> { // May be the end.
          if (number != ZERO) {
            at = digits(in, at, end);
            if (at == end) {
              return -1;
            }
            c = in[at];
          }
          if (c == '.' && number < POINT) {
            number = POINT;
          } else if ((c | 0x20) == 'e' && number < EXPONENT) {
            number = EXPONENT;
          } else {
            return at;
          }
          at++;
        }
      }
    }
    return -1;
  }

  private static boolean isWhole(int number) {
    return number == ZERO || number == INTEGER || number == FRACTION || number == EXPONENT_DIGITS;
  }

  private byte digit(byte c, int at) throws UnprocessableBody {
    if (c < '0' || c > '9') {
      throw bad(at);
    }
    return c;
  }

  private static int digits(byte[] in, int start, int end) {
    int at = start;
    while (at < end && in[at] >= '0' && in[at] <= '9') {
      at++;
    }
    return at;
  }

  /** The first byte that is not white space. */
  private static int space(byte[] in, int start, int end) {
    int at = start;
    while (at < end) {
      byte c = in[at];
      if (c > ' ' || (c != ' ' && c != '\n' && c != '\r' && c != '\t')) {
        return at;
      }
      at++;
      while (c == '\n' && end - at >= Long.BYTES && (long) LONG.get(in, at) == SPACES) {
        at += Long.BYTES;
      }
    }
    return at;
  }

  // Output.

  private void endOfPiece(byte[] in, int end) throws UnprocessableBody {
    if (masks) {
      masking.flush(self);
    }
    if (state == IN_NAME && skipped == 0 && !nameIsKnown && name.isUnknown()) {
      named(in, end, null);
      nameIsKnown = true;
    }
    if (from < 0) {
      return;
    }
    if (!holds) {
      emit(in, end);
      return;
    }
    emit(in, holdAt);
    hold(in, holdAt, end);
  }

  private void hold(byte[] in, int start, int end) throws UnprocessableBody {
    int length = heldLength + end - start;
    if (length > MAX_HELD + 6 * matcher.longestName() + 2) {
      throw new UnprocessableBody(
          "there are more than " + MAX_HELD + " bytes of white space between two members");
    }
    if (length > held.length) {
      held = Arrays.copyOf(held, Math.max(length, 2 * held.length));
    }
    System.arraycopy(in, start, held, heldLength, end - start);
    heldLength = length;
  }

  /** What has been read and not gone on goes on. */
  private void emit(byte[] in, int to) throws UnprocessableBody {
    if (from >= 0 && from < to) {
      write(in, from, to);
      from = to;
    }
  }

  private void write(byte[] bytes, int start, int end) throws UnprocessableBody {
    if (start == end) {
      return;
    }
    written += end - start;
    if (written > 4 * received + GROWTH) {
      throw new UnprocessableBody("the changed body would be too large");
    }
    out.write(bytes, start, end);
  }

  private static UnprocessableBody noWay(JsonEdit edit) {
    var at = edit instanceof JsonEdit.Move move ? move.to() : edit.at();
    return new UnprocessableBody("nothing can be set at " + at
        + ": the way leads through something that is no object, or past an array's end");
  }

  private static UnprocessableBody notUtf8() {
    return new UnprocessableBody("the body is not UTF-8");
  }

  private UnprocessableBody bad(int at) {
    return new UnprocessableBody(
        "the body is not JSON (at byte " + (received - pieceEnd + at) + ")");
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
