package dev.gatehouse.bench;

import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What it takes to redact large responses, many at once. */
@Command(
    name = "redact",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Large JSON responses at once through ext-proc as it is shipped and a real Envoy as `gatehouse wire` configures it",
      "(FULL_DUPLEX_STREAMED), two fields masked in each of many records. Every byte is compared on its way.",
      "Fails unless all are as they should be and the process keeps within its memory, all of it: resident at its peak."
    })
final class Redact implements Callable<Integer> {
  @Option(
      names = "--size",
      paramLabel = "MB",
      defaultValue = "100",
      description = "of each response (default: ${DEFAULT-VALUE})")
  private int megabytes;

  @Option(
      names = "--streams",
      defaultValue = "50",
      description = "at once (default: ${DEFAULT-VALUE})")
  private int streams;

  @Option(
      names = "--slow",
      paramLabel = "STREAMS",
      defaultValue = "0",
      description = "whose client reads a little ten times a second; the run ends without them")
  private int slow;

  @Option(
      names = "--bar",
      paramLabel = "MB",
      defaultValue = "400",
      description = "that the process may have resident (default: ${DEFAULT-VALUE})")
  private int bar;

  @Option(
      names = "--java-opts",
      paramLabel = "OPTIONS",
      defaultValue = "",
      description = "of the JVM, beside those that the launcher gives")
  private String options;

  @Override
  public Integer call() throws IOException, InterruptedException {
    var folder = Scratch.create();
    try (folder;
        var redaction = new Redaction(folder.path(), megabytes * 1_000_000L, options)) {
      Bench.progress("%d responses of %d MB", streams, megabytes);
      var took = redaction.fetch(
          streams,
          slow,
          (bytes, resident) ->
              Bench.progress("%,d MB, resident %.0f MB", bytes / 1_000_000, resident));
      return judge(took) ? 0 : 1;
    }
  }

  private boolean judge(Redaction.Took took) {
    System.out.printf(
        Locale.ROOT,
        "%d responses of %d MB at once, each byte as it should be: %.0f MB/s for %.1f s%n",
        streams - slow,
        megabytes,
        took.megabytesASecond(),
        took.seconds());
    System.out.printf(
        Locale.ROOT,
        "ext-proc: resident %.0f MB before, %.0f MB at its peak (bar: %d MB); CPU %.1f ns a byte%n",
        took.restingMegabytes(),
        took.peakMegabytes(),
        bar,
        took.cpu() * 1e9 / took.bytes());
    System.out.printf(
        Locale.ROOT,
        "Envoy: resident %.0f MB at its peak; CPU %.1f ns a byte%n",
        took.envoyPeakMegabytes(),
        took.envoyCpu() * 1e9 / took.bytes());
    return took.peakMegabytes() <= bar;
  }
}
