package dev.gatehouse.policy.source;

import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says soon that something may have changed in some folders. It only hastens: who waits looks for himself as well, because a watch
 * sees neither a link's target nor a network file system, and the system may have no watch left to give.
 */
final class FolderWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FolderWatch.class);

  private final @Nullable WatchService service;
  private final Map<Path, WatchKey> keys = new HashMap<>();
  private final CountDownLatch closing = new CountDownLatch(1);

  FolderWatch() {
    this.service = open();
  }

  private static @Nullable WatchService open() {
    try {
      return FileSystems.getDefault().newWatchService();
    } catch (IOException | UnsupportedOperationException e) {
      LOG.debug("No watch service; policy folders are looked at from time to time", e);
      return null;
    }
  }

  /** Watches these folders and no others. One that was replaced is watched anew. */
  void folders(List<Path> folders) {
    if (service == null) {
      return;
    }
    var gone = new HashSet<>(keys.keySet());
    gone.removeAll(new HashSet<>(folders));
    for (var folder : gone) {
      var key = keys.remove(folder);
      if (key != null) {
        key.cancel();
      }
    }
    for (var folder : folders) {
      try {
        var key = folder.register(
            service,
            StandardWatchEventKinds.ENTRY_CREATE,
            StandardWatchEventKinds.ENTRY_MODIFY,
            StandardWatchEventKinds.ENTRY_DELETE);
        var before = keys.put(folder, key);
        if (before != null && !before.equals(key)) {
          before.cancel();
        }
      } catch (IOException | ClosedWatchServiceException e) {
        LOG.debug("{} is not watched, only looked at from time to time", folder, e);
      }
    }
  }

  /** Waits for a change, at most so long; true if there was one. */
  boolean await(Duration most) throws InterruptedException {
    if (service == null) {
      closing.await(most.toMillis(), TimeUnit.MILLISECONDS);
      return false;
    }
    try {
      var key = service.poll(most.toMillis(), TimeUnit.MILLISECONDS);
      if (key == null) {
        return false;
      }
      key.pollEvents();
      key.reset();
      return true;
    } catch (ClosedWatchServiceException e) {
      return false;
    }
  }

  @Override
  public void close() {
    closing.countDown();
    try {
      if (service != null) {
        service.close();
      }
    } catch (IOException e) {
      LOG.debug("Closing the watch failed", e);
    }
  }
}
