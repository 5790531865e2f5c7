package dev.gatehouse.authz;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.google.protobuf.ByteString;
import dev.gatehouse.authz.jwt.KeySet;
import dev.gatehouse.authz.jwt.VerifiedToken;
import dev.gatehouse.authz.jwt.Verifier;
import io.netty.util.concurrent.FastThreadLocal;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Tokens that were verified, by their SHA-256, each with who verified it and with which generation of keys: a rotation or another
 * provider finds nothing. A token is kept when it comes a second time: of those that come once, such as one made for each request,
 * nothing grows old, and they push out nobody. Bounded by weight. Holds good tokens only, so that bad ones cannot push them out; whether one is still
 * valid is looked at on every hit.
 */
final class TokenCache {
  /** An eighth of the heap, but no less than 8 MB and no more than 256. */
  static final long DEFAULT_BYTES =
      Math.clamp(Runtime.getRuntime().maxMemory() / 8, 8L << 20, 256L << 20);

  /** After this a token is verified again, whatever its {@code exp}. */
  private static final Duration KEPT = Duration.ofMinutes(10);

  /** A rough upper bound of what stands for a token: its claims as objects, and {@link Session#MAX_PROOFS} answers. */
  private static final int FIXED_WEIGHT = 4 << 10;

  private static final int WEIGHT_PER_BYTE = 8;

  /** How many tokens may come between a token's first time and its second; 512 KB. */
  private static final int REMEMBERED = 1 << 16;

  private final Cache<Key, Session> sessions;

  /** A part of each hash that came lately, at the place that another part says. Written without a lock: a lost one comes again. */
  private final long[] came = new long[REMEMBERED];

  TokenCache(long bytes) {
    this.sessions = Caffeine.newBuilder()
        .maximumWeight(bytes)
        .weigher((Key _, Session session) -> session.weight)
        .expireAfterWrite(KEPT)
        .executor(
            Runnable
                ::run) // a little housekeeping on the loop instead of a hand-over to another thread
        .build();
  }

  /** What is in it now, by weight. */
  long bytes() {
    return sessions.policy().eviction().orElseThrow().weightedSize().orElse(0);
  }

  /** The SHA-256 of a token, as numbers. */
  record Hash(long a, long b, long c, long d) {}

  private record Key(long verifier, long generation, Hash hash) {}

  /** @param token no longer than the settings allow */
  static Hash hash(ByteString token) {
    return Hasher.LOCAL.get().hash(token);
  }

  @Nullable
  Session find(Verifier verifier, KeySet keys, Hash hash) {
    return sessions.getIfPresent(new Key(verifier.id(), keys.generation(), hash));
  }

  /** What stands for a token that was verified just now; it is kept if the token came before. */
  Session keep(Verifier verifier, KeySet keys, Hash hash, VerifiedToken token, int length) {
    var session = new Session(token, FIXED_WEIGHT + WEIGHT_PER_BYTE * length);
    if (cameBefore(hash)) {
      sessions.put(new Key(verifier.id(), keys.generation(), hash), session);
    }
    return session;
  }

  private boolean cameBefore(Hash hash) {
    int place = (int) hash.a & (REMEMBERED - 1);
    boolean before = came[place] == hash.b;
    came[place] = hash.b;
    return before;
  }

  /** A verified token, and what it means to the policies that it met lately. */
  static final class Session {
    static final int MAX_PROOFS = 4;

    private static final Met[] NONE = {};

    private final VerifiedToken token;
    private final int weight;
    private volatile Met[] met = NONE;

    private record Met(Provider provider, Proof proof) {}

    private Session(VerifiedToken token, int weight) {
      this.token = token;
      this.weight = weight;
    }

    VerifiedToken token() {
      return token;
    }

    /** @param provider of one policy for the routes of one Gateway, and so what stands for these */
    Proof proof(Provider provider) {
      for (var each : met) {
        if (each.provider == provider) {
          return each.proof;
        }
      }
      var before = met;
      var after = new Met[Math.min(before.length + 1, MAX_PROOFS)];
      after[0] = new Met(provider, new Proof(TokenMethod.identity(provider, token)));
      System.arraycopy(before, 0, after, 1, after.length - 1);
      met = after; // two threads may lose each other's: made again
      return after[0].proof;
    }
  }

  /** A loop's own digest and buffer. */
  private static final class Hasher {
    static final FastThreadLocal<Hasher> LOCAL = new FastThreadLocal<>() {
      @Override
      protected Hasher initialValue() {
        return new Hasher();
      }
    };

    private final MessageDigest sha256;
    private byte[] buffer = new byte[4 << 10];

    Hasher() {
      try {
        sha256 = MessageDigest.getInstance("SHA-256");
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("every JDK has SHA-256", e);
      }
    }

    Hash hash(ByteString token) {
      int length = token.size();
      if (buffer.length < length || buffer.length < 32) {
        buffer = new byte[length];
      }
      token.copyTo(buffer, 0);
      sha256.update(buffer, 0, length);
      try {
        sha256.digest(buffer, 0, 32);
      } catch (DigestException e) {
        throw new IllegalStateException("a SHA-256 has 32 bytes", e);
      }
      return new Hash(word(0), word(8), word(16), word(24));
    }

    private long word(int from) {
      long word = 0;
      for (int i = from; i < from + 8; i++) {
        word = (word << 8) | (buffer[i] & 0xff);
      }
      return word;
    }
  }
}
