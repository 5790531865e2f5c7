package dev.gatehouse.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Where the policies are and how they find a request. */
final class PolicyOptions {
  @Option(
      names = "--policies",
      paramLabel = "DIR",
      split = ",",
      description =
          "Folders of policies (.yaml, .yml, recursive); changes take effect without a restart."
              + " May be given several times.")
  List<Path> folders = new ArrayList<>();

  @Option(
      names = "--strict",
      description = "Refuse to start while any policy has an error; else it is rejected alone.")
  boolean strict;

  @Option(
      names = "--match-routes",
      description =
          "Match host, path, method, headers and query against the routes, for gateways that"
              + " can tell neither binding nor route.")
  boolean matchRoutes;

  @Option(
      names = "--client-address",
      paramLabel = "FROM",
      defaultValue = "peer",
      description =
          "Where the client's address comes from: peer, or x-envoy-external-address where Envoy has"
              + " use_remote_address. Default: ${DEFAULT-VALUE}.")
  String clientAddress = "peer";

  @Spec(Spec.Target.MIXEE)
  @Nullable
  CommandSpec command;

  /** For commands that have nothing to do without policies. */
  void mustBeThere() {
    if (folders.isEmpty() && command != null) {
      throw new ParameterException(
          command.commandLine(), "Missing required option: '--policies=DIR'");
    }
  }

  boolean addressFromHeader() {
    return addressFromHeader(clientAddress);
  }

  static boolean addressFromHeader(String clientAddress) {
    return switch (clientAddress) {
      case "peer" -> false;
      case "x-envoy-external-address" -> true;
      default ->
        throw new Failure(
            "--client-address=" + clientAddress + " (expected: peer or x-envoy-external-address)");
    };
  }
}
