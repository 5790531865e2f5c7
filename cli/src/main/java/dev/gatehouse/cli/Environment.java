package dev.gatehouse.cli;

import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Every long option that takes a value or is a switch can also be set by an environment variable: {@code --ext-authz-listen} by
 * {@code GATEHOUSE_EXT_AUTHZ_LISTEN}. The flag wins.
 */
record Environment(Map<String, String> env) implements IDefaultValueProvider {
  @Override
  public @Nullable String defaultValue(ArgSpec arg) {
    if (!(arg instanceof OptionSpec option) || !settable(option)) {
      return null;
    }
    var value = env.get(name(option));
    if (value != null) {
      return value;
    }
    return switch (option.longestName()) {
      case "--log-level" -> ReferenceDefaults.level(env.get("LOG_LEVEL"));
      default -> null;
    };
  }

  static boolean settable(OptionSpec option) {
    return option.longestName().startsWith("--") && !option.usageHelp() && !option.versionHelp();
  }

  /** The variable of an option. */
  static String name(OptionSpec option) {
    return "GATEHOUSE_"
        + option.longestName().substring(2).replace('-', '_').toUpperCase(Locale.ROOT);
  }
}
