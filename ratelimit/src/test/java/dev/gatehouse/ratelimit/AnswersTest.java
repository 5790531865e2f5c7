package dev.gatehouse.ratelimit;

import static dev.gatehouse.ratelimit.Requests.entry;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Struct;
import com.google.protobuf.UInt64Value;
import com.google.protobuf.Value;
import dev.gatehouse.ratelimit.counter.Counts;
import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Answer;
import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.Step;
import dev.gatehouse.ratelimit.descriptor.Unit;
import dev.gatehouse.ratelimit.descriptor.Window;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse.Code;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What the caller sees beside the statuses. */
final class AnswersTest {
  /** 12.75 s before a minute ends. */
  private static final long NOW = 1_767_225_647_250L;

  private final Answers plain = new Answers(AnswerSettings.REFERENCE);

  @Test
  void without_a_wish_there_is_nothing_but_code_and_statuses() {
    var answer = answer(plain, new long[] {11}, limit(10, t -> t));
    assertThat(answer.getOverallCode()).isEqualTo(Code.OVER_LIMIT);
    assertThat(answer.toBuilder().clearOverallCode().clearStatuses().build())
        .isEqualTo(RateLimitResponse.getDefaultInstance());
  }

  @Test
  void retry_after_comes_with_a_denial_only() {
    var limit = limit(10, t -> t.answer(new Answer(false, true, null)));
    assertThat(headers(answer(plain, new long[] {11}, limit)))
        .isEqualTo(Map.of("Retry-After", "13"));
    assertThat(headers(answer(plain, new long[] {10}, limit))).isEmpty();
  }

  @Test
  void retry_after_is_the_longest_of_those_that_deny() {
    var wish = new Answer(false, true, null);
    var minute = limit(10, t -> t.answer(wish));
    var day = limit(10, Window.of(Unit.DAY), t -> t.answer(wish));
    assertThat(headers(answer(plain, new long[] {11, 11}, minute, day)).get("Retry-After"))
        .isEqualTo("" + Math.ceilDiv(Window.of(Unit.DAY).remaining(NOW), 1000L));
    assertThat(headers(answer(plain, new long[] {11, 10}, minute, day)).get("Retry-After"))
        .isEqualTo("13");
  }

  @Test
  void a_token_bucket_says_when_the_request_would_pass() {
    var limit = limit(
        10, t -> t.algorithm(Algorithm.TOKEN_BUCKET, 20).answer(new Answer(false, true, null)));
    long cost = limit.bucket().cost();
    var denied = answer(plain, new long[] {21 * cost}, limit);
    assertThat(headers(denied).get("Retry-After")).isEqualTo("6");
    assertThat(denied.getStatuses(0).getDurationUntilReset().getSeconds()).isEqualTo(6);
    var passed = answer(plain, new long[] {4 * cost}, limit);
    assertThat(passed.getStatuses(0).getLimitRemaining()).isEqualTo(16);
    assertThat(passed.getStatuses(0).getDurationUntilReset().getSeconds())
        .as("until it is full again")
        .isEqualTo(24);
  }

  @Test
  void the_headers_of_the_ietf_tell_of_every_limit() {
    var wish = new Answer(true, false, null);
    var user = limit(10, t -> t.name("per \"user\"").answer(wish));
    var bucket = limit(600, t -> t.algorithm(Algorithm.TOKEN_BUCKET, 50).answer(wish));
    var hidden = limit(1, t -> t.shadow(true).answer(wish));
    var headers = headers(answer(plain, new long[] {4, 100, 1}, user, bucket, hidden));
    assertThat(headers)
        .isEqualTo(Map.of(
            "RateLimit-Policy", "\"per \\\"user\\\"\";q=10;w=60, \"limit-1\";q=50;w=60",
            "RateLimit", "\"per \\\"user\\\"\";r=6;t=13, \"limit-1\";r=49;t=1"));
  }

  @Test
  void a_denial_has_its_own_body_and_headers() {
    var limit = limit(
        10,
        t -> t.answer(new Answer(
            false,
            true,
            new Answer.Denied(
                "{\"error\":\"quota\"}", "application/json", Map.of("x-plan", "gold")))));
    var denied = answer(plain, new long[] {11}, limit);
    assertThat(denied.getRawBody().toStringUtf8()).isEqualTo("{\"error\":\"quota\"}");
    assertThat(headers(denied))
        .isEqualTo(
            Map.of("Retry-After", "13", "Content-Type", "application/json", "x-plan", "gold"));
    var passed = answer(plain, new long[] {1}, limit);
    assertThat(passed.getRawBody().isEmpty()).isTrue();
    assertThat(headers(passed)).isEmpty();
  }

  @Test
  void the_references_headers_are_of_the_limit_that_decides() {
    var answers =
        new Answers(new AnswerSettings(AnswerSettings.Headers.REFERENCE, false, false, false));
    assertThat(headers(answer(
            answers,
            new long[] {4, 9},
            limit(10, t -> t),
            limit(10, Window.of(Unit.SECOND), t -> t))))
        .isEqualTo(
            Map.of("RateLimit-Limit", "10", "RateLimit-Remaining", "1", "RateLimit-Reset", "1"));
  }

  @Test
  void in_the_services_shadow_mode_all_passes_and_the_statuses_say_what_would_have_been() {
    var answers = new Answers(new AnswerSettings(null, false, true, false));
    var answer = answer(answers, new long[] {11}, limit(10, t -> t));
    assertThat(answer.getOverallCode()).isEqualTo(Code.OK);
    assertThat(answer.getStatuses(0).getCode()).isEqualTo(Code.OVER_LIMIT);
  }

