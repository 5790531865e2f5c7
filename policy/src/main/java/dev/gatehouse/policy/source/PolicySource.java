package dev.gatehouse.policy.source;

import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Meta;
import dev.gatehouse.policy.resource.Problem.Severity;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.Resource;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The policies of some folders, and everyone's plans made of them: all plans are swapped or none. Watches for changes, a Kubernetes
 * ConfigMap's {@code ..data} symlink among them. At start a bad policy is rejected alone; later a change that brings a new error
 * leaves the last good plans in force. An error that was there already holds back no change elsewhere: what it is in stays refused.
 */
public final class PolicySource implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PolicySource.class);

  /** How often the folders are looked at where no watch reports; a look asks only for the files' states. */
  private static final Duration LOOK = Duration.ofSeconds(1);

  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

  /** A writer is done when nothing happens for so long. */
  private static final Duration QUIET = Duration.ofMillis(50);

  private static final int MAX_WAITS_FOR_QUIET = 20;

  /** A file that changed so lately may change again within the same tick of the file system's clock: it is read once more. */
  private static final Duration FRESH = Duration.ofSeconds(2);

  private final List<Path> folders;
  private final boolean strict;
  private final List<Plan<?>> plans = new ArrayList<>();
  private final List<Consumer<Reload>> listeners = new CopyOnWriteArrayList<>();
  private final FolderWatch watch = new FolderWatch();
  private final Reading first;

  private PolicyFiles.Scan scan;
  private Instant scanned;
  private volatile Duration lastLook = Duration.ZERO;
  private PolicySet policies;
  private Set<String> errors = Set.of();
  private Instant since;
  private volatile InForce inForce;
  private @Nullable Thread watcher;
  private volatile boolean closed;

  private PolicySource(List<Path> folders, boolean strict) {
    this.folders = List.copyOf(folders);
    this.strict = strict;
    this.scanned = Instant.now();
    this.scan = PolicyFiles.read(folders);
    this.first = Reading.of(scan.files());
    this.policies = first.attach();
    this.since = scanned;
    this.inForce = new InForce(policies, metas(first), since, first.problems().all(), true);
  }

  /**
   * Reads the folders the first time.
   *
   * @param strict any error, a compiler's too, makes {@link #start} throw {@link PolicyException}
   */
  public static PolicySource folders(List<Path> folders, boolean strict) {
    return new PolicySource(folders, strict);
  }

  /** Compiles the first plan of what was read, and every later one; to be called before {@link #start}. */
  public synchronized <P> Live<P> live(PlanCompiler<P> compiler) {
    if (watcher != null) {
      throw new IllegalStateException("live() comes before start()");
    }
    var plan = Plan.first(compiler, first, policies);
    plans.add(plan);
    return plan.live();
  }

  /** Called after every load, from {@link #start}'s on, after the plans were swapped; on the thread that loads. */
  public void onLoad(Consumer<Reload> listener) {
    listeners.add(listener);
  }

  /** Puts the first load in force and begins to watch. */
  public synchronized Reload start() {
    if (watcher != null || closed) {
      throw new IllegalStateException("start() comes once");
    }
    var problems = first.problems();
    if (strict && problems.hasErrors()) {
      throw new PolicyException(problems.all());
    }
    errors = errors(problems);
    inForce = new InForce(policies, metas(first), since, problems.all(), true);
    var reload = new Reload(true, policies, problems.all(), since);
    tell(reload);
    watch.folders(scan.folders());
    watcher = Thread.ofPlatform().daemon().name("gatehouse-policies").start(this::watch);
    return reload;
  }

  /** What is in force now, and what is wrong with it or with the load that came after. */
  public InForce inForce() {
    return inForce;
  }

  /** Looks for changes now; what the watcher does by itself. */
  public synchronized void poll() {
    if (closed || isAsItWas()) {
      return;
    }
    var now = Instant.now();
    var found = PolicyFiles.read(folders);
    boolean same = found.files().equals(scan.files());
    scan = found;
    scanned = now;
    if (!same) {
      watch.folders(found.folders());
      load(Reading.of(found.files()));
    }
  }

  private boolean isAsItWas() {
    var age = Duration.between(scan.newest().toInstant(), scanned);
    boolean fresh = age.abs().compareTo(FRESH) < 0;
    if (fresh) {
      return false;
    }
    long began = System.nanoTime();
    var states = PolicyFiles.states(folders).states();
    lastLook = Duration.ofNanos(System.nanoTime() - began);
    return states.equals(scan.states());
  }

  private void load(Reading reading) {
    var problems = reading.problems();
    var next = reading.attach();
    plans.forEach(plan -> plan.prepare(next, problems));
    var found = errors(problems);
    boolean good = errors.containsAll(found);
    if (good) {
      plans.forEach(Plan::swap);
      policies = next;
      errors = found;
      since = Instant.now();
      inForce = new InForce(next, metas(reading), since, problems.all(), true);
    } else {
      plans.forEach(Plan::forget);
      inForce = new InForce(policies, inForce.resources(), since, problems.all(), false);
    }
    tell(new Reload(good, next, problems.all(), since));
  }

  /** Errors without their line: one that only moves is no new one. */
  private static Set<String> errors(Problems problems) {
    var errors = new HashSet<String>();
    for (var problem : problems.all()) {
      if (problem.severity() == Severity.ERROR) {
        errors.add(problem.origin().file() + "\n" + problem.path() + "\n" + problem.message());
      }
    }
    return errors;
  }

  private static List<Meta> metas(Reading reading) {
    return reading.resources().stream().map(Resource::meta).toList();
  }

  private void tell(Reload reload) {
    for (var listener : listeners) {
      try {
        listener.accept(reload);
      } catch (RuntimeException e) {
        LOG.error("A listener of the policies failed", e);
      }
    }
  }

  private void watch() {
    while (!closed) {
      try {
        if (watch.await(pause())) {
          awaitQuiet();
        }
        poll();
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException | StackOverflowError e) {
        LOG.error("Looking for changed policies failed; the last good ones stay in force", e);
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

  /** Ends the watch; what is in force stays so. */
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
