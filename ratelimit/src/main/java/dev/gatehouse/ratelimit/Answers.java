package dev.gatehouse.ratelimit;

import com.google.protobuf.ByteString;
import dev.gatehouse.ratelimit.counter.Counts;
import dev.gatehouse.ratelimit.descriptor.Answer;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * {@code RateLimitResponse} as bytes. {@code overall_code} and {@code statuses}, which every answer has, are written by {@link Statuses};
 * what only some limits or settings ask for is a second message behind them, since a Protobuf message may be given in parts.
 */
final class Answers {
  /** Of what is sent with every denial that asks for {@code Retry-After}, which may be many: no more than a look-up each. */
  private static final int PREPARED_SECONDS = 60;

  private final AnswerSettings settings;
  private final byte[][] retryAfter = new byte[PREPARED_SECONDS + 1][];

  Answers(AnswerSettings settings) {
    this.settings = settings;
    for (int seconds = 0; seconds <= PREPARED_SECONDS; seconds++) {
      retryAfter[seconds] = retryAfterHeader(seconds);
    }
  }

  Verdict judge(Plan.Count plan, Counts counts, long now) {
    var verdict = Verdict.judge(plan, counts, now);
    return verdict.over() && (settings.shadow() || passesAQuota(plan))
        ? verdict.inShadow()
        : verdict;
  }

  /** What is unlimited by name is no quota. */
  private boolean passesAQuota(Plan.Count plan) {
    return settings.quota() && plan.hits().size() + plan.unlimited().size() < plan.descriptors();
  }

  byte[] of(Verdict verdict, RateLimitRequest request, Plan.Count plan) {
    var statuses = Statuses.of(verdict);
    var deciding = verdict.deciding();
    if (deciding == null || deciding.limit() == null) {
      return settings.dynamicMetadata()
          ? joined(statuses, extras(verdict, null, Answer.NONE, request, plan))
          : statuses;
    }
    var answer = deciding.limit().terms().answer();
    if (settings.plain() && answer.isSilent(verdict.over())) {
      return statuses;
    }
    if (settings.plain() && !answer.ietfHeaders() && answer.denied() == null) {
      return joined(statuses, retryAfter(retryAfterSeconds(verdict)));
    }
    return joined(statuses, extras(verdict, deciding, answer, request, plan));
  }

  private byte[] extras(
      Verdict verdict,
      Verdict.@Nullable Status deciding,
      Answer answer,
      RateLimitRequest request,
      Plan.Count plan) {
    var extras = RateLimitResponse.newBuilder();
    if (deciding != null && deciding.limit() != null) {
      addHeaders(extras, verdict, answer);
    }
    if (verdict.over() && answer.denied() != null) {
      deny(extras, answer.denied());
    }
    if (settings.dynamicMetadata()) {
      extras.setDynamicMetadata(RequestMetadata.of(request, plan, verdict));
    }
    return extras.build().toByteArray();
  }

  private void addHeaders(RateLimitResponse.Builder extras, Verdict verdict, Answer answer) {
    addReferenceHeaders(extras, verdict);
    if (answer.ietfHeaders()) {
      header(extras, "RateLimit-Policy", IetfHeaders.policies(verdict.statuses()));
      header(extras, "RateLimit", IetfHeaders.state(verdict.statuses()));
    }
    if (verdict.over() && answer.retryAfter()) {
      header(extras, "Retry-After", String.valueOf(retryAfterSeconds(verdict)));
    }
  }

  /** Of the last limit that denies, but for quotas, else of the first of those with the least left; as envoyproxy/ratelimit chooses. */
  private void addReferenceHeaders(RateLimitResponse.Builder extras, Verdict verdict) {
    var names = settings.headers();
    Verdict.Status told = null;
    for (var status : verdict.statuses()) {
      if (status.limit() == null) {
        continue;
      }
      boolean denies = status.denies() && !status.limit().terms().quota();
      if (denies || told == null || status.remaining() < told.remaining()) {
        told = status;
      }
    }
    if (names != null && told != null && told.limit() != null) {
      header(extras, names.limit(), String.valueOf(told.limit().requests()));
      header(extras, names.remaining(), String.valueOf(told.remaining()));
      header(extras, names.reset(), String.valueOf(told.resetSeconds()));
    }
  }

  private static void deny(RateLimitResponse.Builder extras, Answer.Denied denied) {
    if (!denied.contentType().isEmpty()) {
      header(extras, "Content-Type", denied.contentType());
    }
    denied.headers().forEach((name, value) -> header(extras, name, value));
    extras.setRawBody(ByteString.copyFromUtf8(denied.body()));
  }

  /** The longest that one of the limits that deny asks to wait. */
  private static long retryAfterSeconds(Verdict verdict) {
    return verdict.statuses().stream()
        .filter(Verdict.Status::denies)
        .mapToLong(Verdict.Status::resetSeconds)
        .max()
        .orElse(1);
  }

  private byte[] retryAfter(long seconds) {
    return seconds <= PREPARED_SECONDS ? retryAfter[(int) seconds] : retryAfterHeader(seconds);
  }

  private static byte[] retryAfterHeader(long seconds) {
    var response = RateLimitResponse.newBuilder();
    header(response, "Retry-After", String.valueOf(seconds));
    return response.build().toByteArray();
  }

  private static void header(RateLimitResponse.Builder extras, String name, String value) {
    extras.addResponseHeadersToAdd(HeaderValue.newBuilder().setKey(name).setValue(value));
  }

  private static byte[] joined(byte[] first, byte[] second) {
    var both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }
}
