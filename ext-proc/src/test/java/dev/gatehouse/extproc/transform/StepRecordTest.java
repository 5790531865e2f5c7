package dev.gatehouse.extproc.transform;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.DirectPeer;
import dev.gatehouse.extproc.stream.ProcessorStream.Opened;
import dev.gatehouse.extproc.transform.StepRecord.End;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.server.DecisionListener;
import io.envoyproxy.envoy.config.core.v3.HeaderMap;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpHeaders;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class StepRecordTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "request: [{headers: {remove: [x-a], set: {x-b: b}, add: {x-c: c}}}]",
        "request: [{when: request.method == 'GET', headers: {rename: {x-a: x-b}}}, {when: request.method == 'PUT', headers: {remove: [x-b]}}]",
        "request: [{headers: {set: {x-m: \"${request.method}\"}}, query: {set: {a: b}}}]",
        "request: [{respond: {status: 418, body: tea}}, {headers: {set: {x-b: b}}}]",
        "request: [{when: \"request.headers['x-none'] == 'a'\", headers: {set: {x-b: b}}}]",
        "response: [{json: [{op: remove, at: /a}]}]"
      })
  void a_stream_that_is_recorded_is_answered_as_one_that_is_not(String policy) {
    assertThat(answer(policy, new StepRecord())).isEqualTo(answer(policy, null));
  }

  @Test
  void steps_are_recorded_up_to_the_one_that_fails() {
    var policy = """
        request:
        - headers: {set: {x-a: b}}
        - when: request.method == 'PUT'
          headers: {remove: [x-a]}
        - when: request.headers['x-none'] == 'a'
          headers: {set: {x-y: y}}
        - headers: {set: {x-z: z}}
        """;
    var record = new StepRecord();
    answer(policy, record);
    assertThat(record.seen())
        .extracting(StepRecord.Seen::end)
        .hasSize(3)
        .satisfiesExactly(
            end -> assertThat(end).isInstanceOf(End.Done.class),
            end -> assertThat(end).isInstanceOf(End.LeftOut.class),
            end -> assertThat(end).isInstanceOf(End.Failed.class));
    assertThat(record.seen().getFirst().before())
        .contains(new StepRecord.Header("x-a", ByteString.copyFromUtf8("1")));
    assertThat(record.seen().getFirst().after())
        .contains(new StepRecord.Header("x-a", ByteString.copyFromUtf8("b")));
  }

  private static ProcessingResponse answer(String policy, @Nullable StepRecord record) {
    var problems = new Problems();
    var plan = new TransformCompiler(problems).compile(Transforming.policy(policy));
    if (plan == null) {
      throw new AssertionError("the policy does not compile: " + problems.all());
    }
    var peer = new DirectPeer(first -> new Opened.With(new TransformProcessor(
        plan, new StreamFacts(null, false), "", DecisionListener.NONE, record)));
    return peer.answerTo(ProcessingRequest.newBuilder()
        .setRequestHeaders(HttpHeaders.newBuilder()
            .setEndOfStream(true)
            .setHeaders(HeaderMap.newBuilder()
                .addHeaders(header(":method", "GET"))
                .addHeaders(header(":path", "/orders?x=y"))
                .addHeaders(header("x-a", "1"))))
        .build());
  }

  private static HeaderValue header(String name, String value) {
    return HeaderValue.newBuilder()
        .setKey(name)
        .setRawValue(ByteString.copyFromUtf8(value))
        .build();
  }
}
