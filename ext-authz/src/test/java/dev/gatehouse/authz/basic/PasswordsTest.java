package dev.gatehouse.authz.basic;

import static dev.gatehouse.authz.basic.BasicCredentialTest.of;
import static dev.gatehouse.authz.basic.HtpasswdTest.BCRYPT_S3CRET;
import static dev.gatehouse.authz.basic.HtpasswdTest.SHA_S3CRET;
import static dev.gatehouse.authz.basic.Passwords.Answer.RIGHT;
import static dev.gatehouse.authz.basic.Passwords.Answer.SLOW;
import static dev.gatehouse.authz.basic.Passwords.Answer.WRONG;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The bcrypt hashes here were made by libxcrypt. */
class PasswordsTest {
  private final AtomicLong nanos = new AtomicLong();
  private final Passwords passwords = new Passwords(nanos::get);

  @Test
  void sha_is_answered_at_once() throws BadHtpasswd {
    var users = Htpasswd.parse("alice:" + SHA_S3CRET);
    assertThat(passwords.ask(users, of("alice", "s3cret"))).isEqualTo(RIGHT);
    assertThat(passwords.ask(users, of("alice", "s3cre"))).isEqualTo(WRONG);
    assertThat(passwords.ask(users, of("alice", ""))).isEqualTo(WRONG);
    assertThat(passwords.ask(users, of("Alice", "s3cret"))).isEqualTo(WRONG);
    assertThat(passwords.ask(users, of("bob", "s3cret"))).isEqualTo(WRONG);
    assertThat(passwords.ask(users, of("alice", "x".repeat(1000)))).isEqualTo(WRONG);
  }

  @ParameterizedTest
  @CsvSource({
    "s3cret,$2a$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG",
    "s3cret,$2b$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG",
    "s3cret,$2y$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG",
    "naïve pässword,$2y$05$Zq9f1nB2k3l4m5n6o7p8qei8hXVnnvD1R5mKpBf7z6.4sv7ELf.oq",
    "'',$2b$04$abcdefghijklmnopqrstuubyCG3zY1GIXMyxfivm.ClDiInHzxjiq"
  })
  void bcrypt_of_each_letter_is_what_others_compute(String password, String hash)
      throws BadHtpasswd {
    var users = Htpasswd.parse("u:" + hash);
    assertThat(passwords.check(users, of("u", password))).isTrue();
    assertThat(passwords.check(users, of("u", password + "x"))).isFalse();
    assertThat(passwords.check(users, of("v", password))).isFalse();
  }

  /** This hash is what cutting programs make of 72 letters and of every longer row of them. */
  @Test
  void a_password_that_bcrypt_would_cut_is_wrong() throws BadHtpasswd {
    var users = Htpasswd.parse("u:$2y$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe");
    assertThat(passwords.check(users, of("u", "a".repeat(72)))).isTrue();
    assertThat(passwords.ask(users, of("u", "a".repeat(73)))).isEqualTo(WRONG);
    assertThat(passwords.ask(users, of("nobody", "a".repeat(73)))).isEqualTo(WRONG);
  }

  @Test
  void bcrypt_is_slow_once_and_then_known() throws BadHtpasswd {
    var users = Htpasswd.parse("bob:" + BCRYPT_S3CRET);
    for (var shown :
        new BasicCredential[] {of("bob", "s3cret"), of("bob", "no"), of("eve", "no")}) {
      assertThat(passwords.ask(users, shown)).isEqualTo(SLOW);
      var expected = passwords.check(users, shown) ? RIGHT : WRONG;
      assertThat(passwords.ask(users, shown)).isEqualTo(expected);
    }
    assertThat(passwords.ask(users, of("bob", "s3cret"))).isEqualTo(RIGHT);
    assertThat(passwords.ask(users, of("eve", "s3cret"))).isEqualTo(SLOW);
  }

