package dev.gatehouse.extproc.transform;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.WarmUp;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import org.junit.jupiter.api.Test;

class StreamFactsTest {
  /** Forty kilobytes of parameters take some milliseconds, and each of a policy's conditions may look at them. */
  @Test
  void a_query_is_read_once_until_a_step_changes_it() {
    var facts = new StreamFacts(null, false);
    facts.came(new HeadersMessage(ProcessingRequest.newBuilder()
        .setRequestHeaders(WarmUp.headers(":path", "/?a=1"))
        .build()));
    var query = facts.query();
    assertThat(query).containsEntry("a", "1");
    assertThat(facts.query()).isSameAs(query);
    facts.edits(Direction.REQUEST).set(":path", ByteString.copyFromUtf8("/?a=2"));
    assertThat(facts.query()).containsEntry("a", "2");
  }
}
