package dev.gatehouse.cli;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problem.Severity;
import dev.gatehouse.policy.source.Front;
import dev.gatehouse.wire.envoygateway.ServiceRef;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;
import tools.jackson.databind.json.JsonMapper;

@Command(
    name = "lint",
    mixinStandardHelpOptions = true,
    description = {"Everything that is wrong with folders of policies, with file:line:column.", ""},
    footer = {
      "",
      "Reads, attaches and compiles as the services and 'wire envoy' do. Ends with 1 when there is an",
      "error; warnings count with --strict alone, open routes never. An EnvoyExtensionPolicy is compared",
      "with what the TransformPolicies on its routes need.",
      "",
      "Example:",
      "  gatehouse lint policies/ --output json",
      "  gatehouse lint policies/ --gateway envoy-gateway --ext-proc-service gatehouse/ext-proc:9002",
      "  gatehouse lint --ratelimit-config /srv/runtime_data/current/config"
    })
final class LintCommand implements Callable<Integer> {
  private static final JsonMapper JSON = JsonMapper.builder()
      .enable(tools.jackson.databind.SerializationFeature.INDENT_OUTPUT)
      .build();

  enum Output {
    text,
    json
  }

  private final Terminal terminal;

  @Parameters(paramLabel = "DIR", arity = "0..*", description = "Folders of policies.")
  List<Path> folders = List.of();

  @Option(
      names = "--ratelimit-config",
      paramLabel = "DIR",
      description = {
        "Folder of envoyproxy/ratelimit's YAML, read as",
        "RUNTIME_ROOT/RUNTIME_SUBDIRECTORY/RUNTIME_APPDIRECTORY is."
      })
  @Nullable
  Path config;

  @Option(
      names = "--merge-domains",
      description = "Its files may say parts of one domain (MERGE_DOMAIN_CONFIG).")
  boolean mergeDomains;

  @Option(
      names = "--output",
      paramLabel = "FORM",
      defaultValue = "text",
      description = "text or json. Default: ${DEFAULT-VALUE}.")
  Output output = Output.text;

  @Option(
      names = "--strict",
      description = "Warnings end with 1, too: nothing may attach to a route that is not there.")
  boolean strict;

  @Option(
      names = "--gateway",
      paramLabel = "NAME",
      defaultValue = "envoy",
      converter = FrontName.class,
      description =
          "What is in front: envoy, as 'wire envoy' configures it, or envoy-gateway, where each route"
              + " that a TransformPolicy changes needs an EnvoyExtensionPolicy, and whose own policies"
              + " are its own to enforce. Default: ${DEFAULT-VALUE}.")
  Front gateway = Front.ENVOY;

  @Option(
      names = "--ext-proc-service",
      paramLabel = "NAMESPACE/NAME:PORT",
      converter = ServiceName.class,
      description =
          "Which extProc of an EnvoyExtensionPolicy is ours. Default: those that 'wire envoy-gateway'"
              + " wrote, and those whose backend or its namespace is called gatehouse or gatehouse-….")
  @Nullable
  ServiceRef extProc;

  static final class FrontName implements ITypeConverter<Front> {
    @Override
    public Front convert(String text) {
      return switch (text) {
        case "envoy" -> Front.ENVOY;
        case "envoy-gateway" -> Front.ENVOY_GATEWAY;
        default ->
          throw new TypeConversionException("\"" + text + "\" (expected: envoy or envoy-gateway)");
      };
    }
  }

  static final class ServiceName implements ITypeConverter<ServiceRef> {
    @Override
    public ServiceRef convert(String text) {
      try {
        return ServiceRef.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(String.valueOf(e.getMessage()));
      }
    }
  }

  LintCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    if (folders.isEmpty() && config == null) {
      throw new Failure(
          "there is nothing to look at: name a folder of policies, or --ratelimit-config");
    }
    folders.forEach(LintCommand::checkFolder);
    if (config != null) {
      checkFolder(config);
    }
    var checked = Checked.folders(
        folders,
        config == null ? null : new Checked.Config(config, mergeDomains),
        new Checked.Gateway(gateway, extProc));
    if (output == Output.json) {
      terminal.out().println(json(checked));
    } else {
      text(checked);
    }
    return isSound(checked) ? 0 : 1;
  }

  private boolean isSound(Checked checked) {
    return checked.count(Severity.ERROR) == 0 && (!strict || checked.count(Severity.WARNING) == 0);
  }

  private static void checkFolder(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new Failure(folder + " is not a folder");
    }
  }

  private void text(Checked checked) {
    for (var problem : checked.problems()) {
      terminal.out().println(painted(problem));
    }
    for (var open : open(checked)) {
      terminal
          .out()
          .println(terminal.dim("open: " + title(open) + " asks nobody who the client is"));
    }
    var errors = checked.count(Severity.ERROR);
    var warnings = checked.count(Severity.WARNING);
    var summary = "%d route rules, %s, %s"
            .formatted(
                checked.rules().size(), counted(errors, "error"), counted(warnings, "warning"))
        + (gateway == Front.ENVOY ? ", %d open".formatted(open(checked).size()) : "");
    terminal.out().println(isSound(checked) ? terminal.green(summary) : terminal.red(summary));
  }

  /** Behind Envoy Gateway that is its SecurityPolicies' to say. */
  private List<AttachedRule> open(Checked checked) {
    return gateway == Front.ENVOY ? checked.open() : List.of();
  }

  private String painted(Problem problem) {
    var text = problem.toString();
    return switch (problem.severity()) {
      case ERROR -> terminal.red(text);
      case WARNING -> terminal.yellow(text);
      case NOTICE -> terminal.dim(text);
    };
  }

  private static String counted(long number, String thing) {
    return number + " " + thing + (number == 1 ? "" : "s");
  }

  private static String title(AttachedRule rule) {
    return rule.route() + " on " + rule.listener();
  }

  private String json(Checked checked) {
    var json = new LinkedHashMap<String, Object>();
    json.put("errors", checked.count(Severity.ERROR));
    json.put("warnings", checked.count(Severity.WARNING));
    json.put("problems", checked.problems().stream().map(LintCommand::json).toList());
    json.put(
        "open",
        open(checked).stream()
            .map(rule -> Map.of(
                "listener", rule.listener().toString(), "route", rule.route().toString()))
            .toList());
    return JSON.writeValueAsString(json);
  }

  private static Map<String, Object> json(Problem problem) {
    var json = new LinkedHashMap<String, Object>();
    json.put("severity", problem.severity().name().toLowerCase(java.util.Locale.ROOT));
    json.put("file", problem.origin().file());
    json.put("line", problem.origin().line());
    json.put("column", problem.origin().column());
    json.put("path", problem.path());
    json.put("message", problem.message());
    return json;
  }
}
