package dev.gatehouse.ratelimit.redis;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.ProtocolKeyword;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * A command on its way to a {@link Node} and back. Ends exactly once, on the loop that sent it: {@link #answered}, {@link #refused} or
 * {@link #lost}; in a cluster it may go to another node before (MOVED, ASK).
 */
abstract class Sent<T> extends Command<byte[], byte[], T> {
  /** Of MOVED, ASK and TRYAGAIN together. */
  private static final int MAX_REDIRECTS = 5;

  /** As Redis reads it; null if {@code args} say it. */
  private final byte @Nullable [] message;

  private @Nullable Node node;
  private long due;
  private boolean underWay;
  private int redirects;

  Sent(
      ProtocolKeyword type,
      CommandOutput<byte[], byte[], T> output,
      CommandArgs<byte[], byte[]> args) {
    super(type, output, args);
    this.message = null;
  }

  /** @param message all of it, as Redis reads it; not to be changed any more */
  Sent(ProtocolKeyword type, CommandOutput<byte[], byte[], T> output, byte[] message) {
    super(type, output);
    this.message = message;
  }

  @Override
  public final void encode(ByteBuf buffer) {
    if (message == null) {
      super.encode(buffer);
    } else {
      buffer.writeBytes(message);
    }
  }

  static CommandArgs<byte[], byte[]> args() {
    return new CommandArgs<>(ByteArrayCodec.INSTANCE);
  }

  /** Redis did it, and said this. */
  abstract void answered(@Nullable T value);

  /** Redis answered with an error. */
  abstract void refused(String error);

  /** The connection went before the answer came, or was not there: nobody knows whether Redis did it. */
  abstract void lost();

  /** From now on it is on its way to this node. */
  final void leaves(Node to, long dueAt) {
    node = to;
    due = dueAt;
    underWay = true;
  }

  /** Tells the node that no answer came in time, if none did. Call on the loop. */
  final void timedOut() {
    if (underWay && node != null) {
      node.timedOut();
    }
  }

  @Override
  public final void complete() {
    var from = node;
    if (from == null) {
      return;
    }
    if (from.inLoop()) {
      completed(from);
    } else {
      from.execute(() -> completed(from));
    }
  }

  private void completed(Node from) {
    if (!underWay) {
      return;
    }
    var output = getOutput();
    if (!output.hasError()) {
      end(from);
      super.complete();
      from.answered(due);
      answered(output.get());
      return;
    }
    var error = String.valueOf(output.getError());
    end(from);
    from.answered(due);
    if (redirects < MAX_REDIRECTS && from.redirect(this, error)) {
      redirects++;
      return;
    }
    super.complete();
    from.complain(error);
    refused(error);
  }

  /** To be sent once more. */
  final void reset() {
    getOutput().setError((String) null);
  }

  @Override
  public final boolean completeExceptionally(Throwable why) {
    boolean first = super.completeExceptionally(why);
    loseOnLoop();
    return first;
  }

  @Override
  public final void cancel() {
    super.cancel();
    loseOnLoop();
  }

  private void loseOnLoop() {
    var from = node;
    if (from != null) {
      from.execute(() -> lose(from));
    }
  }

  /** Ends it as lost, unless it has ended. Call on the loop. */
  final void lose(Node from) {
    if (underWay && from == node) {
      end(from);
      lost();
    }
  }

  private void end(Node from) {
    underWay = false;
    from.ended();
  }
}
