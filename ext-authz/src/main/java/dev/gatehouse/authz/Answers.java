package dev.gatehouse.authz;

import com.google.protobuf.BoolValue;
import com.google.protobuf.ByteString;
import com.google.protobuf.ListValue;
import com.google.protobuf.NullValue;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.rpc.Code;
import com.google.rpc.Status;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.policy.expr.Auth;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.envoyproxy.envoy.service.auth.v3.DeniedHttpResponse;
import io.envoyproxy.envoy.service.auth.v3.OkHttpResponse;
import io.envoyproxy.envoy.type.v3.HttpStatus;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Verdicts in Envoy's words, as ready bytes. The only place that can say "allow": Envoy takes a {@code CheckResponse} for one if
 * and only if its status code is 0, and an empty one has that too. A denial always carries another status and a
 * {@code denied_response}: a gRPC error, or an {@code error_response}, would be a pass under {@code failure_mode_allow}.
 */
final class Answers {
  private static final Logger LOG = LoggerFactory.getLogger(Answers.class);

  /** Stands for the decision's id in a ready answer; of the same length, and nobody can know it and put it into a claim. */
  private static final String PLACEHOLDER = UUID.randomUUID().toString();

  /** A string copy longer than this is not made: descriptors have no use for it. */
  private static final int MAX_COPY = 1024;

  private static final byte[] UNAVAILABLE =
      denied(Code.UNAVAILABLE, 503, null, "503 Service Unavailable\n");

  /** The denials of a request that no policy is known for. */
  static final Denials PLAIN = denials(List.of());

  /** @param decisionId 36 characters of ASCII */
  byte[] of(Verdict verdict, ByteString decisionId) {
    try {
      return switch (verdict) {
        case Verdict.Allow allow -> ready(allow.grant()).as(decisionId);
        case Verdict.Deny deny -> deny.answers().of(deny.reason(), deny.headers());
        case Verdict.Unavailable _ -> UNAVAILABLE;
        case Verdict.Needs _ -> UNAVAILABLE;
      };
    } catch (RuntimeException e) {
      LOG.error("an allow could not be said; the request is denied", e);
      return UNAVAILABLE;
    }
  }

  /** The denial of a request that nothing can be said about, with 503. */
  static byte[] unavailable() {
    return UNAVAILABLE.clone();
  }

  /** The denials of a policy, by what its methods ask for (RFC 9110 §11.6.1). */
  static Denials denials(List<String> schemes) {
    return new Denials(schemes);
  }

  /** A policy's denials, as ready bytes. They tell a caller no more than RFC 6750 does. */
  static final class Denials {
    private final Map<Verdict.Reason, byte[]> ready = new EnumMap<>(Verdict.Reason.class);

    private Denials(List<String> schemes) {
      for (var reason : Verdict.Reason.values()) {
        ready.put(reason, denial(reason, schemes));
      }
    }

    /** @param more headers of this one alone */
    private byte[] of(Verdict.Reason reason, Map<String, String> more) {
      var bytes = ready.getOrDefault(reason, UNAVAILABLE);
      return more.isEmpty() ? bytes : joined(bytes, headers(more));
    }

    /** Protobuf reads two messages in a row as one, whose lists are joined. */
    private static byte[] joined(byte[] one, byte[] other) {
      var both = Arrays.copyOf(one, one.length + other.length);
      System.arraycopy(other, 0, both, one.length, other.length);
      return both;
    }

    private static byte[] headers(Map<String, String> headers) {
      var denied = DeniedHttpResponse.newBuilder();
      headers.forEach((name, value) -> denied.addHeaders(header(name, value)));
      return CheckResponse.newBuilder().setDeniedResponse(denied).build().toByteArray();
    }
  }

  /** An allow's bytes, but for the decision's id. */
  static final class Ready {
    private final byte[] bytes;
    private final int idAt;

    private Ready(byte[] bytes, int idAt) {
      this.bytes = bytes;
      this.idAt = idAt;
    }

    private byte[] as(ByteString decisionId) {
      var answer = bytes.clone();
      decisionId.copyTo(answer, idAt);
      return answer;
    }
  }

  private static Ready ready(Grant grant) {
    var ready = grant.answer();
    if (ready == null) {
      ready = build(grant);
      grant.keep(ready);
    }
    return ready;
  }

  private static Ready build(Grant grant) {
    var ok = OkHttpResponse.newBuilder().addAllHeadersToRemove(grant.changes().remove());
    grant.changes().set().forEach((name, value) -> ok.addHeaders(header(name, value)));
    ok.addAllQueryParametersToRemove(grant.changes().removeParameters());
    var bytes = CheckResponse.newBuilder()
        .setStatus(Status.newBuilder().setCode(Code.OK_VALUE))
        .setOkResponse(ok)
        .setDynamicMetadata(metadata(grant))
        .build()
        .toByteArray();
    int idAt = indexOf(bytes, PLACEHOLDER.getBytes(StandardCharsets.US_ASCII));
    if (idAt < 0) {
      throw new IllegalStateException("an answer without the decision's id");
    }
    return new Ready(bytes, idAt);
  }

