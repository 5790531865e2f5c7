package dev.gatehouse.server;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The event loops that gRPC, and whatever must stay on the same thread with it, run on: epoll where there is one, else NIO. */
public final class EventLoops implements AutoCloseable {
  private EventLoops() {}

  /** @param count 0 means one a processor */
  public static EventLoops start(int count) {
    throw new UnsupportedOperationException();
  }

  public EventLoopGroup group() {
    throw new UnsupportedOperationException();
  }

  public List<EventLoop> all() {
    throw new UnsupportedOperationException();
  }

  /** The loop that the caller runs on, or null on any other thread. */
  public static @Nullable EventLoop current() {
    throw new UnsupportedOperationException();
  }

  /** {@code epoll} or {@code nio}. */
  public String transport() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}
}
