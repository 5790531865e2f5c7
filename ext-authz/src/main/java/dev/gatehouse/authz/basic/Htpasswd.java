package dev.gatehouse.authz.basic;

import at.favre.lib.crypto.bcrypt.BCrypt;
import at.favre.lib.crypto.bcrypt.IllegalBCryptFormatException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The users of a policy, as Apache's {@code htpasswd} writes them: a line each, {@code user:hash}, where the hash is {@code {SHA}} (the
 * only one that Envoy Gateway takes) or bcrypt. Empty lines and those that begin with {@code #} are skipped. Immutable.
 */
public final class Htpasswd {
  static final int MAX_USERS = 10_000;

  /** A Secret holds no more. */
  static final int MAX_CHARS = 1 << 20;

  static final int LEAST_COST = 4;

  /** Each step doubles the time: 12 takes about a quarter of a second, and a decision has 300 ms (docs/security.md). */
  static final int HIGHEST_COST = 12;

  private static final int MAX_PROBLEMS = 100;
  private static final String ACCEPTED = "(accepted: {SHA} as of \"htpasswd -s\", bcrypt as of"
      + " \"htpasswd -B\": $2a$, $2b$, $2y$)";
  private static final String SHA = "{SHA}";
  private static final Pattern BCRYPT =
      Pattern.compile("\\$2[aby]\\$([0-9]{2})\\$[./A-Za-z0-9]{53}");

  private final Map<String, Entry> users;
  private final int highestCost;

  private Htpasswd(Map<String, Entry> users, int highestCost) {
    this.users = users;
    this.highestCost = highestCost;
  }

  /** What the file holds for a user. */
  sealed interface Entry permits Sha, Bcrypt {
    /** As it stands in the file. */
    byte[] text();
  }

  /** {@code {SHA}}: base64 of the password's SHA-1, without salt; fast, for whoever holds the file too. */
  static final class Sha implements Entry {
    private final byte[] text;
    private final byte[] digest;

    private Sha(byte[] text, byte[] digest) {
      this.text = text;
      this.digest = digest;
    }

    @Override
    public byte[] text() {
      return text;
    }

    boolean matches(byte[] sha1) {
      return MessageDigest.isEqual(digest, sha1);
    }
  }

  static final class Bcrypt implements Entry {
    private final byte[] text;
    private final BCrypt.HashData parts;

    private Bcrypt(byte[] text, BCrypt.HashData parts) {
      this.text = text;
      this.parts = parts;
    }

    @Override
    public byte[] text() {
      return text;
    }

    int cost() {
      return parts.cost;
    }

    byte[] salt() {
      return parts.rawSalt;
    }

    boolean matches(byte[] hash) {
      return MessageDigest.isEqual(parts.rawHash, hash);
    }
  }

  /** @throws BadHtpasswd naming every bad line by its number; none is quoted */
  public static Htpasswd parse(String text) throws BadHtpasswd {
    if (text.length() > MAX_CHARS) {
      throw new BadHtpasswd(
          List.of(text.length() + " characters (expected: at most " + MAX_CHARS + ")"));
    }
    var users = new LinkedHashMap<String, Entry>();
    var lines = new HashMap<String, Integer>();
    var problems = new ArrayList<String>();
    int number = 0;
    for (var line : text.lines().toList()) {
      number++;
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      var problem = problemOf(line);
      int colon = line.indexOf(':');
      var before = problem != null ? null : lines.putIfAbsent(line.substring(0, colon), number);
      if (before != null) {
        problem = "the user of line " + before + " again (expected: each user once)";
      }
      if (problem == null) {
        users.put(line.substring(0, colon), entry(line.substring(colon + 1)));
      } else if (problems.size() < MAX_PROBLEMS) {
        problems.add("line " + number + ": " + problem);
      }
    }
    if (users.size() > MAX_USERS) {
      problems.add(users.size() + " users (expected: at most " + MAX_USERS + ")");
    }
    if (users.isEmpty() && problems.isEmpty()) {
      problems.add("there is no user (expected: lines of user:hash)");
    }
    if (!problems.isEmpty()) {
      throw new BadHtpasswd(problems);
    }
    return new Htpasswd(Map.copyOf(users), highestCost(users));
  }

  /** Whether any user's password takes long to check; then every wrong one does, whoever's it is. */
  public boolean slow() {
    return highestCost > 0;
  }

  @Nullable
  Entry of(String user) {
    return users.get(user);
  }

  /** 0 where there is no bcrypt. */
  int highestCost() {
    return highestCost;
  }

  private static int highestCost(Map<String, Entry> users) {
    int highest = 0;
    for (var entry : users.values()) {
      if (entry instanceof Bcrypt bcrypt) {
        highest = Math.max(highest, bcrypt.cost());
      }
    }
    return highest;
  }

  private static @Nullable String problemOf(String line) {
    int colon = line.indexOf(':');
    if (colon < 0) {
      return "there is no colon in it (expected: user:hash)";
    }
    var user = line.substring(0, colon);
    if (user.isEmpty() || user.chars().anyMatch(c -> c < 0x20 || c == 0x7f)) {
      return "its user is empty or holds a control character";
    }
    if (user.getBytes(StandardCharsets.UTF_8).length > BasicCredential.MAX_USER_BYTES) {
      return "its user is longer than " + BasicCredential.MAX_USER_BYTES + " bytes";
    }
    return problemOfHash(line.substring(colon + 1));
  }

  private static @Nullable String problemOfHash(String hash) {
    if (hash.startsWith(SHA)) {
      return sha1(hash) == null
          ? "what follows {SHA} is not the base64 of 20 bytes and nothing else"
          : null;
    }
    if (hash.startsWith("$2") && !hash.startsWith("$2x$")) {
      return problemOfBcrypt(hash);
    }
    var kind = hash.startsWith("$apr1$") || hash.startsWith("$1$")
        ? "MD5"
        : hash.startsWith("$5$") || hash.startsWith("$6$") ? "SHA-crypt" : null;
    return (kind == null ? "a hash that is not accepted, or plain text " : kind + " ") + ACCEPTED;
  }

  private static @Nullable String problemOfBcrypt(String hash) {
    var parts = BCRYPT.matcher(hash);
    if (!parts.matches()) {
      return "no bcrypt hash (expected: $2a$, $2b$ or $2y$, two digits of cost, $, and 53"
          + " characters)";
    }
    int cost = Integer.parseInt(parts.group(1));
    if (cost < LEAST_COST || cost > HIGHEST_COST) {
      return "bcrypt with the cost " + cost + " (expected: " + LEAST_COST + " to " + HIGHEST_COST
          + "; each step doubles the time of a check, and a request cannot wait longer; make it"
          + " anew with \"htpasswd -B -C 10\")";
    }
    return null;
  }

  /** Of a hash without a problem. */
  private static Entry entry(String hash) {
    var text = hash.getBytes(StandardCharsets.US_ASCII);
    var digest = sha1(hash);
    return digest != null ? new Sha(text, digest) : new Bcrypt(text, parts(text));
  }

  private static BCrypt.HashData parts(byte[] text) {
    try {
      return BCrypt.Version.VERSION_2A.parser.parse(asVersion2a(text));
    } catch (IllegalBCryptFormatException e) {
      throw new IllegalStateException("a bcrypt hash that was found sound is not", e);
    }
  }

  /** The letter tells apart bugs of implementations (2x, not accepted here); a sound one computes the same for a, b and y. */
  private static byte[] asVersion2a(byte[] text) {
    var copy = text.clone();
    copy[2] = 'a';
    return copy;
  }

  private static byte @Nullable [] sha1(String hash) {
    if (!hash.startsWith(SHA)) {
      return null;
    }
    var base64 = hash.substring(SHA.length()).getBytes(StandardCharsets.UTF_8);
    try {
      var digest = Base64.getDecoder().decode(base64);
      boolean sound =
          digest.length == 20 && Arrays.equals(Base64.getEncoder().encode(digest), base64);
      return sound ? digest : null;
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** How many, and nothing of them. */
  @Override
  public String toString() {
    return "Htpasswd[" + users.size() + " users]";
  }
}
