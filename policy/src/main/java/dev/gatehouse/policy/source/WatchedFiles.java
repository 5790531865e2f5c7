package dev.gatehouse.policy.source;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of some folders, read anew whenever one of them changed, a Kubernetes ConfigMap's {@code ..data} symlink and a swapped
 * link above the folder among it. Who waits for a change gets all files as they were at one moment.
 */
public final class WatchedFiles implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WatchedFiles.class);

  /** How often the folders are looked at where no watch reports; a look asks only for the files' states. */
  private static final Duration LOOK = Duration.ofSeconds(1);

  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

  /** A writer is done when nothing happens for so long. */
  private static final Duration QUIET = Duration.ofMillis(50);

  private static final int MAX_WAITS_FOR_QUIET = 20;

  /** A file that changed so lately may change again within the same tick of the file system's clock: it is read once more. */
  private static final Duration FRESH = Duration.ofSeconds(2);

  private final List<Path> roots;
  private final Selection selection;
  private final List<Path> above;
  private final FolderWatch watch = new FolderWatch();

  private SourceFiles.Scan scan;
  private Instant scanned;
  private volatile Duration lastLook = Duration.ZERO;
  private @Nullable Consumer<List<SourceFile>> changed;
  private @Nullable Thread watcher;
  private volatile boolean closed;

  /**
   * Reads the files the first time.
   *
   * @param above folders where a link that leads to the roots may be swapped; they are watched and not read
   */
  public WatchedFiles(List<Path> roots, Selection selection, List<Path> above) {
    this.roots = List.copyOf(roots);
    this.selection = selection;
    this.above = List.copyOf(above);
    this.scanned = Instant.now();
    this.scan = SourceFiles.read(roots, selection);
  }

  /** As they were read last, in the order of their names. */
  public synchronized List<SourceFile> files() {
    return scan.files();
  }

  /** Begins to watch. {@code changed} is called on the watcher's thread, or on that of {@link #poll}. */
  public synchronized void start(String thread, Consumer<List<SourceFile>> changed) {
    if (watcher != null || closed) {
      throw new IllegalStateException("start() comes once");
    }
    this.changed = changed;
    watch();
    watcher = Thread.ofPlatform().daemon().name(thread).start(this::run);
  }

  /** Looks for changes now; what the watcher does by itself. */
  public synchronized void poll() {
    var listener = changed;
    if (listener == null || closed || isAsItWas()) {
      return;
    }
    var now = Instant.now();
    var found = SourceFiles.read(roots, selection);
    boolean same = found.files().equals(scan.files());
    scan = found;
    scanned = now;
    watch();
    if (!same) {
      listener.accept(found.files());
    }
  }

  private boolean isAsItWas() {
    var age = Duration.between(scan.newest().toInstant(), scanned);
    boolean fresh = age.abs().compareTo(FRESH) < 0;
    if (fresh) {
      return false;
    }
    long began = System.nanoTime();
    var states = SourceFiles.states(roots, selection).states();
    lastLook = Duration.ofNanos(System.nanoTime() - began);
    return states.equals(scan.states());
  }

  private void watch() {
    var folders = new ArrayList<>(scan.folders());
    folders.addAll(above);
    watch.folders(folders);
  }

  private void run() {
    while (!closed) {
      try {
        if (watch.await(pause())) {
          awaitQuiet();
        }
        poll();
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException | StackOverflowError e) {
        LOG.error("Looking for changed files failed; what was read last stays in force", e);
      }
    }
  }

  /** Looking takes about a hundredth of one core at most, however many files there are. */
  private Duration pause() {
    var rest = lastLook.multipliedBy(100);
    return rest.compareTo(LOOK) < 0
        ? LOOK
        : rest.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : rest;
  }

  private void awaitQuiet() throws InterruptedException {
    for (int i = 0; i < MAX_WAITS_FOR_QUIET && watch.await(QUIET); i++) {
      // Somebody is still writing.
    }
  }

  /** Ends the watch. */
  @Override
  public void close() {
    closed = true;
    watch.close();
    var thread = watcher;
    if (thread == null || thread == Thread.currentThread()) {
      return;
    }
    try {
      thread.join(Duration.ofSeconds(5));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