  /** Under {@link Bindings#AUTHZ_NAMESPACE}: Envoy puts an answer's top-level metadata there. */
  private static Struct metadata(Grant grant) {
    var metadata = Struct.newBuilder()
        .putFields("decision", value(Map.of("id", PLACEHOLDER, "policy", grant.policy())));
    var auth = grant.auth();
    if (auth == null) {
      return metadata.build();
    }
    metadata.putFields(
        "auth", Value.newBuilder().setStructValue(auth(auth, grant)).build());
    grant.copies().forEach((name, text) -> copy(metadata, name, text));
    copy(metadata, "sub", auth.sub());
    copy(metadata, "plan", grant.plan());
    return metadata.build();
  }

  private static Struct auth(Auth auth, Grant grant) {
    var struct = Struct.newBuilder()
        .putFields("method", value(auth.method()))
        .putFields("scopes", value(auth.scopes()))
        .putFields("claims", value(grant.toldClaims()));
    if (auth.sub() != null) {
      struct.putFields("sub", value(auth.sub()));
    }
    if (auth.iss() != null) {
      struct.putFields("iss", value(auth.iss()));
    }
    if (grant.plan() != null) {
      struct.putFields("plan", value(grant.plan()));
    }
    return struct.build();
  }

  /** For rate limit descriptors, which read strings only. */
  private static void copy(Struct.Builder metadata, String name, @Nullable String text) {
    if (text != null && text.length() <= MAX_COPY) {
      metadata.putFields(Bindings.DESCRIPTOR_PREFIX + name, value(text));
    }
  }

  private static Value value(@Nullable Object plain) {
    var value = Value.newBuilder();
    switch (plain) {
      case null -> value.setNullValue(NullValue.NULL_VALUE);
      case String text -> value.setStringValue(text);
      case Number number -> value.setNumberValue(number.doubleValue());
      case Boolean truth -> value.setBoolValue(truth);
      case List<?> list -> {
        var values = ListValue.newBuilder();
        list.forEach(each -> values.addValues(value(each)));
        value.setListValue(values);
      }
      case Map<?, ?> map -> {
        var struct = Struct.newBuilder();
        map.forEach((name, each) -> struct.putFields((String) name, value(each)));
        value.setStructValue(struct);
      }
      default -> throw new IllegalStateException("no JSON value: " + plain.getClass());
    }
    return value.build();
  }

  private static byte[] denial(Verdict.Reason reason, List<String> schemes) {
    return switch (reason) {
      // RFC 6750 §3.1: who sent nothing is told no error code.
      case NO_CREDENTIAL -> unauthorized(schemes, null);
      case BAD_CREDENTIAL -> unauthorized(schemes, "invalid_token");
      case INSUFFICIENT_SCOPE -> forbidden(challenge(List.of("Bearer"), "insufficient_scope"));
      case FORBIDDEN, NO_ROUTE -> forbidden(null);
    };
  }

  /** One challenge a method (RFC 9110 §11.6.1), in the policy's order; only Bearer has error codes. */
  private static String challenge(List<String> schemes, @Nullable String error) {
    return schemes.stream()
        .map(scheme -> scheme + " realm=\"gatehouse\""
            + (error != null && scheme.equals("Bearer") ? ", error=\"" + error + "\"" : ""))
        .collect(Collectors.joining(", "));
  }

  /** RFC 9110 §15.5.2: a 401 has a challenge; where there is nothing to ask for it is a 403. */
  private static byte[] unauthorized(List<String> schemes, @Nullable String error) {
    return schemes.isEmpty()
        ? forbidden(null)
        : denied(Code.UNAUTHENTICATED, 401, challenge(schemes, error), "401 Unauthorized\n");
  }

  private static byte[] forbidden(@Nullable String challenge) {
    return denied(Code.PERMISSION_DENIED, 403, challenge, "403 Forbidden\n");
  }

  private static byte[] denied(Code code, int status, @Nullable String challenge, String body) {
    var denied = DeniedHttpResponse.newBuilder()
        .setStatus(HttpStatus.newBuilder().setCodeValue(status))
        .addHeaders(header("content-type", "text/plain; charset=utf-8"))
        .setBody(body);
    if (challenge != null) {
      denied.addHeaders(header("www-authenticate", challenge));
    }
    return CheckResponse.newBuilder()
        .setStatus(Status.newBuilder().setCode(code.getNumber()))
        .setDeniedResponse(denied)
        .build()
        .toByteArray();
  }

  /** Envoy up to 1.36 reads only the deprecated {@code append}, 1.37 appends where it is unset: it is always written. */
  @SuppressWarnings("deprecation")
  private static HeaderValueOption header(String name, String value) {
    return HeaderValueOption.newBuilder()
        .setHeader(HeaderValue.newBuilder().setKey(name).setValue(value))
        .setAppend(BoolValue.of(false))
        .build();
  }

  private static int indexOf(byte[] bytes, byte[] wanted) {
    for (int i = 0; i + wanted.length <= bytes.length; i++) {
      if (Arrays.equals(bytes, i, i + wanted.length, wanted, 0, wanted.length)) {
        return i;
      }
    }
    return -1;
  }
}
