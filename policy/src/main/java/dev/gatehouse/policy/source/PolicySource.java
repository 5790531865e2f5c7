package dev.gatehouse.policy.source;

import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Meta;
import dev.gatehouse.policy.resource.Problem.Severity;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.Resource;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The policies of some folders, and everyone's plans made of them: all plans are swapped or none. Watches for changes.
 * At start a bad policy is rejected alone; later a change that brings a new error
 * leaves the last good plans in force. An error that was there already holds back no change elsewhere: what it is in stays refused.
 */
public final class PolicySource implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PolicySource.class);

  private final boolean strict;
  private final Front front;
  private final WatchedFiles files;
  private final List<Plan<?>> plans = new ArrayList<>();
  private final List<Consumer<Reload>> listeners = new CopyOnWriteArrayList<>();
  private final Reading first;

  private PolicySet policies;
  private Set<String> errors = Set.of();
  private Instant since;
  private volatile InForce inForce;
  private boolean started;

  private PolicySource(List<Path> folders, boolean strict, Front front) {
    this.strict = strict;
    this.front = front;
    this.since = Instant.now();
    this.files = new WatchedFiles(folders, Selection.POLICIES, List.of());
    this.first = Reading.of(files.files(), front);
    this.policies = first.attach();
    this.inForce = new InForce(policies, metas(first), since, first.problems().all(), true);
  }

  /**
   * Reads the folders the first time.
   *
   * @param strict any error, a compiler's too, makes {@link #start} throw {@link PolicyException}
   */
  public static PolicySource folders(List<Path> folders, boolean strict) {
    return folders(folders, strict, Front.ENVOY);
  }

  /** As they are to be read behind a gateway. */
  public static PolicySource folders(List<Path> folders, boolean strict, Front front) {
    return new PolicySource(folders, strict, front);
  }

  /** Compiles the first plan of what was read, and every later one; to be called before {@link #start}. */
  public synchronized <P> Live<P> live(PlanCompiler<P> compiler) {
    if (started) {
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
    if (started) {
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
    files.start("gatehouse-policies", changed -> load(Reading.of(changed, front)));
    started = true;
    return reload;
  }

  /** What is in force now, and what is wrong with it or with the load that came after. */
  public InForce inForce() {
    return inForce;
  }

  /** Looks for changes now; what the watcher does by itself. */
  public void poll() {
    files.poll();
  }

  private synchronized void load(Reading reading) {
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

  /** Ends the watch; what is in force stays so. */
  @Override
  public void close() {
    files.close();
  }
}
