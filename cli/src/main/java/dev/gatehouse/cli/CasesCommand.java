package dev.gatehouse.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

@Command(
    name = "cases",
    mixinStandardHelpOptions = true,
    description = {"Runs policy cases against a real Envoy.", ""})
final class CasesCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    return 0;
  }
}
