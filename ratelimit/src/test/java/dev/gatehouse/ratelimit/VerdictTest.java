package dev.gatehouse.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Duration;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.gatehouse.ratelimit.counter.Counts;
import dev.gatehouse.ratelimit.counter.Hit;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import dev.gatehouse.ratelimit.descriptor.Step;
import dev.gatehouse.ratelimit.descriptor.Unit;
import dev.gatehouse.ratelimit.descriptor.Window;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse.Code;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse.DescriptorStatus;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse.RateLimit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What counts mean, and how it is said in bytes. */
final class VerdictTest {
  private static final long NOW = 1_767_225_600_250L;

  @Test
  void the_last_request_within_a_limit_is_ok_and_the_next_is_over() {
    var limit = limit(5, Unit.MINUTE, false);
    assertThat(answer(limit, 5)).satisfies(a -> {
      assertThat(a.getOverallCode()).isEqualTo(Code.OK);
      assertThat(a.getStatuses(0).getCode()).isEqualTo(Code.OK);
      assertThat(a.getStatuses(0).getLimitRemaining()).isZero();
    });
    assertThat(answer(limit, 6)).satisfies(a -> {
      assertThat(a.getOverallCode()).isEqualTo(Code.OVER_LIMIT);
      assertThat(a.getStatuses(0).getCode()).isEqualTo(Code.OVER_LIMIT);
      assertThat(a.getStatuses(0).getLimitRemaining()).isZero();
    });
  }

  @Test
  void a_limit_of_nothing_denies_all() {
    assertThat(answer(limit(0, Unit.HOUR, false), 1).getOverallCode()).isEqualTo(Code.OVER_LIMIT);
  }

  @Test
  void a_token_bucket_that_is_over_still_holds_what_was_not_taken_from_it() {
    var tree = new LimitTree.Builder();
    tree.limit(
        "d",
        List.of(new Step("k", "v")),
        Limit.Terms.builder(6, Window.of(Unit.MINUTE), "shop/limits")
            .algorithm(Algorithm.TOKEN_BUCKET, 6)
            .build());
    var limit = tree.build().limits().getFirst();
    var hits = List.of(new Hit(0, limit, "", 5));
    var counts = Counts.of(hits, new long[] {limit.units(4 + 5)});
    var answer = parsed(Verdict.judge(new Plan.Count(hits, 1, List.of(), 0), counts, NOW));
    assertThat(answer.getStatuses(0).getCode()).isEqualTo(Code.OVER_LIMIT);
    assertThat(answer.getStatuses(0).getLimitRemaining()).isEqualTo(2);
    assertThat(answer.getStatuses(0).getDurationUntilReset().getSeconds()).isEqualTo(30);
  }

  @Test
  void a_limit_in_shadow_mode_is_over_and_ok() {
    var over = judge(List.of(limit(5, Unit.MINUTE, true)), 6);
    assertThat(parsed(over).getOverallCode()).isEqualTo(Code.OK);
    assertThat(parsed(over).getStatuses(0).getCode()).isEqualTo(Code.OK);
    assertThat(over.deciding())
        .isNotNull()
        .satisfies(s -> assertThat(s.exceeded()).isTrue());
  }

  @Test
  void every_field_of_a_status_is_there() {
    assertThat(answer(limit(5, Unit.MINUTE, false), 2).getStatuses(0))
        .isEqualTo(DescriptorStatus.newBuilder()
            .setCode(Code.OK)
            .setCurrentLimit(
                RateLimit.newBuilder().setRequestsPerUnit(5).setUnit(RateLimit.Unit.MINUTE))
            .setLimitRemaining(3)
            .setDurationUntilReset(Duration.newBuilder().setSeconds(60))
            .build());
  }

  @Test
  void one_descriptor_over_is_enough_and_the_others_say_their_own() {
    var a = limit(5, Unit.MINUTE, false);
    var b = limit(50, Unit.DAY, false);
    var verdict = judge(3, List.of(new Hit(0, a, "", 1), new Hit(2, b, "", 1)), 6, 10);
    var answer = parsed(verdict);
    assertThat(answer.getOverallCode()).isEqualTo(Code.OVER_LIMIT);
    assertThat(answer.getStatusesList().stream().map(DescriptorStatus::getCode))
        .containsExactly(Code.OVER_LIMIT, Code.OK, Code.OK);
    assertThat(answer.getStatuses(1))
        .isEqualTo(DescriptorStatus.newBuilder().setCode(Code.OK).build());
    assertThat(answer.getStatuses(2).getLimitRemaining()).isEqualTo(40);
  }

