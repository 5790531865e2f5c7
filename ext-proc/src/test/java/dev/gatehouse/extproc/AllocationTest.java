package dev.gatehouse.extproc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.sun.management.ThreadMXBean;
import dev.gatehouse.extproc.json.JsonEdit;
import dev.gatehouse.extproc.json.JsonEdits;
import dev.gatehouse.extproc.json.JsonPath;
import dev.gatehouse.extproc.json.UnprocessableBody;
import dev.gatehouse.extproc.kit.StreamContext;
import dev.gatehouse.extproc.stream.Patience;
import dev.gatehouse.extproc.stream.ProcessorStream;
import dev.gatehouse.extproc.stream.ProcessorStream.Opened;
import dev.gatehouse.extproc.transform.Transforming;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.policy.source.Load;
import dev.gatehouse.server.DecisionListener;
import io.envoyproxy.envoy.config.core.v3.HeaderMap;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpBody;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpHeaders;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProtocolConfiguration;
import io.grpc.Metadata;
import io.grpc.Status;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Holds the ordinary streams to what they allocate: all that is done between gRPC's messages and its answers. */
class AllocationTest {
  private static final int STREAMS = 5_000;

  /** Until the code is compiled, which takes as long as the machine is busy. */
  private static final int ATTEMPTS = 30;

  /** Answers are ready; what is left are the stream, its state and what is told at its end. */
  private static final long HEADERS_BYTES = 2_300;

  /** The body's copies: the one that is written, and the answer's. */
  private static final long MASKED_BYTES = 14_500;

  /** A byte that goes through a splicer; what it allocates is a matter of the depth, not of the length. */
  private static final double SPLICED_BYTES = 0.01;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @Test
  void a_stream_of_headers_both_ways_with_three_changes_each_costs_few_bytes() {
    var policy = """
        request:
        - headers: {remove: [cookie], set: {x-gateway: gatehouse, x-api-version: "2"}}
        response:
        - headers: {remove: [server, x-powered-by], set: {strict-transport-security: max-age=31536000}}
        """;
    var messages = List.of(requestHeaders(BodySendMode.NONE), responseHeaders("17"));
    assertThat(aStream(policy, messages, HEADERS_BYTES))
        .as("bytes allocated a stream")
        .isLessThanOrEqualTo(HEADERS_BYTES);
  }

  @Test
  void masking_two_fields_in_4_KiB_costs_few_copies_of_the_body() {
    var policy = """
        response:
        - json: [{op: mask, at: /card, keepLast: 4}, {op: mask, at: /iban, keepLast: 4}]
        """;
    var fields = "{\"card\":\"4111111111111111\",\"iban\":\"DE89370400440532013000\",\"lines\":[";
    var body = ByteString.copyFromUtf8(fields + "{\"a\":12.5},".repeat(350) + "{}]}");
    var messages = List.of(
        requestHeaders(BodySendMode.BUFFERED),
        responseHeaders(Integer.toString(body.size())),
        ProcessingRequest.newBuilder()
            .setResponseBody(HttpBody.newBuilder().setBody(body).setEndOfStream(true))
            .build());
    assertThat(aStream(policy, messages, MASKED_BYTES))
        .as("bytes allocated a stream, of a body of " + body.size())
        .isLessThanOrEqualTo(MASKED_BYTES);
    assertThat(body.toStringUtf8()).as("the body that came").startsWith(fields);
  }

