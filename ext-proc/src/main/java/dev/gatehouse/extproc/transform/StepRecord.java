package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.json.JsonEdits;
import dev.gatehouse.extproc.json.UnprocessableBody;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.Reply;
import dev.gatehouse.policy.resource.Origin;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What each step of one stream did, in the order in which they were run. Read when the stream is done. */
public final class StepRecord implements StepTrace {
  private static final List<String> PSEUDO_HEADERS =
      List.of(":method", ":scheme", ":authority", ":path", ":status");

  public sealed interface End {
    record LeftOut() implements End {}

    /** It reads the body, and that passes unread. */
    record LeftOutUnread() implements End {}

    /**
     * @param why and in which part of the step, without anything that a client sent
     * @param held whether it got beyond the condition
     */
    record Failed(String why, boolean held) implements End {}

    record Responded(Reply.Respond reply) implements End {}

    record Done() implements End {}

    /** The body is not what it needs. */
    record Unreadable() implements End {}
  }

  /** One value of a header. */
  public record Header(String name, ByteString value) {}

  /**
   * @param step where it stands
   * @param before the headers as it found them
   * @param after the headers as it left them
   * @param metadata that it wrote
   */
  public record Seen(
      Direction direction,
      Origin step,
      List<Header> before,
      List<Header> after,
      List<BodyChange> body,
      Map<String, String> metadata,
      End end) {
    /** @throws UnprocessableBody if it is not what the step needs */
    public ByteString apply(ByteString text) throws UnprocessableBody {
      var made = text;
      for (var change : body) {
        made = change.apply(made);
      }
      return made;
    }
  }

  /** What a step makes of a body. */
  public interface BodyChange {
    ByteString apply(ByteString body) throws UnprocessableBody;
  }

  private final List<Seen> seen = new ArrayList<>();
  private @Nullable Running running;
  private boolean held;

  private record Running(
      Direction direction,
      Step step,
      StreamFacts facts,
      List<Header> before,
      List<BodyChange> body,
      Map<String, String> metadata) {}

  public List<Seen> seen() {
    if (running != null) {
      end(new End.Unreadable());
    }
    return List.copyOf(seen);
  }

  @Override
  public void begins(Direction direction, Step step, StreamFacts facts) {
    held = false;
    running = new Running(
        direction,
        step,
        facts,
        headers(direction, facts),
        new ArrayList<>(),
        new LinkedHashMap<>());
  }

  @Override
  public void leftOut() {
    end(new End.LeftOut());
  }

  @Override
  public void holds() {
    held = true;
  }

  @Override
  public void leftOutUnread() {
    end(new End.LeftOutUnread());
  }

  @Override
  public void waits() {
    running = null;
  }

  @Override
  public void failed(String why) {
    end(new End.Failed(why, held));
  }

  @Override
  public void responded(Reply.Respond reply) {
    end(new End.Responded(reply));
  }

  @Override
  public void replacesBody(ByteString body) {
    if (running != null) {
      running.body.add(old -> body);
    }
  }

  @Override
  public void editsBody(BodyEdit edit) {
    if (running != null) {
      running.body.add(
          old -> ByteString.copyFrom(edit.apply(old.toByteArray(), JsonEdits.most(old.size()))));
    }
  }

  @Override
  public void writes(Map<String, String> metadata) {
    if (running != null) {
      running.metadata.putAll(metadata);
    }
  }

  @Override
  public void done() {
    end(new End.Done());
  }

  private void end(End end) {
    if (running == null) {
      return;
    }
    var now = running;
    running = null;
    var changed = end instanceof End.Done;
    seen.add(new Seen(
        now.direction,
        now.step.origin(),
        now.before,
        changed ? headers(now.direction, now.facts) : now.before,
        changed ? List.copyOf(now.body) : List.of(),
        changed ? new LinkedHashMap<>(now.metadata) : Map.of(),
        end));
  }

  private static List<Header> headers(Direction direction, StreamFacts facts) {
    var edits = facts.edits(direction);
    var names = new LinkedHashSet<>(PSEUDO_HEADERS);
    names.addAll(edits.all().keySet());
    var headers = new ArrayList<Header>();
    for (var name : names) {
      edits.values(name).forEach(value -> headers.add(new Header(name, value)));
    }
    return headers;
  }
}
