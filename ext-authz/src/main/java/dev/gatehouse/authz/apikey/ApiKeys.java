package dev.gatehouse.authz.apikey;

import com.google.protobuf.ByteString;
import io.netty.util.concurrent.FastThreadLocal;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The API keys of a policy and whose they are, known by their SHA-256 only. How long a look-up takes says nothing about a key:
 * where it looks depends on the hash of what the caller sent, which nobody can steer towards the hash of a key that he does not
 * have, and the hash that is there is compared in constant time. Immutable.
 *
 * @param <C> what stands for a client
 */
public final class ApiKeys<C> {
  /** In bytes; a longer one is nobody's. */
  public static final int MAX_KEY = 4096;

  private static final String HASHED = "sha256:";
  private static final FastThreadLocal<MessageDigest> SHA_256 = new FastThreadLocal<>() {
    @Override
    protected MessageDigest initialValue() {
      try {
        return MessageDigest.getInstance("SHA-256");
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("every JDK has SHA-256", e);
      }
    }
  };

  /** By the first eight bytes of the hash. */
  private final Map<Long, Entry<C>> entries;

  private ApiKeys(Map<Long, Entry<C>> entries) {
    this.entries = entries;
  }

  private static final class Entry<C> {
    private final byte[] hash;
    private final String id;
    private final C client;

    Entry(byte[] hash, String id, C client) {
      this.hash = hash;
      this.id = id;
      this.client = client;
    }
  }

  /** Whose key it is; null if it is nobody's. */
  public @Nullable C find(ByteString key) {
    if (key.size() > MAX_KEY) {
      return null;
    }
    var sha256 = SHA_256.get();
    sha256.update(key.asReadOnlyByteBuffer());
    var hash = sha256.digest();
    var there = entries.get(beginning(hash));
    return there != null && MessageDigest.isEqual(there.hash, hash) ? there.client : null;
  }

  /** Collects the keys of a policy. */
  public static final class Builder<C> {
    private final Map<Long, Entry<C>> entries = new HashMap<>();

    /**
     * A client may have several keys: one takes the other's place.
     *
     * @param key as it is, or {@code sha256:} and its hash in 64 hexadecimal digits
     * @throws BadKey saying why, without quoting it
     */
    public void add(String id, byte[] key, C client) throws BadKey {
      var hash = hash(key);
      var before = entries.putIfAbsent(beginning(hash), new Entry<>(hash, id, client));
      if (before != null) {
        throw new BadKey("is the key of \"" + before.id + "\" already (expected: one of its own)");
      }
    }

    public ApiKeys<C> build() {
      return new ApiKeys<>(Map.copyOf(entries));
    }

    private static byte[] hash(byte[] key) throws BadKey {
      if (key.length == 0 || key.length > MAX_KEY) {
        throw new BadKey("has " + key.length + " bytes (expected: 1 to " + MAX_KEY + ")");
      }
      var text = new String(key, StandardCharsets.ISO_8859_1);
      if (text.startsWith(HASHED)) {
        return parsed(text.substring(HASHED.length()).strip());
      }
      if (!text.equals(text.strip())) {
        throw new BadKey(
            "begins or ends with white space, which no header carries (printf or `echo -n` write no line break)");
      }
      return SHA_256.get().digest(Arrays.copyOf(key, key.length));
    }

    private static byte[] parsed(String digits) throws BadKey {
      if (!digits.matches("[0-9a-fA-F]{64}")) {
        throw new BadKey("begins with sha256: (expected: 64 hexadecimal digits behind that)");
      }
      return HexFormat.of().parseHex(digits);
    }
  }

  /** A key that is refused when the policy loads. */
  public static final class BadKey extends Exception {
    private static final long serialVersionUID = 1L;

    BadKey(String message) {
      super(message, null, false, false);
    }
  }

  private static Long beginning(byte[] hash) {
    long word = 0;
    for (int i = 0; i < Long.BYTES; i++) {
      word = (word << 8) | (hash[i] & 0xff);
    }
    return word;
  }
}
