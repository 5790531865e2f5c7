package dev.gatehouse.authz;

import dev.gatehouse.authz.basic.BadCredential;
import dev.gatehouse.authz.basic.BasicCredential;
import dev.gatehouse.authz.basic.Htpasswd;
import dev.gatehouse.authz.basic.Passwords;
import dev.gatehouse.policy.expr.Auth;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** User names and passwords ({@code basicAuth}, RFC 7617) of the one {@code Authorization} header. */
final class BasicMethod implements Method {
  private static final String HEADER = "authorization";

  private final Htpasswd users;
  private final Passwords passwords;
  private final @Nullable String forwardHeader;

  /** Of users who were found good, and so no more than there are. */
  private final Map<String, Proof> proofs = new ConcurrentHashMap<>();

  /** @param forwardHeader in lower case; null tells the upstream nothing */
  BasicMethod(Htpasswd users, Passwords passwords, @Nullable String forwardHeader) {
    this.users = users;
    this.passwords = passwords;
    this.forwardHeader = forwardHeader;
  }

  @Override
  public String name() {
    return "basic";
  }

  @Override
  public String scheme() {
    return "Basic";
  }

  @Override
  public boolean required() {
    return true;
  }

  @Override
  public Attempt attempt(RequestView request, Facts facts, Instant now) {
    var value = request.first(HEADER);
    if (value == null) {
      return Attempt.ABSENT;
    }
    if (request.several(HEADER, value)) {
      return new Attempt.Bad("the header authorization is there more than once");
    }
    try {
      var shown = BasicCredential.read(value.toByteArray());
      return shown == null ? Attempt.ABSENT : check(shown);
    } catch (BadCredential e) {
      return new Attempt.Bad(String.valueOf(e.getMessage()));
    }
  }

  private Attempt check(BasicCredential shown) {
    return switch (passwords.ask(users, shown)) {
      case RIGHT -> proofs.computeIfAbsent(shown.user(), user -> new Proof(identity(user)));
      case WRONG -> new Attempt.Bad("the user or the password is wrong");
      case SLOW ->
        new Attempt.Open(List.of(new Fact.Password(() -> passwords.check(users, shown))));
    };
  }

  private Identity identity(String user) {
    return new Identity(
        new Auth("basic", user, null, List.of(), Map.of(), null),
        null,
        Map.of(),
        forwardHeader == null ? Map.of() : HeaderChanges.fieldValues(Map.of(forwardHeader, user)));
  }
}
