package dev.gatehouse.authz;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.gatehouse.authz.Verdict.Deny;
import dev.gatehouse.authz.Verdict.Needs;
import dev.gatehouse.authz.Verdict.Reason;
import dev.gatehouse.authz.Verdict.Unavailable;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AnswersTest {
  private static final ByteString ID =
      ByteString.copyFromUtf8("11111111-2222-3333-4444-555555555555");

  private final Answers answers = new Answers();

  @ParameterizedTest
  @EnumSource
  void a_denial_has_another_status_than_ok_and_a_response(Reason reason) throws Exception {
    var answer = parse(answers.of(new Deny(reason, "", Answers.PLAIN, Map.of(), "", ""), ID));
    assertThat(answer.getStatus().getCode()).isNotZero();
    assertThat(answer.getDeniedResponse().getStatus().getCodeValue()).isIn(401, 403);
  }

  @Test
  void what_cannot_be_decided_is_a_denial_with_503() throws Exception {
    for (var verdict : List.of(new Unavailable("x", "", ""), new Needs(List.of(), ""))) {
      var answer = parse(answers.of(verdict, ID));
      assertThat(answer.getStatus().getCode()).isNotZero();
      assertThat(answer.getDeniedResponse().getStatus().getCodeValue()).isEqualTo(503);
    }
  }

  @Test
  void a_call_that_cannot_be_taken_is_a_denial_with_503() throws Exception {
    var answer = parse(Answers.unavailable());
    assertThat(answer.getStatus().getCode()).isNotZero();
    assertThat(answer.getDeniedResponse().getStatus().getCodeValue()).isEqualTo(503);
  }

  @Test
  void an_open_route_removes_owned_headers_and_names_the_decision() throws Exception {
    var grant = Grant.open(new TreeSet<>(List.of("x-user", "x-tenant")));
    var bytes = answers.of(new Verdict.Allow(grant, "open", null), ID);
    var answer = parse(bytes);
    assertThat(bytes).isNotEmpty();
    assertThat(answer.hasOkResponse()).isTrue();
    assertThat(answer.getOkResponse().getHeadersToRemoveList())
        .containsExactly("x-tenant", "x-user");
    assertThat(answer.getDynamicMetadata().getFieldsMap()).containsOnlyKeys("decision");
    assertThat(answer.toString()).contains(ID.toStringUtf8());
  }

  @Test
  void an_answer_is_its_own_so_that_the_next_id_changes_nothing_in_it() {
    var allow = new Verdict.Allow(Grant.open(new TreeSet<>()), "open", null);
    var one = answers.of(allow, ID);
    var before = one.clone();
    var other = answers.of(allow, ByteString.copyFromUtf8("99999999-2222-3333-4444-555555555555"));
    assertThat(one).isEqualTo(before).isNotEqualTo(other);
  }

  private static CheckResponse parse(byte[] bytes) throws Exception {
    return CheckResponse.parseFrom(bytes);
  }
}
