package dev.gatehouse.cli;

import dev.gatehouse.sandbox.EnvoyBinary;
import picocli.CommandLine.IVersionProvider;

/** What {@code --version} says. */
final class Version implements IVersionProvider {
  @Override
  public String[] getVersion() {
    return new String[] {
      "gatehouse " + number(),
      "Java " + Runtime.version() + " (" + System.getProperty("java.vendor") + ")",
      "tried with Envoy " + EnvoyBinary.VERSION
    };
  }

  /** From the jar's manifest; a run from class folders has none. */
  static String number() {
    var version = Version.class.getPackage().getImplementationVersion();
    return version == null ? "(not packaged)" : version;
  }
}