  @Test
  void what_was_found_out_is_forgotten_after_its_time() throws BadHtpasswd {
    var users = Htpasswd.parse("bob:" + BCRYPT_S3CRET);
    passwords.check(users, of("bob", "s3cret"));
    passwords.check(users, of("bob", "no"));
    nanos.addAndGet(Passwords.KEPT_WRONG.plusSeconds(1).toNanos());
    assertThat(passwords.ask(users, of("bob", "no"))).isEqualTo(SLOW);
    assertThat(passwords.ask(users, of("bob", "s3cret"))).isEqualTo(RIGHT);
    nanos.addAndGet(Passwords.KEPT_RIGHT.toNanos());
    assertThat(passwords.ask(users, of("bob", "s3cret"))).isEqualTo(SLOW);
  }

  @Test
  void an_old_password_is_not_right_once_the_file_has_another() throws BadHtpasswd {
    var before = Htpasswd.parse("bob:" + BCRYPT_S3CRET);
    passwords.check(before, of("bob", "s3cret"));
    var after = Htpasswd.parse("bob:$2y$05$Zq9f1nB2k3l4m5n6o7p8qei8hXVnnvD1R5mKpBf7z6.4sv7ELf.oq");
    assertThat(passwords.ask(after, of("bob", "s3cret"))).isEqualTo(SLOW);
    assertThat(passwords.check(after, of("bob", "s3cret"))).isFalse();
    var without = Htpasswd.parse("carl:" + BCRYPT_S3CRET);
    assertThat(passwords.ask(without, of("bob", "s3cret"))).isEqualTo(SLOW);
    assertThat(passwords.check(without, of("bob", "s3cret"))).isFalse();
    assertThat(passwords.ask(before, of("bob", "s3cret"))).isEqualTo(RIGHT);
  }

  @Test
  void guesses_do_not_push_out_what_was_right() throws BadHtpasswd {
    var users = Htpasswd.parse("bob:" + BCRYPT_S3CRET);
    passwords.check(users, of("bob", "s3cret"));
    for (int i = 0; i < 200; i++) {
      passwords.check(users, of("bob", "guess" + i));
    }
    assertThat(passwords.ask(users, of("bob", "s3cret"))).isEqualTo(RIGHT);
    assertThat(passwords.ask(users, of("bob", "guess0"))).isEqualTo(WRONG);
  }

  @Test
  void user_and_password_are_kept_apart() throws BadHtpasswd {
    var users = Htpasswd.parse("ab:" + BCRYPT_S3CRET + "\na:" + BCRYPT_S3CRET);
    passwords.check(users, of("ab", "s3cret"));
    assertThat(passwords.ask(users, of("a", "bs3cret"))).isEqualTo(SLOW);
    assertThat(passwords.ask(users, of("a", "s3cret"))).isEqualTo(SLOW);
  }

  /** In time of the processor, so that what else runs does not count; a cost more would be twice as much. */
  @Test
  void a_wrong_password_takes_as_long_whoever_it_is_said_to_be_of() throws BadHtpasswd {
    var users = Htpasswd.parse("low:" + BCRYPT_S3CRET + "\nhigh:"
        + BCRYPT_S3CRET.replace("$04$", "$09$") + "\nsha:" + SHA_S3CRET);
    long known = cost(users, "high");
    for (var user : new String[] {"low", "sha", "nobody"}) {
      assertThat(passwords.ask(users, of(user, "wrong"))).isEqualTo(SLOW);
      assertThat((double) cost(users, user) / known).as(user).isBetween(0.6, 1.6);
    }
    assertThat(passwords.ask(users, of("sha", "s3cret"))).isEqualTo(RIGHT);
  }

  /** The least of several: what the compiler or a cache adds comes and goes. */
  private static long cost(Htpasswd users, String user) {
    var threads = ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 5; i++) {
      var passwords = new Passwords();
      long start = threads.getCurrentThreadCpuTime();
      passwords.check(users, of(user, "wrong"));
      least = Math.min(least, threads.getCurrentThreadCpuTime() - start);
    }
    assertThat(least).isGreaterThan(Duration.ofMillis(1).toNanos());
    return least;
  }
}
