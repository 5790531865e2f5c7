package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.json.JsonEdits;
import dev.gatehouse.extproc.json.JsonSink;
import dev.gatehouse.extproc.json.JsonSplicer;
import dev.gatehouse.extproc.json.UnprocessableBody;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A body that comes in pieces on its way through the decoder and the steps' edits, one after the other. It holds the piece at hand,
 * zlib's window where it decodes, and what the splicers remember; what it makes of a piece is taken in portions.
 *
 * <p>One thread works on it at a time. It may be closed by another one meanwhile: whoever is the last to let go frees the decoder.
 */
final class ChunkedBody {
  /** What came of (some of) a piece. */
  sealed interface Made {
    /** @param more is to be made of the same piece */
    record Some(ByteString body, boolean more) implements Made {}

    /** It cannot be read, nothing of it has gone on, and the policy lets it pass: as it came, with the headers as they came. */
    record Untouched(String why) implements Made {}

    record Unreadable(String why) implements Made {}

    record TooLarge() implements Made {}
  }

  private enum Use {
    IDLE,
    WORKING,
    CLOSED
  }

  private final AtomicReference<Use> use = new AtomicReference<>(Use.IDLE);
  private final List<JsonSplicer> splicers = new ArrayList<>();
  private final JsonSink first;
  private final Piled out = new Piled(0);
  private final @Nullable Decoder decoder;
  private final byte[] decoded;
  private final long limit;
  private final boolean passes;
  private final boolean mayGoBack;

  private byte[] piece = {};
  private int at;
  private boolean last;
  private long received;
  private long read;
  private long made;
  private boolean tooMuch;
  private boolean anything;
  private boolean begun;
  private volatile boolean freed;
  private @Nullable String gaveUp;

  /**
   * @param limit in bytes, before and after decoding
   * @param passes a body that cannot be read goes on, instead of being refused
   * @param headersWait those of an encoded body can still say so when its first piece turns out to be unreadable
   */
  ChunkedBody(
      List<BodyEdit> edits, ContentCoding coding, long limit, boolean passes, boolean headersWait) {
    JsonSink next = this::put;
    for (var some : edits.reversed()) {
      var splicer = Objects.requireNonNull(some.streaming()).splicer(next);
      splicers.addFirst(splicer);
      next = splicer::feed;
    }
    var identity = coding == ContentCoding.IDENTITY;
    this.first = next;
    this.decoder = identity ? null : new Decoder(coding, limit);
    this.decoded = new byte[identity ? 0 : ContentCoding.BUFFER_BYTES];
    this.limit = limit;
    this.passes = passes;
    this.mayGoBack = identity || headersWait;
  }

  /** The next piece; all must have been made of the one before. */
  void take(ByteString next, boolean isLast) {
    piece = BodyBytes.of(next);
    at = 0;
    last = isLast;
    received += piece.length;
    if (decoder != null) {
      decoder.take(piece);
    }
  }

  /** @param budget of decoded bytes, about; what is made of them may be less or more */
  Made work(int budget) {
    if (!use.compareAndSet(Use.IDLE, Use.WORKING)) {
      throw new IllegalStateException("the stream is over");
    }
    try {
      return make(budget);
    } finally {
      if (!use.compareAndSet(Use.WORKING, Use.IDLE)) {
        free();
      }
    }
  }

  /** Whether the edits have changed anything so far. */
  boolean changed() {
    return splicers.stream().anyMatch(JsonSplicer::changed);
  }

  /** Why the rest goes on unedited; null if it does not. */
  @Nullable
  String gaveUp() {
    return gaveUp;
  }

  void close() {
    if (use.getAndSet(Use.CLOSED) == Use.IDLE) {
      free();
    }
  }

  /** Whether nothing is held outside of the heap any more. */
  boolean isFreed() {
    return freed;
  }

  private void free() {
    freed = true;
    if (decoder != null) {
      decoder.close();
    }
  }

  private Made make(int budget) {
    try {
      if (received > limit) {
        throw new BodyTooLarge();
      }
      out.expect(Math.min(budget, piece.length - at) + 64);
      var more = !goOn(budget);
      begun = true;
      return new Made.Some(out.take(), more);
    } catch (BodyTooLarge e) {
      return new Made.TooLarge();
    } catch (UnprocessableBody e) {
      var why = String.valueOf(e.getMessage());
      return passes && canGoBack() ? new Made.Untouched(why) : new Made.Unreadable(why);
    }
  }

  private boolean canGoBack() {
    return !begun && mayGoBack;
  }

  /** @return whether all has been made of the piece */
  private boolean goOn(int budget) throws UnprocessableBody, BodyTooLarge {
    for (var left = budget; left > 0; ) {
      var some = decoder == null ? plain(left) : decode(decoder);
      if (some == 0) {
        if (last) {
          finish();
        }
        return true;
      }
      left -= some;
    }
    return false;
  }

  private int plain(int most) throws UnprocessableBody {
    var from = at;
    at = Math.min(piece.length, from + most);
    edit(piece, from, at);
    return at - from;
  }

  private int decode(Decoder decoding) throws UnprocessableBody, BodyTooLarge {
    var some = decoding.decode(decoded);
    edit(decoded, 0, some);
    return some;
  }

  private void edit(byte[] some, int from, int to) throws UnprocessableBody {
    if (from == to) {
      return;
    }
    anything = true;
    read += to - from;
    if (gaveUp != null) {
      out.write(some, from, to);
      return;
    }
    try {
      first.write(some, from, to);
      if (tooMuch) {
        throw JsonEdits.tooLarge();
      }
    } catch (UnprocessableBody e) {
      giveUp(e);
    }
  }

  /** Where the rest is to follow as it came, it does behind what is being read: in the middle of an edit nobody could say from where. */
  private void put(byte[] some, int from, int to) throws UnprocessableBody {
    out.write(some, from, to);
    made += to - from;
    tooMuch = made > JsonEdits.most(read);
    if (tooMuch && (!passes || canGoBack())) {
      throw JsonEdits.tooLarge();
    }
  }

  /** A body without a byte is no JSON text, and nothing to be edited either. */
  private void finish() throws UnprocessableBody {
    if (decoder != null && received > 0) {
      decoder.finish();
    }
    if (!anything || gaveUp != null) {
      return;
    }
    try {
      for (var splicer : splicers) {
        splicer.finish();
      }
    } catch (UnprocessableBody e) {
      giveUp(e);
    }
  }

  /** Where some has gone on already, the rest follows as it came. */
  private void giveUp(UnprocessableBody why) throws UnprocessableBody {
    if (!passes || canGoBack()) {
      throw why;
    }
    for (var splicer : splicers.reversed()) {
      splicer.giveUp(out);
    }
    gaveUp = String.valueOf(why.getMessage());
  }
}
