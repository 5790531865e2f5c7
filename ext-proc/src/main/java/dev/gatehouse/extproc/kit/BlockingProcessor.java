package dev.gatehouse.extproc.kit;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.FailureLog;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.extproc.stream.Reply;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A processor whose callbacks may block: each runs on one of the service's virtual threads, the messages of a stream one at a time
 * and in order. The next message is not taken from the connection before, so nothing piles up.
 *
 * <p>A callback that is not done by the deadline ({@link dev.gatehouse.extproc.stream.Patience}) is interrupted, and so is one whose
 * request is gone. After a deadline the processor is called no more but for {@link #failed} and {@link #ended}.
 *
 * <p>{@link #failed}, {@link #headersLeftOut}, {@link #noBody}, {@link #gathers} and {@link #observes} are asked where the stream
 * runs: they must not block, and not touch what a late callback may still be at.
 */
public final class BlockingProcessor implements Processor {
  private static final FailureLog ENDS = new FailureLog("a blocking processor");

  private final Processor inner;
  private final ReentrantLock turn = new ReentrantLock();
  private @Nullable Failure late;

  /** @param inner may remember things in plain fields: what one callback wrote the next one sees */
  public BlockingProcessor(Processor inner) {
    this.inner = inner;
  }

  @Override
  public Reply headers(HeadersMessage headers) {
    return later(headers.direction(), () -> inner.headers(headers));
  }

  @Override
  public Reply body(Direction direction, ByteString body) {
    return later(direction, () -> inner.body(direction, body));
  }

  @Override
  public Reply chunk(Direction direction, ByteString piece, boolean last) {
    return later(direction, () -> inner.chunk(direction, piece, last));
  }

  @Override
  public Reply trailers(Direction direction, List<HeaderValue> trailers) {
    return later(direction, () -> inner.trailers(direction, trailers));
  }

  @Override
  public Reply noBody(Direction direction) {
    return late == null ? inner.noBody(direction) : inner.failed(direction, late);
  }

  @Override
  public Reply headersLeftOut(Direction direction) {
    return inner.headersLeftOut(direction);
  }

  @Override
  public long gathers(Direction direction) {
    return inner.gathers(direction);
  }

  @Override
  public boolean observes() {
    return inner.observes();
  }

  @Override
  public Reply failed(Direction direction, Failure failure) {
    if (failure.cause() == Cause.LATE) {
      late = failure;
    }
    return inner.failed(direction, failure);
  }

  /** Once what still runs has returned. */
  @Override
  public void ended(Ending ending) {
    Thread.startVirtualThread(() -> {
      turn.lock();
      try {
        inner.ended(ending);
      } catch (Exception | StackOverflowError | LinkageError | AssertionError e) {
        ENDS.failed("its end", new Failure(Cause.BROKEN, e.getClass().getSimpleName()), e);
      } finally {
        turn.unlock();
      }
    });
  }

  private Reply later(Direction direction, Callable<Reply> callback) {
    if (late != null) {
      return inner.failed(direction, late);
    }
    return new Reply.Later(() -> {
      var reply = inTurn(callback);
      return () -> reply;
    });
  }

  private Reply inTurn(Callable<Reply> callback) throws Exception {
    turn.lockInterruptibly();
    try {
      var reply = callback.call();
      return reply instanceof Reply.Later(var work) ? work.run().get() : reply;
    } finally {
      turn.unlock();
    }
  }
}
