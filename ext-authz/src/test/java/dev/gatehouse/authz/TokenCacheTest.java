package dev.gatehouse.authz;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.gatehouse.authz.jwt.Issuer;
import dev.gatehouse.authz.jwt.KeySet;
import dev.gatehouse.authz.jwt.KeySources;
import dev.gatehouse.authz.jwt.Keys;
import dev.gatehouse.authz.jwt.Requirements;
import dev.gatehouse.authz.jwt.TokenReader;
import dev.gatehouse.authz.jwt.VerifiedToken;
import dev.gatehouse.authz.jwt.Verifier;
import dev.gatehouse.testkit.FakeClock;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TokenCacheTest {
  private static final int BYTES = 1 << 20;
  private static final String TOKEN = Issuer.token();

  private final TokenCache cache = new TokenCache(BYTES);
  private final KeySources sources = new KeySources(new FakeClock(Issuer.NOW));
  private Verifier verifier;
  private KeySet keys;
  private VerifiedToken token;

  @BeforeEach
  void verify() throws Exception {
    verifier =
        sources.verifier(sources.local(Issuer.set()), Requirements.of(Issuer.NAME, Set.of()));
    keys = ((Keys.Known) verifier.keys().keys(Issuer.NOW)).set();
    var read = TokenReader.read(TOKEN.getBytes(StandardCharsets.US_ASCII));
    token = verifier.verify(read, verifier.candidates(read, keys, Issuer.NOW), Issuer.NOW);
  }

  @AfterEach
  void close() {
    sources.close();
  }

  @Test
  void a_token_is_kept_when_it_comes_a_second_time() {
    var hash = TokenCache.hash(ByteString.copyFromUtf8(TOKEN));
    cache.keep(verifier, keys, hash, token, TOKEN.length());
    assertThat(cache.find(verifier, keys, hash)).isNull();
    cache.keep(verifier, keys, hash, token, TOKEN.length());
    assertThat(cache.find(verifier, keys, hash)).isNotNull();
  }

  @Test
  void tokens_that_come_once_push_out_nobody_and_what_is_kept_is_bounded() {
    var hash = TokenCache.hash(ByteString.copyFromUtf8(TOKEN));
    cache.keep(verifier, keys, hash, token, TOKEN.length());
    cache.keep(verifier, keys, hash, token, TOKEN.length());
    var random = new Random(20261125);
    for (int i = 0; i < 100_000; i++) {
      cache.keep(verifier, keys, random(random), token, TOKEN.length());
    }
    assertThat(cache.find(verifier, keys, hash)).isNotNull();
    for (int i = 0; i < 10_000; i++) {
      var each = random(random);
      cache.keep(verifier, keys, each, token, TOKEN.length());
      cache.keep(verifier, keys, each, token, TOKEN.length());
    }
    assertThat(cache.bytes()).isBetween(1L, (long) BYTES);
  }

  private static TokenCache.Hash random(Random random) {
    return new TokenCache.Hash(
        random.nextLong(), random.nextLong(), random.nextLong(), random.nextLong());
  }
}
