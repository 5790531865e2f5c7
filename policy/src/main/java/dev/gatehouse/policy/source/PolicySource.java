package dev.gatehouse.policy.source;

import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * The policies of some folders, and everyone's plans made of them: all plans are swapped or none. Watches for changes,
 * a Kubernetes ConfigMap's {@code ..data} symlink among them. At start a bad policy is rejected alone; later a bad change
 * leaves the last good plans in force.
 */
public final class PolicySource implements AutoCloseable {
  private PolicySource() {}

  /**
   * Reads the folders the first time.
   *
   * @param strict any error, a compiler's too, makes {@link #start} throw {@link PolicyException}
   */
  public static PolicySource folders(List<Path> folders, boolean strict) {
    throw new UnsupportedOperationException();
  }

  /** Compiles the first plan of what was read, and every later one; to be called before {@link #start}. */
  public <P> Live<P> live(PlanCompiler<P> compiler) {
    throw new UnsupportedOperationException();
  }

  /** Called after every load, from {@link #start}'s on, after the plans were swapped. */
  public void onLoad(Consumer<Reload> listener) {
    throw new UnsupportedOperationException();
  }

  /** Puts the first load in force and begins to watch. */
  public Reload start() {
    throw new UnsupportedOperationException();
  }

  /** Looks for changes now; what the watcher does by itself. */
  public void poll() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}
}
