package dev.gatehouse.cli;

import dev.gatehouse.cli.reference.Listing;
import dev.gatehouse.cli.reference.ReferenceEnvironment;
import dev.gatehouse.policy.source.PolicyException;
import dev.gatehouse.sandbox.NoEnvoyException;
import dev.gatehouse.server.BindException;
import dev.gatehouse.server.tls.TlsException;
import java.io.Console;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Model.UsageMessageSpec;

/** The program. Ends with 0, or 1 when something is wrong with what it was to do, or 2 when it was called in a wrong way; explain with more. */
@Command(
    name = "gatehouse",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    synopsisSubcommandLabel = "COMMAND",
    commandListHeading = "%n",
    description = {
      "Authorization, rate limiting and transformation for any Envoy, told what to do by the",
      "gateway's own policies.",
      ""
    },
    subcommands = {
      DemoCommand.class,
      RunCommand.class,
      ExtAuthzCommand.class,
      RateLimitCommand.class,
      ExtProcCommand.class,
      LintCommand.class,
      ExplainCommand.class,
      WireCommand.class,
      CasesCommand.class,
      TokenCommand.class,
      HelpCommand.class
    },
    footer = {
      "",
      "Examples:",
      "  gatehouse demo                         a shop behind a real Envoy, with lines to paste",
      "  gatehouse token --sub ada --scope orders:read   a token that the demo takes",
      "  gatehouse lint policies/               everything that is wrong with a folder of policies",
      "  gatehouse explain --policies policies/ --path /orders   what happens to a request, and why",
      "  gatehouse wire envoy --policies policies/ --out envoy/",
      "  gatehouse run --policies policies/     all three services in one process",
      "",
      "'gatehouse COMMAND --help' lists a command's options and their environment variables."
    })
public final class Gatehouse {
  private static final List<String> HELP = List.of("--help", "-h", "--version", "-V");

  public static void main(String[] args) {
    var out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    var err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
    var terminal = new Terminal(
        out,
        err,
        System.getenv(),
        Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent());
    System.exit(run(terminal, args));
  }

  /** Runs a command to its end. */
  static int run(Terminal terminal, String... args) {
    var arguments = List.of(args);
    if (arguments.indexOf("ratelimit") == 0 && Collections.disjoint(arguments, HELP)) {
      // Before any option is made of them: all that is wrong is told at once, under the variables'
      // own names.
      var problems = ReferenceEnvironment.of(terminal.env()).problems();
      if (!problems.isEmpty()) {
        problems.forEach(problem -> terminal.err().println("gatehouse: " + problem));
        return CommandLine.ExitCode.SOFTWARE;
      }
    }
    return commandLine(terminal).execute(args);
  }

  static CommandLine commandLine(Terminal terminal) {
    var line = new CommandLine(new Gatehouse(), new Commands(terminal));
    line.setOut(terminal.out());
    line.setErr(terminal.err());
    line.setDefaultValueProvider(new Environment(terminal.env()));
    var ratelimit = Objects.requireNonNull(line.getSubcommands().get("ratelimit"));
    ratelimit.setDefaultValueProvider(new ReferenceDefaults(terminal.env()));
    ratelimit.getCommandSpec().usageMessage().footer(Listing.help().toArray(String[]::new));
    line.setHelpFactory(new HelpPage());
    everywhere(line);
    line.setUsageHelpLongOptionsMaxWidth(36);
    line.setUsageHelpWidth(100);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setColorScheme(CommandLine.Help.defaultColorScheme(
        terminal.color() ? CommandLine.Help.Ansi.ON : CommandLine.Help.Ansi.OFF));
    line.setExecutionExceptionHandler((e, failed, parsed) -> explain(e, terminal));
    return line;
  }

  private static void everywhere(CommandLine line) {
    line.getHelpSectionMap()
        .put(UsageMessageSpec.SECTION_KEY_COMMAND_LIST, HelpPage::groupedCommands);
    line.getHelpSectionMap()
        .put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, HelpPage::groupedOptions);
    line.getSubcommands().values().forEach(Gatehouse::everywhere);
  }

  /** What a user can mend is said in a sentence; only what nobody foresaw shows where it happened. */
  private static int explain(Exception e, Terminal terminal) throws Exception {
    switch (e) {
      case CommandLine.ParameterException wrong -> throw wrong;
      case PolicyException policies -> {
        policies.problems().forEach(problem -> terminal.err().println(problem));
        terminal.err().println(policies.getMessage() + "; --strict refuses to start with them");
      }
      case BindException _, TlsException _, NoEnvoyException _, Failure _ ->
        terminal.err().println("gatehouse: " + e.getMessage());
      default -> e.printStackTrace(terminal.err());
    }
    return CommandLine.ExitCode.SOFTWARE;
  }
}
