package dev.gatehouse.ratelimit.descriptor;

import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse.RateLimit;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/** A limit of the descriptor tree. Immutable. */
public final class Limit {
  /** 96 bits: among a million limits two meet with a probability of 10⁻¹⁷. */
  private static final int ID_BYTES = 12;

  private final String id;
  private final Terms terms;
  private final byte[] currentLimit;

  private Limit(String id, Terms terms) {
    this.id = id;
    this.terms = terms;
    this.currentLimit = RateLimit.newBuilder()
        .setRequestsPerUnit((int) terms.requests())
        .setUnit(terms.unit().proto())
        .setName(terms.name())
        .build()
        .toByteArray();
  }

  static Limit of(String domain, List<Step> path, Terms terms) {
    return new Limit(identity(domain, path, terms.unit()), terms);
  }

  /**
   * What a limit allows.
   *
   * @param requests how many in a unit; 0 denies all, at most 4,294,967,295
   * @param name as {@code current_limit.name} tells it; empty if it has none
   * @param shadow counts and judges, but never denies
   * @param origin who asked for it, for people: the policy's {@code namespace/name}
   */
  public record Terms(long requests, Unit unit, String name, boolean shadow, String origin) {
    static final long MAX_REQUESTS = 0xffff_ffffL;

    public Terms {
      if (requests < 0 || requests > MAX_REQUESTS) {
        throw new IllegalArgumentException(
            "requests: " + requests + " (expected: 0 to " + MAX_REQUESTS + ")");
      }
    }
  }

  /**
   * Which counters are this limit's: 16 characters of {@code A-Za-z0-9-_}, made of the domain, the path in the tree and the unit, but not
   * of the number of requests, so that raising a limit keeps its counters.
   */
  public String id() {
    return id;
  }

  public long requests() {
    return terms.requests();
  }

  public Unit unit() {
    return terms.unit();
  }

  public boolean shadow() {
    return terms.shadow();
  }

  public String origin() {
    return terms.origin();
  }

  /** {@code current_limit} of an answer, serialised. Not to be changed by the caller. */
  public byte[] currentLimit() {
    return currentLimit;
  }

  /** Every part with its length before it, so that no two paths read alike. */
  private static String identity(String domain, List<Step> path, Unit unit) {
    var text = new StringBuilder();
    append(text, domain);
    for (var step : path) {
      append(text, step.key());
      if (step.value() == null) {
        text.append('*');
      } else {
        append(text, step.value());
      }
    }
    text.append(unit.letter());
    var digest = sha256(text.toString());
    return Base64.getUrlEncoder().withoutPadding().encodeToString(Arrays.copyOf(digest, ID_BYTES));
  }

  private static void append(StringBuilder text, String part) {
    text.append(part.length()).append(':').append(part);
  }

  static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  @Override
  public String toString() {
    return terms + " " + id;
  }
}
