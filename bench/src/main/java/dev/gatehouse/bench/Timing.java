package dev.gatehouse.bench;

import picocli.CommandLine.Option;

/** How long is measured, and how often. */
final class Timing {
  @Option(
      names = "--seconds",
      defaultValue = "6",
      description = "of each measurement (default: ${DEFAULT-VALUE})")
  double seconds;

  @Option(
      names = "--rounds",
      defaultValue = "5",
      description = "how often each is measured, in turn (default: ${DEFAULT-VALUE})")
  int rounds;

  @Option(
      names = "--warm-up",
      defaultValue = "10",
      description = "seconds of load before (default: ${DEFAULT-VALUE})")
  double warmUp;
}