  @Test
  void splicing_allocates_next_to_nothing_however_long_the_text_is() throws UnprocessableBody {
    var edits = JsonEdits.of(List.of(
        new JsonEdit.Mask(JsonPath.parse("/records/*/card"), 4),
        new JsonEdit.Mask(JsonPath.parse("/**/iban"), 4)));
    var record =
        "{\"id\":4711,\"card\":\"4111111111111111\",\"b\":{\"iban\":\"DE89370400440532013000\",\"c\":[1,2]}},";
    var text = ("{\"records\":[" + record.repeat(20_000) + "{}]}").getBytes(StandardCharsets.UTF_8);
    double least = Double.MAX_VALUE;
    for (int attempt = 0; attempt < ATTEMPTS && least > SPLICED_BYTES; attempt++) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      splice(edits, text);
      least = Math.min(
          least, (double) (THREADS.getCurrentThreadAllocatedBytes() - before) / text.length);
    }
    assertThat(least).as("bytes allocated a byte").isLessThanOrEqualTo(SPLICED_BYTES);
  }

  private static void splice(JsonEdits edits, byte[] text) throws UnprocessableBody {
    int piece = 16_384;
    var written = new long[1];
    var splicer = edits.splicer((bytes, from, to) -> written[0] += to - from);
    for (int at = 0; at < text.length; at += piece) {
      splicer.feed(text, at, Math.min(at + piece, text.length));
    }
    splicer.finish();
    assertThat(written[0]).isEqualTo(text.length);
  }

  /** The least of a few attempts, until one is good enough. */
  private static long aStream(String policy, List<ProcessingRequest> messages, long enough) {
    var load = Load.text("test.yaml", Transforming.yaml(policy));
    var plans = PlanBook.compile(load.policies(), null, load.problems());
    var chooser = new Chooser(
        new ExtProcSettings(false, false), DecisionListener.NONE, WarmUpPolicy.warmUp(), null);
    var metadata = new Metadata();
    metadata.put(key(Bindings.LISTENER_METADATA), "shop/web/http");
    metadata.put(key(Bindings.ROUTE_METADATA), "HTTPRoute/shop/orders/list");
    var outlet = new Answers();
    long least = Long.MAX_VALUE;
    for (int attempt = 0; attempt < ATTEMPTS && least > enough; attempt++) {
      outlet.bytes = 0;
      outlet.answers = 0;
      long before = THREADS.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < STREAMS; i++) {
        var stream = new ProcessorStream(
            first -> new Opened.With(chooser.open(plans, new StreamContext(metadata, first))),
            outlet,
            NO_TIMERS,
            Runnable::run,
            Patience.DEFAULT);
        for (int m = 0; m < messages.size(); m++) {
          stream.message(messages.get(m));
        }
        stream.ended();
      }
      least = Math.min(least, (THREADS.getCurrentThreadAllocatedBytes() - before) / STREAMS);
    }
    assertThat(outlet.answers).isEqualTo(STREAMS * messages.size());
    assertThat(outlet.bytes / STREAMS)
        .as("answers that change something")
        .isGreaterThan(messages.getLast().getSerializedSize() / 2);
    return least;
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  private static ProcessingRequest requestHeaders(BodySendMode responseBody) {
    return ProcessingRequest.newBuilder()
        .setRequestHeaders(HttpHeaders.newBuilder().setHeaders(headers("""
                :method: GET
                :path: /orders/4711
                :scheme: https
                :authority: shop.example
                accept: application/json
                accept-encoding: gzip, br
                cookie: a=b
                x-request-id: 4711
                """)).setEndOfStream(true))
        .setProtocolConfig(ProtocolConfiguration.newBuilder().setResponseBodyMode(responseBody))
        .build();
  }

  private static ProcessingRequest responseHeaders(String length) {
    return ProcessingRequest.newBuilder()
        .setResponseHeaders(HttpHeaders.newBuilder().setHeaders(headers("""
                :status: 200
                content-type: application/json
                content-length: %s
                server: shop/1.2
                x-powered-by: shop
                """.formatted(length))))
        .build();
  }

  private static HeaderMap headers(String lines) {
    var map = HeaderMap.newBuilder();
    for (var line : lines.lines().toList()) {
      int colon = line.indexOf(": ");
      map.addHeaders(HeaderValue.newBuilder()
          .setKey(line.substring(0, colon))
          .setRawValue(ByteString.copyFromUtf8(line.substring(colon + 2))));
    }
    return map.build();
  }

  private static final ProcessorStream.Loop NO_TIMERS = new ProcessorStream.Loop() {
    @Override
    public void execute(Runnable task) {
      throw new AssertionError("nothing comes from elsewhere");
    }

    @Override
    public Runnable after(Duration time, Runnable task) {
      throw new AssertionError("nothing is late");
    }
  };

  /** Counts the answers. */
  private static final class Answers implements ProcessorStream.Outlet {
    private long answers;
    private long bytes;

    @Override
    public void send(byte[] answer) {
      answers++;
      bytes += answer.length;
    }

    @Override
    public boolean ready() {
      return true;
    }

    @Override
    public void next() {}

    @Override
    public void close(Status status) {
      throw new AssertionError("the stream is failed: " + status);
    }
  }
}
