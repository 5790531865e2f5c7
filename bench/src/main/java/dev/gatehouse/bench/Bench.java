package dev.gatehouse.bench;

import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Load runs: what a decision costs beside an empty gRPC server, and what a service does under a flood or with little memory. */
@Command(
    name = "bench/run",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measures a service in a process of its own, most of them beside an empty gRPC server in the same run.",
      "The bars and the figures stand in docs/performance.md. `bench/run NAME --help` says more."
    },
    synopsisSubcommandLabel = "NAME")
final class Bench implements Runnable {
  @Spec
  private CommandSpec spec;

  public static void main(String[] args) {
    System.exit(commands().execute(args));
  }

  static CommandLine commands() {
    var commands = new CommandLine(new Bench());
    for (var scenario : Scenario.values()) {
      var compare = new CommandLine(new Compare(scenario));
      var usage = compare.getCommandSpec().usageMessage();
      var description = new String[usage.description().length + 1];
      description[0] = scenario.description;
      System.arraycopy(usage.description(), 0, description, 1, description.length - 1);
      usage.description(description);
      commands.addSubcommand(scenario.word, compare);
    }
    commands.addSubcommand(new Stopped());
    commands.addSubcommand(new Flood());
    commands.addSubcommand(new Memory());
    commands.addSubcommand(new FirstRequests());
    commands.addSubcommand(new ManyKeys());
    commands.addSubcommand(new CryptoBench());
    commands.addSubcommand(new Counters());
    commands.addSubcommand(new SpliceBench());
    commands.addSubcommand(new Redact());
    commands.addSubcommand(new Latency());
    return commands;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "what is to be measured?");
  }

  static void progress(String what, Object... with) {
    System.err.printf(Locale.ROOT, what + " …%n", with);
  }
}
