package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.Reply;
import java.util.Map;

/**
 * Who is told of each step as it is run: nobody while serving, {@code gatehouse explain} when somebody asks why. A step begins, and
 * ends in one of {@link #leftOut}, {@link #leftOutUnread}, {@link #failed}, {@link #responded}, {@link #done}; in between it may say what it does to the body.
 */
interface StepTrace {
  StepTrace NONE = new StepTrace() {
    @Override
    public boolean listens() {
      return false;
    }
  };

  /** False lets a direction whose steps do the same to every message be answered without running them. */
  default boolean listens() {
    return true;
  }

  /** Its turn has come. */
  default void begins(Direction direction, Step step, StreamFacts facts) {}

  /** The condition does not hold. */
  default void leftOut() {}

  /** The condition holds, or there is none: what fails from here on is another part of the step. */
  default void holds() {}

  /** It needs the body, which passes unread (onUnprocessable: Pass). */
  default void leftOutUnread() {}

  /** It needs the body, which is to come: it will begin again then. */
  default void waits() {}

  /** The condition or a template could not be evaluated; the steps behind go on where it says {@code onError: Skip}. */
  default void failed(String why) {}

  /** It answers the client. */
  default void responded(Reply.Respond reply) {}

  /** Instead of the body that came, or that a step before made. */
  default void replacesBody(ByteString body) {}

  /** Of the body as the steps before have left it. */
  default void editsBody(BodyEdit edit) {}

  /** Written to the dynamic metadata. */
  default void writes(Map<String, String> metadata) {}

  /** What it changes beside these is in the facts. */
  default void done() {}
}
