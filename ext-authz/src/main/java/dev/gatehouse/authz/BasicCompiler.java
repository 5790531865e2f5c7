package dev.gatehouse.authz;

import dev.gatehouse.authz.basic.BadHtpasswd;
import dev.gatehouse.authz.basic.Htpasswd;
import dev.gatehouse.authz.basic.Passwords;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.SecurityPolicy.BasicAuth;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Makes a method of a policy's {@code basicAuth}: its Secret's users. */
final class BasicCompiler {
  /** Of the Secret, as Envoy Gateway has it. */
  private static final String KEY = ".htpasswd";

  private final PolicySet policies;
  private final Passwords passwords;
  private final Problems problems;

  BasicCompiler(PolicySet policies, Passwords passwords, Problems problems) {
    this.policies = policies;
    this.passwords = passwords;
    this.problems = problems;
  }

  /** Null with the problem said; a Secret that is not there was reported when the policy was attached. */
  @Nullable
  BasicMethod compile(BasicAuth auth) {
    var ref = auth.users();
    var secret = policies.secret(ref);
    if (secret == null) {
      return null;
    }
    var file = secret.data().get(KEY);
    if (file == null) {
      problems.error(
          ref.origin(),
          "spec.basicAuth.users",
          secret.meta().title() + " has no key " + KEY + " (there are: "
              + secret.data().keySet() + ")");
      return null;
    }
    try {
      var header = auth.forwardUsernameHeader();
      return new BasicMethod(
          Htpasswd.parse(new String(file, StandardCharsets.UTF_8)),
          passwords,
          header == null ? null : header.toLowerCase(Locale.ROOT));
    } catch (BadHtpasswd e) {
      e.problems()
          .forEach(each -> problems.error(secret.meta().origin(), "data[" + KEY + "]", each));
      return null;
    }
  }
}
