package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.gatehouse.extproc.json.JsonEdits;
import dev.gatehouse.extproc.json.UnprocessableBody;
import dev.gatehouse.extproc.stream.HeaderChanges;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the body of one direction is waited for; it comes as a whole or in pieces. */
final class BodyWork {
  /** No body was asked for. */
  static final BodyWork NOTHING =
      new BodyWork(List.of(), List.of(), null, ContentCoding.IDENTITY, HeaderChanges.NONE, false);

  private final List<BodyEdit> edits;
  private final List<String> edited;
  private final @Nullable LateSteps late;
  private final ContentCoding coding;
  private final HeaderChanges changes;
  private final boolean headersWait;
  private @Nullable ChunkedBody chunks;
  private boolean passing;
  private boolean told;
  private boolean gaveUp;
  private boolean taken;

  /** What came of a whole body. */
  sealed interface Made {
    record New(ByteString body) implements Made {}

    record Same() implements Made {}

    /** Late steps were run over it. */
    record Ran(LateSteps.Ran ran) implements Made {}

    record Unreadable(String why) implements Made {}

    record TooLarge() implements Made {}
  }

  /**
   * @param edited what the edits change, for people
   * @param late the steps that wait for the body; null if there are none
   * @param changes of the headers, if the body changes
   * @param headersWait the answer to the headers goes out with that to the first piece
   */
  BodyWork(
      List<BodyEdit> edits,
      List<String> edited,
      @Nullable LateSteps late,
      ContentCoding coding,
      HeaderChanges changes,
      boolean headersWait) {
    this.edits = edits;
    this.edited = edited;
    this.late = late;
    this.coding = coding;
    this.changes = changes;
    this.headersWait = headersWait;
  }

  /** Whether steps wait for the body still, be it empty. */
  boolean isAwaited() {
    return late != null && !taken;
  }

  /** The whole of it has come, or it is known that there is none. */
  void taken() {
    taken = true;
  }

  boolean decodes() {
    return coding != ContentCoding.IDENTITY;
  }

  /** Whether it takes a worker to make what is to be made of it, be it small. */
  boolean isSlow(ByteString whole) {
    return decodes()
        || !edits.stream().allMatch(BodyEdit::isQuick)
        || (late != null && late.isSlow(whole));
  }

  boolean headersWait() {
    return headersWait;
  }

  HeaderChanges changes() {
    return changes;
  }

  /** What the edits change, for people: once, for all the pieces of a body. */
  List<String> tell() {
    var first = !told;
    told = true;
    return first ? edited : List.of();
  }

  /** Perhaps on a worker, so it touches nothing of the stream's. */
  Made whole(ByteString body, long limit) {
    try {
      var before = body.isEmpty() ? new byte[0] : coding.decode(body, limit);
      if (late != null) {
        return new Made.Ran(late.run(before, edits));
      }
      if (before.length == 0) {
        return new Made.Same();
      }
      var after = before;
      for (var some : edits) {
        after = some.apply(after, JsonEdits.most(before.length));
      }
      return Arrays.equals(after, before)
          ? new Made.Same()
          : new Made.New(UnsafeByteOperations.unsafeWrap(after));
    } catch (UnprocessableBody e) {
      return unreadable(String.valueOf(e.getMessage()));
    } catch (BodyTooLarge e) {
      return new Made.TooLarge();
    }
  }

  /** Late steps are run over the rest of the message where the body passes. */
  Made unreadable(String why) {
    return late == null || !late.passes()
        ? new Made.Unreadable(why)
        : new Made.Ran(late.unreadable(why));
  }

  /** Whether some of it has come in pieces. */
  boolean hasBegun() {
    return chunks != null;
  }

  ChunkedBody chunks(long limit, boolean passes) {
    if (chunks == null) {
      chunks = new ChunkedBody(edits, coding, limit, passes, headersWait);
    }
    return chunks;
  }

  /** The edits are given up. What is decoded must go on to be; else the rest goes on as it comes. @return whether that is news */
  boolean givesUp() {
    var news = !gaveUp;
    gaveUp = true;
    if (!decodes()) {
      pass();
    }
    return news;
  }

  /** The rest goes on as it comes. */
  void pass() {
    passing = true;
    close();
  }

  boolean passes() {
    return passing;
  }

  void close() {
    if (chunks != null) {
      chunks.close();
    }
  }
}
