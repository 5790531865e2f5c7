package dev.gatehouse.server;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;

/** Settings with one thing changed, for tests. */
final class Settings {
  private Settings() {}

  static ServerSettings listeners(ServerSettings of, ServerSettings.Listener... listeners) {
    return new ServerSettings(
        List.of(listeners),
        of.admin(),
        of.loops(),
        of.maxConcurrentCalls(),
        of.maxMessageBytes(),
        of.maxHeaderBytes(),
        of.maxConnectionAge(),
        of.maxConnectionAgeGrace(),
        of.drain(),
        of.stopWithin());
  }

  static ServerSettings admin(ServerSettings of, InetSocketAddress admin) {
    return new ServerSettings(
        of.listeners(),
        admin,
        of.loops(),
        of.maxConcurrentCalls(),
        of.maxMessageBytes(),
        of.maxHeaderBytes(),
        of.maxConnectionAge(),
        of.maxConnectionAgeGrace(),
        of.drain(),
        of.stopWithin());
  }

  static ServerSettings limits(ServerSettings of, int calls, int headerBytes, int messageBytes) {
    return new ServerSettings(
        of.listeners(),
        of.admin(),
        of.loops(),
        calls,
        messageBytes,
        headerBytes,
        of.maxConnectionAge(),
        of.maxConnectionAgeGrace(),
        of.drain(),
        of.stopWithin());
  }

  static ServerSettings maxConnectionAge(ServerSettings of, Duration age) {
    return new ServerSettings(
        of.listeners(),
        of.admin(),
        of.loops(),
        of.maxConcurrentCalls(),
        of.maxMessageBytes(),
        of.maxHeaderBytes(),
        age,
        of.maxConnectionAgeGrace(),
        of.drain(),
        of.stopWithin());
  }

  static ServerSettings stopWithin(ServerSettings of, Duration stopWithin) {
    return new ServerSettings(
        of.listeners(),
        of.admin(),
        of.loops(),
        of.maxConcurrentCalls(),
        of.maxMessageBytes(),
        of.maxHeaderBytes(),
        of.maxConnectionAge(),
        of.maxConnectionAgeGrace(),
        of.drain(),
        stopWithin);
  }

  /** Plaintext, on any port. */
  static ServerSettings.Listener listener(String service) {
    return new ServerSettings.Listener(Running.ANY, null, List.of(service));
  }
}
