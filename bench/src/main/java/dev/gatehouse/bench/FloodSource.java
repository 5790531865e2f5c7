package dev.gatehouse.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Sends tokens with random signatures over one connection: well formed, with an issuer, audience and key that exist, none twice. A
 * process of its own, so that its garbage collection does not stop the client whose latencies count.
 */
final class FloodSource implements AutoCloseable {
  private final Process process;
  private final BufferedReader said;

  private FloodSource(Process process) {
    this.process = process;
    this.said =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  /** @param message a call with a good token, whose signature is replaced */
  static FloodSource start(InetSocketAddress server, byte[] message, String token, Path folder)
      throws IOException {
    var file = Files.write(folder.resolve("flood-message"), message);
    int signatureAt = Messages.indexOf(message, token) + token.lastIndexOf('.') + 1;
    var arguments = List.of(
        FloodSource.class.getName(),
        Integer.toString(server.getPort()),
        file.toString(),
        Integer.toString(signatureAt));
    var process = ServerProcess.java(
            List.of("-XX:+UseSerialGC", "-Xmx1g", "--enable-native-access=ALL-UNNAMED"), arguments)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    return new FloodSource(process);
  }

  /** How a flood went: calls that were answered, and those of them that were let pass, of which there must be none. */
  record Flooded(long answered, long passed, double seconds) {
    double rate() {
      return answered / seconds;
    }
  }

  /**
   * Begins; {@link #end} waits until it is over.
   *
   * @param perSecond 0 means as many as the server takes, 16 in flight
   */
  void begin(double perSecond, double seconds) {
    try {
      process
          .outputWriter()
          .append(String.format(Locale.ROOT, "%f %f%n", perSecond, seconds))
          .flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Flooded end() throws IOException {
    var line = said.readLine();
    if (line == null) {
      throw new IOException("the flood broke off");
    }
    var parts = line.split(" ");
    var flooded = new Flooded(
        Long.parseLong(parts[0]), Long.parseLong(parts[1]), Double.parseDouble(parts[2]));
    if (flooded.passed > 0) {
      throw new IllegalStateException(flooded.passed + " forged tokens were let pass");
    }
    return flooded;
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }

  /** @param args port, a file with the message, where the signature stands in it; then rates and seconds on standard input */
  public static void main(String[] args) throws IOException, InterruptedException {
    var server = new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0]));
    var template = Files.readAllBytes(Path.of(args[1]));
    int at = Integer.parseInt(args[2]);
    Calls calls = () -> List.of(forged(template, at));
    var orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (var load = new Load(Scenario.AUTHZ, new Shop(), server, 1)) {
      for (var order = orders.readLine(); order != null; order = orders.readLine()) {
        var parts = order.split(" ");
        double perSecond = Double.parseDouble(parts[0]);
        double seconds = Double.parseDouble(parts[1]);
        var result =
            perSecond == 0 ? load.saturate(calls, seconds) : load.atRate(calls, perSecond, seconds);
        System.out.printf(
            Locale.ROOT, "%d %d %f%n", result.requests(), result.passed(), result.seconds());
      }
    }
  }

  /** Its first bit is 0, so that the number is below any modulus of its length and has to be raised to find out. */
  private static byte[] forged(byte[] template, int at) {
    var signature = new byte[256];
    ThreadLocalRandom.current().nextBytes(signature);
    signature[0] &= 0x7f;
    var text = Base64.getUrlEncoder().withoutPadding().encode(signature);
    var message = template.clone();
    System.arraycopy(text, 0, message, at, text.length);
    return message;
  }
}