  @Test
  void what_a_person_sees_first_is_what_denied_then_what_would_have_then_the_least_left() {
    var shadow = limit(5, Unit.MINUTE, true);
    var tight = limit(10, Unit.HOUR, false);
    var wide = limit(100, Unit.DAY, false);
    assertThat(judge(List.of(wide, tight, shadow), 1, 1, 1).deciding())
        .extracting(s -> s.limit())
        .isEqualTo(shadow);
    assertThat(judge(List.of(wide, tight, shadow), 1, 1, 9).deciding())
        .extracting(s -> s.limit())
        .isEqualTo(shadow);
    assertThat(judge(List.of(shadow, tight, wide), 9, 11, 1).deciding())
        .extracting(s -> s.limit())
        .isEqualTo(tight);
    assertThat(judge(List.of(wide, tight), 99, 1).deciding())
        .extracting(s -> s.limit())
        .isEqualTo(wide);
  }

  @Test
  void windows_are_the_references() {
    var seconds = Map.of(
        Unit.SECOND, 1L,
        Unit.MINUTE, 60L,
        Unit.HOUR, 3600L,
        Unit.DAY, 86_400L,
        Unit.WEEK, 604_800L,
        Unit.MONTH, 2_592_000L,
        Unit.YEAR, 31_536_000L);
    assertThat(seconds).hasSameSizeAs(Unit.values());
    long epochSeconds = NOW / 1000;
    seconds.forEach((unit, length) -> {
      assertThat(answer(limit(5, unit, false), 1)
              .getStatuses(0)
              .getDurationUntilReset()
              .getSeconds())
          .as("%s", unit)
          .isEqualTo(length - epochSeconds % length);
      assertThat(Window.of(unit).number(NOW)).isEqualTo(epochSeconds / length);
    });
  }

  @Test
  void the_bytes_are_what_the_generated_class_writes() throws InvalidProtocolBufferException {
    var random = new Random(11);
    for (int i = 0; i < 3000; i++) {
      var statuses =
          IntStream.range(0, random.nextInt(5)).mapToObj(s -> status(random)).toList();
      var verdict = new Verdict(random.nextBoolean(), statuses, null);
      var expected =
          RateLimitResponse.newBuilder().setOverallCode(verdict.over() ? Code.OVER_LIMIT : Code.OK);
      for (var status : statuses) {
        expected.addStatuses(generated(status));
      }
      var bytes = Statuses.of(verdict);
      assertThat(RateLimitResponse.parseFrom(bytes)).isEqualTo(expected.build());
      assertThat(bytes).isEqualTo(expected.build().toByteArray());
    }
  }

  private static Verdict.Status status(Random random) {
    if (random.nextInt(4) == 0) {
      return random.nextBoolean() ? Verdict.Status.UNLIMITED : Verdict.Status.NOT_LIMITED;
    }
    var unit = List.of(Unit.values()).get(random.nextInt(7));
    long bits = random.nextInt(33);
    long remaining = bits == 0 ? 0 : random.nextLong() >>> (64 - bits);
    var limit = limit(
        random.nextLong() >>> (32 + random.nextInt(32)),
        unit,
        random.nextBoolean(),
        "n".repeat(random.nextInt(200)));
    return new Verdict.Status(
        limit,
        random.nextBoolean(),
        remaining,
        random.nextInt(8) == 0 ? 0 : random.nextInt(31_536_000));
  }

  private static DescriptorStatus generated(Verdict.Status status)
      throws InvalidProtocolBufferException {
    var builder =
        DescriptorStatus.newBuilder().setCode(status.denies() ? Code.OVER_LIMIT : Code.OK);
    builder.setLimitRemaining((int) status.remaining());
    if (status.limit() != null) {
      builder
          .setCurrentLimit(RateLimit.parseFrom(status.limit().currentLimit()))
          .setDurationUntilReset(Duration.newBuilder().setSeconds(status.resetSeconds()));
    }
    return builder.build();
  }

  private static RateLimitResponse answer(Limit limit, long count) {
    return parsed(judge(List.of(limit), count));
  }

  private static Verdict judge(List<Limit> limits, long... counts) {
    var hits = new ArrayList<Hit>();
    for (var limit : limits) {
      hits.add(new Hit(hits.size(), limit, "", 1));
    }
    return judge(hits.size(), hits, counts);
  }

  private static Verdict judge(int descriptors, List<Hit> hits, long... counts) {
    return Verdict.judge(
        new Plan.Count(hits, descriptors, List.of(), 0), Counts.of(hits, counts), NOW);
  }

  private static RateLimitResponse parsed(Verdict verdict) {
    try {
      return RateLimitResponse.parseFrom(Statuses.of(verdict));
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }

  private static Limit limit(long requests, Unit unit, boolean shadow) {
    return limit(requests, unit, shadow, "");
  }

  private static Limit limit(long requests, Unit unit, boolean shadow, String name) {
    var tree = new LimitTree.Builder();
    tree.limit(
        "d",
        List.of(new Step("k", "v")),
        Limit.Terms.builder(requests, Window.of(unit), "shop/limits")
            .name(name)
            .shadow(shadow)
            .build());
    return tree.build().limits().getFirst();
  }
}
