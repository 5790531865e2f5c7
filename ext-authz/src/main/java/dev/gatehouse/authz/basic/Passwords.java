package dev.gatehouse.authz.basic;

import at.favre.lib.crypto.bcrypt.BCrypt;
import at.favre.lib.crypto.bcrypt.LongPasswordStrategies;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Says whether a password is a user's. {@code {SHA}} is answered at once, in constant time; bcrypt is {@link Answer#SLOW} the first
 * time: {@link #check} then computes it away from the event loop and keeps the outcome, so that the next {@link #ask} knows. One for
 * the process, shared by all policies; safe for all threads.
 *
 * <p><b>Nobody learns who is a user.</b> Where a file has any bcrypt, a wrong password takes as long whoever it is said to be of: of
 * nobody, of a {@code {SHA}} user, or of one with a lower cost than the file's highest. Only a right one is faster.
 *
 * <p><b>What is kept.</b> An outcome is a function of user, password and entry, so it is kept under a SHA-256 of these three and of a
 * secret of this process: an entry that changes is another key, and no reload has to empty anything. Right and wrong ones are kept
 * apart, so that guesses cannot push out what was checked. Both are bounded; neither holds a password.
 */
public final class Passwords {
  /** What bcrypt looks at; other programs cut longer ones in silence, so that two passwords are one. */
  static final int MAX_BCRYPT_BYTES = 72;

  static final int MAX_KEPT = 10_000;
  static final Duration KEPT_RIGHT = Duration.ofMinutes(10);
  static final Duration KEPT_WRONG = Duration.ofMinutes(1);

  private static final byte[] NO_ENTRY = {};
  private static final byte[] NO_SALT = new byte[16];

  private final byte[] secret = new byte[32];
  private final Cache<Key, Boolean> right;
  private final Cache<Key, Boolean> wrong;

  public Passwords() {
    this(Ticker.systemTicker());
  }

  Passwords(Ticker ticker) {
    new SecureRandom().nextBytes(secret);
    this.right = kept(KEPT_RIGHT, ticker);
    this.wrong = kept(KEPT_WRONG, ticker);
  }

  public enum Answer {
    RIGHT,
    WRONG,
    /** It takes a {@link #check}. */
    SLOW
  }

  /** Fast: for the event loop. */
  public Answer ask(Htpasswd users, BasicCredential shown) {
    var entry = users.of(shown.user());
    var sha1 = digest("SHA-1").digest(shown.password()); // of nobody too: no shorter way
    if (entry instanceof Htpasswd.Sha sha && sha.matches(sha1)) {
      return Answer.RIGHT;
    }
    if (!users.slow() || shown.password().length > MAX_BCRYPT_BYTES) {
      return Answer.WRONG;
    }
    var key = key(shown, entry);
    if (right.getIfPresent(key) != null) {
      return Answer.RIGHT;
    }
    return wrong.getIfPresent(key) != null ? Answer.WRONG : Answer.SLOW;
  }

  /**
   * Computes what {@link #ask} could not say, up to half a second of one core, unless somebody else has in the meantime; for a
   * worker, never for an event loop.
   */
  public boolean check(Htpasswd users, BasicCredential shown) {
    return switch (ask(users, shown)) {
      case RIGHT -> true;
      case WRONG -> false;
      case SLOW -> compute(users, shown);
    };
  }

  private boolean compute(Htpasswd users, BasicCredential shown) {
    var entry = users.of(shown.user());
    boolean matches = entry instanceof Htpasswd.Bcrypt bcrypt
        ? bcrypt.matches(bcrypt(bcrypt.cost(), bcrypt.salt(), shown.password()))
        : nobodys(users.highestCost(), shown.password());
    if (matches) {
      right.put(key(shown, entry), true);
      return true;
    }
    if (entry instanceof Htpasswd.Bcrypt bcrypt) {
      // 2^c and then 2^c + 2^(c+1) + … + 2^(highest-1) rounds are 2^highest: what nobody's costs.
      for (int cost = bcrypt.cost(); cost < users.highestCost(); cost++) {
        nobodys(cost, shown.password());
      }
    }
    wrong.put(key(shown, entry), true);
    return false;
  }

  private static boolean nobodys(int cost, byte[] password) {
    bcrypt(cost, NO_SALT, password);
    return false;
  }

  private static byte[] bcrypt(int cost, byte[] salt, byte[] password) {
    return BCrypt.with(LongPasswordStrategies.strict(BCrypt.Version.VERSION_2A))
        .hashRaw(cost, salt, password)
        .rawHash;
  }

  /** A SHA-256, as numbers. */
  private record Key(long a, long b, long c, long d) {}

  private Key key(BasicCredential shown, Htpasswd.@Nullable Entry entry) {
    var user = shown.user().getBytes(StandardCharsets.UTF_8);
    var text = entry == null ? NO_ENTRY : entry.text();
    var sha256 = digest("SHA-256");
    sha256.update(secret);
    // Lengths in front, so that no other three are the same bytes.
    sha256.update(ByteBuffer.allocate(8).putInt(user.length).putInt(text.length).flip());
    sha256.update(user);
    sha256.update(text);
    sha256.update(shown.password());
    var words = ByteBuffer.wrap(sha256.digest());
    return new Key(words.getLong(), words.getLong(), words.getLong(), words.getLong());
  }

  private static MessageDigest digest(String algorithm) {
    try {
      return MessageDigest.getInstance(algorithm);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has " + algorithm, e);
    }
  }

  private static Cache<Key, Boolean> kept(Duration time, Ticker ticker) {
    return Caffeine.newBuilder()
        .maximumSize(MAX_KEPT)
        .expireAfterWrite(time)
        .ticker(ticker)
        .executor(Runnable::run)
        .build();
  }
}
