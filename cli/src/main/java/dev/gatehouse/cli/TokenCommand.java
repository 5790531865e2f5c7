package dev.gatehouse.cli;

import dev.gatehouse.sandbox.SigningKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

@Command(
    name = "token",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    description = {"A signed token for the demo, or with a key of your own for your tests.", ""},
    footer = {
      "",
      "Without --key it is signed with the demo's key. Everybody has that key, it lies in Gatehouse's",
      "sources: let nothing but 'gatehouse demo' trust it. A running demo takes the token at once.",
      "The token alone goes to the standard output; on a terminal what is in it is shown beside it.",
      "",
      "Examples:",
      "  curl --oauth2-bearer $(gatehouse token --sub ada --scope orders:read) localhost:8080/orders",
      "  gatehouse token --sub ada --claim 'roles=[\"buyer\"]' --header typ=at+jwt --expires 5m",
      "  gatehouse token --key my.pem --issuer https://idp.example.com --audience orders --sub ada",
      "  gatehouse token --key my.pem --jwks     the key set for a policy's localJWKS"
    })
final class TokenCommand implements Callable<Integer> {
  private static final JsonMapper JSON = JsonMapper.builder()
      .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
      .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
      .build();
  private static final JsonMapper PRETTY =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private final Terminal terminal;

  @Option(names = "--sub", paramLabel = "TEXT", description = "Who it is.")
  @Nullable
  String subject;

  @Option(names = "--scope", paramLabel = "TEXT", description = "Scopes, with spaces between.")
  @Nullable
  String scope;

  @Option(
      names = "--claim",
      paramLabel = "NAME=VALUE",
      description =
          "Any other claim; a value that is JSON is taken as JSON, and null leaves a claim"
              + " out. May be given several times.")
  Map<String, String> claims = new LinkedHashMap<>();

  @Option(
      names = "--audience",
      paramLabel = "TEXT",
      split = ",",
      description = "For whom; several make a list. The demo's is " + SigningKey.DEMO_AUDIENCE
          + ", with --key there is none unless it is said.")
  List<String> audiences = List.of();

  @Option(
      names = "--issuer",
      paramLabel = "URL",
      description = "By whom. The demo's is " + SigningKey.DEMO_ISSUER
          + ", with --key there is none unless it is said.")
  @Nullable
  String issuer;

  @Option(
      names = "--expires",
      paramLabel = "TIME",
      defaultValue = "1h",
      converter = Time.class,
      description = "How long it is good for. Default: ${DEFAULT-VALUE}.")
  Duration expires = Duration.ofHours(1);

  @Option(
      names = "--header",
      paramLabel = "NAME=VALUE",
      description =
          "A member of the token's header beside alg, kid and typ: JWT, or instead of them;"
              + " as --claim.")
  Map<String, String> header = new LinkedHashMap<>();

  @Mixin(name = "A key of your own")
  Own own = new Own();

  @Option(
      names = "--jwks",
      description = "Print the public key as a key set (RFC 7517) instead of a token.")
  boolean jwks;

  TokenCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  static final class Own {
    @Option(
        names = "--key",
        paramLabel = "FILE",
        description = "A private key (PEM): RSA, EC or Ed25519.")
    @Nullable
    Path key;

    @Option(
        names = "--kid",
        paramLabel = "TEXT",
        description = "The key's name; by default its thumbprint (RFC 7638).")
    @Nullable
    String kid;

    @Option(
        names = "--algorithm",
        paramLabel = "NAME",
        description = "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA; by"
            + " default RS256 for RSA, the curve's for EC.")
    @Nullable
    String algorithm;

    SigningKey signingKey() {
      if (key == null) {
        if (kid != null || algorithm != null) {
          throw new Failure("--kid and --algorithm go with --key: the demo's key has its own");
        }
        return SigningKey.demo();
      }
      try {
        return SigningKey.of(Files.readString(key), kid, algorithm);
      } catch (IOException e) {
        throw new Failure("--key " + key + " cannot be read: " + e.getMessage(), e);
      } catch (IllegalArgumentException e) {
        throw new Failure("--key " + key + ": " + e.getMessage(), e);
      }
    }
  }

  @Override
  public Integer call() {
    var key = own.signingKey();
    if (jwks) {
      terminal.out().println(key.jwks());
      return 0;
    }
    var head = key.header(values(header));
    var body = body(Instant.now().getEpochSecond());
    if (terminal.interactive()) {
      terminal.err().println(terminal.dim(PRETTY.writeValueAsString(head)));
      terminal.err().println(terminal.dim(PRETTY.writeValueAsString(body)));
      terminal.err().flush();
    }
    terminal.out().println(key.token(head, body));
    return 0;
  }

  private Map<String, @Nullable Object> body(long now) {
    var demo = own.key == null;
    var body = new LinkedHashMap<String, @Nullable Object>();
    body.put("iss", issuer != null ? issuer : demo ? SigningKey.DEMO_ISSUER : null);
    body.put("aud", audience(demo));
    body.put("sub", subject);
    body.put("scope", scope);
    body.put("iat", now);
    body.put("exp", now + expires.toSeconds());
    body.putAll(values(claims));
    body.values().removeIf(value -> value == null);
    return body;
  }

  private @Nullable Object audience(boolean demo) {
    return switch (audiences.size()) {
      case 0 -> demo ? SigningKey.DEMO_AUDIENCE : null;
      case 1 -> audiences.getFirst();
      default -> audiences;
    };
  }

  private static Map<String, @Nullable Object> values(Map<String, String> given) {
    var values = new LinkedHashMap<String, @Nullable Object>();
    given.forEach((name, value) -> values.put(name, value(value)));
    return values;
  }

  private static @Nullable Object value(String text) {
    if (text.isBlank()) {
      return text;
    }
    try {
      return JSON.readValue(text, Object.class);
    } catch (JacksonException e) {
      return text;
    }
  }
}
