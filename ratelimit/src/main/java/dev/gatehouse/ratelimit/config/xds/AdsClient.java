package dev.gatehouse.ratelimit.config.xds;

import dev.gatehouse.server.tls.TlsException;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stays connected to a control plane: one stream at a time, and a new one after a pause when it ends. It has one thread, on which the
 * resources arrive too.
 */
final class AdsClient implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(AdsClient.class);

  private final XdsSettings settings;
  private final Subscription subscription;
  private final Pauses pauses;
  private final ScheduledThreadPoolExecutor thread = new ScheduledThreadPoolExecutor(
      1, Thread.ofPlatform().daemon().name("gatehouse-xds").factory());
  private volatile @Nullable AdsStream stream;
  private String told = "";
  private boolean closed;

  AdsClient(XdsSettings settings, Subscription.Receiver receiver, RandomGenerator random) {
    this.settings = settings;
    this.subscription = new Subscription(settings, receiver);
    this.pauses = new Pauses(settings.connectRetry(), settings.retry(), random);
    thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  void start() {
    thread.execute(this::connect);
  }

  private synchronized void connect() {
    if (closed) {
      return;
    }
    try {
      var next = new AdsStream(Channels.open(settings, thread), subscription, thread, this::ended);
      stream = next;
      next.start(XdsSettings.metadata(settings.headers()));
    } catch (TlsException e) {
      again(pauses.unreachable(), String.valueOf(e.getMessage()));
    } catch (RuntimeException e) {
      LOG.error("Connecting to the control plane {} failed", settings.server(), e);
      again(pauses.unreachable(), e.getClass().getSimpleName());
    }
  }

  private synchronized void ended(AdsStream.Ended ended) {
    if (closed) {
      return;
    }
    told = ended.reached() ? "" : told;
    var pause = ended.reached()
        ? pauses.afterStream(Duration.ofNanos(ended.nanos()))
        : pauses.unreachable();
    again(pause, Failures.explain(ended.status(), settings));
  }

  /** A control plane that stays away is in the log once, not with every attempt. */
  private void again(Duration pause, String why) {
    if (!why.equals(told)) {
      told = why;
      LOG.warn(
          "the control plane {} is not connected: {}; the limits in force stay, next attempt in {} s",
          settings.server(),
          why,
          pause.toMillis() / 1000.0);
    }
    try {
      var _ = thread.schedule(this::connect, pause.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("The client has ended", e);
    }
  }

  /** Ends the connection, then the thread. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    var last = stream;
    try {
      if (last != null) {
        last.close();
      }
      thread.shutdown();
      if (!thread.awaitTermination(5, TimeUnit.SECONDS)) {
        LOG.warn("The client of the control plane does not end; the process goes on without it");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
