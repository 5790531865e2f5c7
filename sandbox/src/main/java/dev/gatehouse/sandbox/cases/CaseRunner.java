package dev.gatehouse.sandbox.cases;

import dev.gatehouse.sandbox.Issuer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Runs policy cases: opens a gate for each with the case's policies, or plays against one that stands already, sends its requests
 * in order, and compares.
 */
public final class CaseRunner implements AutoCloseable {
  private final Settings settings;
  private final Issuer issuer;
  private final Issuer forger = Issuer.random();
  private final @Nullable Target target;

  /**
   * @param envoy the binary
   * @param redisUrl for cases that count in Redis; null when there is none
   */
  public record Settings(Path envoy, @Nullable String redisUrl) {}

  private CaseRunner(Settings settings, Issuer issuer, @Nullable Target target) {
    this.settings = settings;
    this.issuer = issuer;
    this.target = target;
  }

  /** Each case on a gate of its own; the tokens' keys are new. */
  public static CaseRunner onGates(Settings settings) {
    return new CaseRunner(settings, Issuer.random(), null);
  }

  /** All cases against one gateway; the tokens are the demo issuer's, which it must trust. */
  public static CaseRunner against(Target target) {
    return new CaseRunner(new Settings(Path.of(""), null), Issuer.demo(), target);
  }

  /** The folders below one that hold a case, or that folder itself, by name. */
  public static List<Path> find(Path root) {
    try (var files = Files.walk(root)) {
      return files
          .filter(file -> file.endsWith(CaseFile.NAME))
          .map(Path::getParent)
          .sorted(Comparator.comparing(Path::toString))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** @throws CaseException when the case itself cannot be read */
  public CaseResult run(String name, Path folder) {
    var file = CaseFile.read(folder);
    var about = file.about() == null ? name : file.about();
    var begun = System.nanoTime();
    var steps = target == null
        ? onGate(folder, file)
        : played(() -> new TargetStage(target, issuer), folder, file);
    return new CaseResult(name, about, steps, Duration.ofNanos(System.nanoTime() - begun));
  }

  private List<CaseResult.Step> onGate(Path folder, CaseFile file) {
    Path work;
    try {
      work = Files.createTempDirectory("gatehouse-case");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    try {
      return played(
          () -> new GateStage(folder, file.settings(), issuer, settings, work), folder, file);
    } finally {
      delete(work);
    }
  }

  private List<CaseResult.Step> played(Supplier<Stage> stage, Path folder, CaseFile file) {
    try (var opened = stage.get()) {
      var errors = opened.errors();
      var play = new Play(opened, forger, folder);
      var steps = file.requests().stream().map(play::step).toList();
      return errors.isEmpty() || steps.stream().allMatch(CaseResult.Step::passed)
          ? steps
          : explained(errors, steps);
    }
  }

  /** What is wrong with the policies may be meant; where the case fails it may be why. */
  private static List<CaseResult.Step> explained(List<String> errors, List<CaseResult.Step> steps) {
    return Stream.concat(
            Stream.of(new CaseResult.Step("errors in its policies", errors)), steps.stream())
        .toList();
  }

  private static void delete(Path folder) {
    try (var files = Files.walk(folder)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    issuer.close();
    forger.close();
    if (target != null) {
      target.close();
    }
  }
}