  @Test
  void a_quota_denies_only_if_every_quota_is_over() {
    var first = limit(10, t -> t.quota(true));
    var second = limit(10, t -> t.quota(true));
    assertThat(answer(plain, new long[] {11, 1}, first, second).getOverallCode())
        .isEqualTo(Code.OK);
    assertThat(answer(plain, new long[] {11, 11}, first, second).getOverallCode())
        .isEqualTo(Code.OVER_LIMIT);
    assertThat(answer(plain, new long[] {1, 11}, first, limit(10, t -> t)).getOverallCode())
        .isEqualTo(Code.OVER_LIMIT);
  }

  @Test
  void where_all_limits_are_quotas_a_descriptor_that_nothing_limits_is_enough_to_pass()
      throws Exception {
    var answers = new Answers(new AnswerSettings(null, false, false, true));
    var hits = List.of(new Hit(1, limit(10, t -> t.quota(true)), "", 1));
    for (int descriptors = 2; descriptors <= 3; descriptors++) {
      var plan = new Plan.Count(hits, descriptors, List.of(0), 0);
      var verdict = answers.judge(plan, Counts.of(hits, new long[] {11}), NOW);
      assertThat(verdict.over()).as("%s descriptors", descriptors).isEqualTo(descriptors == 2);
    }
  }

  @Test
  void dynamic_metadata_tells_the_request_and_what_its_limits_tell() {
    var answers = new Answers(new AnswerSettings(null, true, false, false));
    var gold = limit(10, t -> t.metadata(struct("plan", "gold")));
    var denied = limit(1, t -> t.name("tight").metadata(struct("never", "told")));
    var metadata = answer(answers, new long[] {1, 2}, gold, denied).getDynamicMetadata();
    assertThat(metadata.getFieldsOrThrow("domain").getStringValue()).isEqualTo("d");
    assertThat(metadata.getFieldsOrThrow("hitsAddend").getNumberValue()).isEqualTo(3);
    var first =
        metadata.getFieldsOrThrow("descriptors").getListValue().getValues(0).getStructValue();
    assertThat(first.getFieldsOrThrow("entries").getListValue().getValues(0).getStringValue())
        .isEqualTo("k=v");
    assertThat(first.getFieldsOrThrow("hitsAddend").getNumberValue()).isEqualTo(1);
    assertThat(metadata.getFieldsOrThrow("metadata").getStructValue())
        .isEqualTo(struct("plan", "gold"));
    assertThat(metadata.getFieldsOrThrow("deniedBy").getListValue().getValues(0).getStringValue())
        .isEqualTo("tight");
  }

  @Test
  void what_was_not_consumed_is_left() {
    var limit = limit(10, t -> t.countsDenied(false));
    var over = limit(1, t -> t.countsDenied(false));
    var answer = answer(plain, new long[] {4, 2}, limit, over);
    assertThat(answer.getStatuses(0).getLimitRemaining()).isEqualTo(7);
    assertThat(answer.getStatuses(1).getLimitRemaining()).isZero();
  }

  @Test
  void a_descriptor_that_is_unlimited_has_as_much_left_as_can_be_said() throws Exception {
    var plan = new Plan.Count(List.of(), 1, List.of(0), 0);
    var verdict = plain.judge(plan, Counts.NONE, NOW);
    var answer = RateLimitResponse.parseFrom(plain.of(verdict, request(1), plan));
    assertThat(answer.getStatuses(0).getCode()).isEqualTo(Code.OK);
    assertThat(answer.getStatuses(0).getLimitRemaining()).isEqualTo(-1);
    assertThat(answer.getStatuses(0).hasCurrentLimit()).isFalse();
  }

  private static RateLimitResponse answer(Answers answers, long[] used, Limit... limits) {
    var hits = new ArrayList<Hit>();
    for (var limit : limits) {
      hits.add(new Hit(hits.size(), limit, "", 1));
    }
    var plan = new Plan.Count(hits, hits.size(), List.of(), 0);
    var verdict = answers.judge(plan, Counts.of(hits, used), NOW);
    try {
      return RateLimitResponse.parseFrom(answers.of(verdict, request(limits.length), plan));
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }

  private static RateLimitRequest request(int descriptors) {
    var request = RateLimitRequest.newBuilder().setDomain("d").setHitsAddend(3);
    for (int i = 0; i < descriptors; i++) {
      request.addDescriptors(RateLimitDescriptor.newBuilder()
          .addEntries(entry("k", "v"))
          .setHitsAddend(UInt64Value.of(1)));
    }
    return request.build();
  }

  private static Map<String, String> headers(RateLimitResponse answer) {
    return answer.getResponseHeadersToAddList().stream()
        .collect(Collectors.toMap(HeaderValue::getKey, HeaderValue::getValue));
  }

  private static Struct struct(String name, String value) {
    return Struct.newBuilder()
        .putFields(name, Value.newBuilder().setStringValue(value).build())
        .build();
  }

  private static Limit limit(long requests, UnaryOperator<Limit.Terms.Builder> more) {
    return limit(requests, Window.of(Unit.MINUTE), more);
  }

  private static Limit limit(
      long requests, Window window, UnaryOperator<Limit.Terms.Builder> more) {
    var tree = new LimitTree.Builder();
    tree.limit(
        "d",
        List.of(new Step("k", "v")),
        more.apply(Limit.Terms.builder(requests, window, "x/y")).build());
    return tree.build().limits().getFirst();
  }
}
