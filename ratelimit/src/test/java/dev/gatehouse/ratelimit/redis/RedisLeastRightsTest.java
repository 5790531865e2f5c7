package dev.gatehouse.ratelimit.redis;

import dev.gatehouse.ratelimit.counter.CounterStore;
import dev.gatehouse.ratelimit.counter.CounterStoreContract;
import dev.gatehouse.ratelimit.redis.RedisSettings.Login;
import dev.gatehouse.server.EventLoops;
import dev.gatehouse.testkit.FakeClock;
import dev.gatehouse.testkit.RedisProcess;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** All that a store does, it does as a user of Redis who may no more than docs/operations.md says. */
final class RedisLeastRightsTest extends CounterStoreContract {
  static final Login LOGIN = new Login("gatehouse", "s3cret");
  private static final String PREFIX = "limits:";
  private static final String RIGHTS =
      "+ping +time +get +set +del +incrby +pexpire +evalsha +script|load";

  private static RedisProcess redis;

  @BeforeAll
  static void startRedis() {
    redis = RedisProcess.start();
    grant(redis, PREFIX, RIGHTS);
  }

  /** In a cluster. */
  static void grantInCluster(RedisProcess node) {
    grant(node, "", RIGHTS + " +cluster|slots +asking");
  }

  private static void grant(RedisProcess redis, String prefix, String rights) {
    var command =
        "ACL SETUSER gatehouse on >s3cret resetkeys ~" + prefix + "* resetchannels -@all ";
    redis.tell((command + rights).split(" "));
  }

  @AfterAll
  static void stopRedis() {
    redis.close();
  }

  @Override
  protected CounterStore store(FakeClock clock, EventLoops loops) {
    var settings = RedisUrl.parse(redis.url())
        .with(Duration.ofSeconds(2), PREFIX + UUID.randomUUID() + ":")
        .withLogin(LOGIN);
    var store = RedisCounterStore.start(settings, loops.all(), clock);
    store.warmUp();
    return store;
  }

  @Override
  protected boolean hasClockOfItsOwn() {
    return true;
  }
}
