package dev.gatehouse.e2e.streams;

import com.google.protobuf.ByteString;
import dev.gatehouse.e2e.raw.Outgoing;
import dev.gatehouse.e2e.raw.RawClient;
import dev.gatehouse.e2e.raw.RawUpstream;
import dev.gatehouse.e2e.streams.ProcessingGate.Cache;
import dev.gatehouse.extproc.stream.Patience;
import dev.gatehouse.extproc.transform.TransformPlan;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A {@link ProcessingGate} with an upstream behind it, which asks a TransformPolicy of the test's choice about each request. */
final class TransformGate implements AutoCloseable {
  /**
   * What ends at once has ended by then, on a slow machine, too; well before the gate's idle timeout of 30 s, which would end it
   * otherwise.
   */
  static final Duration PROMPTLY = Duration.ofSeconds(15);

  /** The modes in which bodies go on in pieces. */
  static final List<BodySendMode> STREAMING =
      List.of(BodySendMode.STREAMED, BodySendMode.FULL_DUPLEX_STREAMED);

  /** What the upstream says when a request has come whole. */
  interface Answer {
    void to(Outgoing out) throws IOException, InterruptedException;
  }

  private final Map<Integer, TransformPlan> plans = new ConcurrentHashMap<>();
  private final AtomicInteger numbers = new AtomicInteger();
  private final RawUpstream upstream = new RawUpstream();
  private final ProcessingGate gate;

  TransformGate(Path folder) throws IOException {
    gate = new ProcessingGate(
        folder,
        upstream.port(),
        "10s",
        Patience.DEFAULT,
        number -> Transforms.processor(plans.get(number)));
  }

  void answers(Answer answer) {
    upstream.says((request, out) -> {
      request.body();
      answer.to(out);
    });
  }

  /** What the upstream does with a request that has only begun. */
  void says(RawUpstream.Says says) {
    upstream.says(says);
  }

  /** The sum of a counter of the ext_proc filters. */
  long count(String name) {
    return gate.count(name);
  }

  /** A client that has sent the head of a request. */
  RawClient open(TransformPlan plan, BodySendMode mode, String method, String... fields)
      throws IOException {
    var client = RawClient.to(gate.heeding());
    request(client, plan, mode, method, fields);
    return client;
  }

  /** A client that has sent the head of a request to where a cache stands behind ext_proc. */
  RawClient openCaching(
      Cache cache, TransformPlan plan, BodySendMode mode, String method, String... fields)
      throws IOException {
    var client = RawClient.to(gate.caching(cache));
    request(client, plan, mode, method, fields);
    return client;
  }

  /** Sends the head of a request. */
  void request(
      RawClient client, TransformPlan plan, BodySendMode mode, String method, String... fields)
      throws IOException {
    ProcessingGate.request(client, method, mode, mode, number(plan), fields);
  }

  /** The status of the answer to a request without a body. */
  int status(TransformPlan plan, BodySendMode mode) throws IOException {
    try (var client = open(plan, mode, "GET")) {
      return client.answer().status();
    }
  }

  /** The status of the answer to a request with a body. */
  int status(TransformPlan plan, BodySendMode mode, List<ByteString> chunks, boolean length)
      throws IOException {
    var path = ProcessingGate.path(mode, mode);
    var request = new ChunkedClient.Request(path, number(plan), chunks, false, length);
    return ChunkedClient.send(gate.heeding(), request).status();
  }

  private int number(TransformPlan plan) {
    var number = numbers.incrementAndGet();
    plans.put(number, plan);
    return number;
  }

  @Override
  public void close() {
    gate.close();
    upstream.close();
  }
}
