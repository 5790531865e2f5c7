package dev.gatehouse.bench;

import com.sun.management.ThreadMXBean;
import dev.gatehouse.extproc.json.JsonEdit;
import dev.gatehouse.extproc.json.JsonEdits;
import dev.gatehouse.extproc.json.JsonPath;
import dev.gatehouse.extproc.json.UnprocessableBody;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.async.ByteArrayFeeder;
import tools.jackson.core.json.JsonFactory;

/**
 * What splicing a large JSON text costs that comes in pieces: two fields masked in each of many records, beside Jackson's non-blocking
 * parser, which only walks the same pieces, and a loop that only looks at every byte. Medians over rounds; all take turns.
 */
@Command(
    name = "splice",
    mixinStandardHelpOptions = true,
    description = {
      "Two fields masked in each of many records of one JSON text, beside the rate at which Jackson's non-blocking parser",
      "walks the same pieces, and a loop over the bytes. CPU time of one thread; the bar is 1.0 of Jackson's rate."
    })
final class SpliceBench implements Callable<Integer> {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @Option(
      names = "--megabytes",
      defaultValue = "50",
      description = "of text (default: ${DEFAULT-VALUE})")
  private int megabytes;

  @Option(
      names = "--piece",
      split = ",",
      paramLabel = "BYTES",
      defaultValue = "16384,65536",
      description =
          "of a piece, one after the other (default: ${DEFAULT-VALUE}: an HTTP/2 frame, and what Envoy reads at most)")
  private List<Integer> pieces = List.of();

  @Option(
      names = "--rounds",
      defaultValue = "11",
      description = "how often each is measured, in turn (default: ${DEFAULT-VALUE})")
  private int rounds;

  private interface Work {
    /** @return something that depends on all that was read */
    long run() throws UnprocessableBody;
  }

  /** One that is measured. */
  private static final class Arm {
    private final String name;
    private final Work work;
    private final List<Double> rates = new ArrayList<>();
    private double allocated;

    Arm(String name, Work work) {
      this.name = name;
      this.work = work;
    }

    double rate() {
      return rates.stream().sorted().toList().get(rates.size() / 2);
    }

    /** Round by round, sorted. */
    List<Double> ratios(Arm other) {
      return IntStream.range(0, rates.size())
          .mapToObj(round -> rates.get(round) / other.rates.get(round))
          .sorted()
          .toList();
    }
  }

  @Override
  public Integer call() throws UnprocessableBody {
    var text = text(megabytes);
    var masks = JsonEdits.of(List.of(
        new JsonEdit.Mask(JsonPath.parse("/records/*/card"), 4),
        new JsonEdit.Mask(JsonPath.parse("/records/*/iban"), 4)));
    var anywhere = JsonEdits.of(List.of(
        new JsonEdit.Mask(JsonPath.parse("/**/card"), 4),
        new JsonEdit.Mask(JsonPath.parse("/**/iban"), 4)));
    for (int piece : pieces) {
      var jackson = new Arm("Jackson, walk only", () -> walk(text, piece));
      var arms = List.of(
          new Arm("splice, two masks", () -> splice(text, piece, masks)),
          new Arm("splice, two masks by **", () -> splice(text, piece, anywhere)),
          jackson,
          new Arm("every byte looked at", () -> look(text, piece)));
      Bench.progress("%d MB in pieces of %d bytes, %d rounds", megabytes, piece, rounds);
      for (int round = -3; round < rounds; round++) {
        for (var arm : arms) {
          measure(arm, text.length, round >= 0); // those before warm it
        }
      }
      print(piece, arms, jackson);
    }
    return 0;
  }

  private static void print(int piece, List<Arm> arms, Arm jackson) {
    System.out.printf(Locale.ROOT, "pieces of %,d bytes%n", piece);
    for (var arm : arms) {
      System.out.printf(
          Locale.ROOT,
          "  %-24s %6.0f MB/s %8.4f bytes allocated a byte %6.2f x Jackson (%.2f to %.2f)%n",
          arm.name,
          arm.rate(),
          arm.allocated,
          arm.rate() / jackson.rate(),
          arm.ratios(jackson).getFirst(),
          arm.ratios(jackson).getLast());
    }
  }

  private static void measure(Arm arm, int bytes, boolean counts) throws UnprocessableBody {
    long allocatedBefore = THREADS.getCurrentThreadAllocatedBytes();
    long before = THREADS.getCurrentThreadCpuTime();
    long result = arm.work.run();
    long nanos = THREADS.getCurrentThreadCpuTime() - before;
    long allocated = THREADS.getCurrentThreadAllocatedBytes() - allocatedBefore;
    if (result == 0) {
      throw new IllegalStateException(arm.name + " has read nothing");
    }
    if (counts) {
      arm.rates.add(bytes * 1e3 / nanos);
      arm.allocated = (double) allocated / bytes;
    }
  }

  private long splice(byte[] text, int piece, JsonEdits edits) throws UnprocessableBody {
    var written = new long[1];
    var splicer = edits.splicer((bytes, from, to) -> written[0] += to - from);
    for (int at = 0; at < text.length; at += piece) {
      splicer.feed(text, at, Math.min(at + piece, text.length));
    }
    splicer.finish();
    if (written[0] != text.length) {
      throw new IllegalStateException("a mask is as long as what it hides");
    }
    return written[0];
  }

  private long walk(byte[] text, int piece) {
    long tokens = 0;
    try (var parser =
        new JsonFactory().createNonBlockingByteArrayParser(ObjectReadContext.empty())) {
      var feeder = (ByteArrayFeeder) parser.nonBlockingInputFeeder();
      for (int at = 0; at < text.length; at += piece) {
        feeder.feedInput(text, at, Math.min(at + piece, text.length));
        while (parser.nextToken() != JsonToken.NOT_AVAILABLE) {
          tokens++;
        }
      }
      feeder.endOfInput();
      while (parser.nextToken() != null) {
        tokens++;
      }
    }
    return tokens;
  }

  private long look(byte[] text, int piece) {
    long quotes = 1;
    for (int at = 0; at < text.length; at += piece) {
      quotes += quotes(text, at, Math.min(at + piece, text.length));
    }
    return quotes;
  }

  private static long quotes(byte[] text, int from, int to) {
    long quotes = 0;
    for (int i = from; i < to; i++) {
      if (text[i] == '"') {
        quotes++;
      }
    }
    return quotes;
  }

  private static byte[] text(int megabytes) {
    var random = new Random(6);
    var text = new StringBuilder(megabytes * 1_000_000 + 1_000).append("{\"records\":[");
    for (int i = 0; text.length() < megabytes * 1_000_000; i++) {
      if (i > 0) {
        text.append(',');
      }
      Records.append(text, random, 1_000_000 + i, false);
    }
    return text.append("]}").toString().getBytes(StandardCharsets.UTF_8);
  }
}
