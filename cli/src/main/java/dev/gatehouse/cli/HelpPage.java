package dev.gatehouse.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import picocli.CommandLine.Help;
import picocli.CommandLine.IHelpFactory;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** How help reads: commands in groups, and under each option the environment variable that sets it too. */
final class HelpPage implements IHelpFactory {
  private static final String STANDARD = "mixinStandardHelpOptions";
  private static final Map<String, List<String>> GROUPS = new LinkedHashMap<>();

  static {
    GROUPS.put("Try it:", List.of("demo", "token"));
    GROUPS.put("Serve:", List.of("run", "ext-authz", "ratelimit", "ext-proc"));
    GROUPS.put("Work on policies:", List.of("lint", "explain", "wire", "cases"));
  }

  @Override
  public Help create(CommandSpec spec, Help.ColorScheme colors) {
    return new Page(spec, colors);
  }

  static String groupedCommands(Help help) {
    var commands = help.commandSpec().subcommands();
    if (!commands.containsKey("demo")) {
      return help.commandList();
    }
    var text = new StringBuilder();
    GROUPS.forEach((title, names) -> {
      text.append(help.colorScheme().text("@|bold " + title + "|@")).append('\n');
      for (var name : names) {
        var command = Objects.requireNonNull(commands.get(name));
        var usage = command.getCommandSpec().usageMessage();
        text.append("  %-11s %s%n".formatted(name, usage.description()[0]));
      }
    });
    return text.toString();
  }

  /** The command's own options, then each mixin's, headed by the mixin's name; help and version come last. */
  static String groupedOptions(Help help) {
    var spec = help.commandSpec();
    var groups = new LinkedHashMap<String, List<OptionSpec>>();
    var own = new ArrayList<OptionSpec>();
    groups.put("Options:", own);
    own.addAll(spec.options());
    spec.mixins().forEach((name, mixin) -> {
      var mixed =
          mixin.options().stream().map(o -> spec.findOption(o.longestName())).toList();
      own.removeAll(mixed);
      groups.put(name.equals(STANDARD) ? "Other:" : name + ":", mixed);
    });
    var other = groups.remove("Other:");
    if (other != null) {
      groups.put(own.isEmpty() && groups.size() == 1 ? "Options:" : "Other:", other);
    }
    var sections = new ArrayList<String>();
    groups.forEach((title, options) -> {
      if (!options.isEmpty()) {
        sections.add(section(help, title, options));
      }
    });
    return String.join("\n", sections);
  }

  private static String section(Help help, String title, List<OptionSpec> options) {
    var layout = help.createDefaultLayout(options, List.of(), help.colorScheme());
    layout.addOptions(options, help.createDefaultParamLabelRenderer());
    return help.colorScheme().text("@|bold " + title + "|@") + "\n" + layout;
  }

  private static final class Page extends Help {
    Page(CommandSpec spec, ColorScheme colors) {
      super(spec, colors);
    }

    @Override
    public IOptionRenderer createDefaultOptionRenderer() {
      var usual = super.createDefaultOptionRenderer();
      return (option, label, colors) -> Environment.settable(option)
          ? withVariable(usual.render(option, label, colors), option, colors)
          : usual.render(option, label, colors);
    }

    private static Ansi.Text[][] withVariable(
        Ansi.Text[][] rows, OptionSpec option, ColorScheme colors) {
      var empty = Ansi.OFF.text("");
      var row = new Ansi.Text[rows[0].length];
      Arrays.fill(row, empty);
      row[row.length - 1] = colors.text("@|faint [" + Environment.name(option) + "]|@");
      var all = new ArrayList<>(List.of(rows));
      all.add(row);
      return all.toArray(Ansi.Text[][]::new);
    }
  }
}
