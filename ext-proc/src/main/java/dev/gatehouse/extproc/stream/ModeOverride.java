package dev.gatehouse.extproc.stream;

import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.HeaderSendMode;
import org.jspecify.annotations.Nullable;

/**
 * Another processing mode for the rest of the stream, said with the answer to headers ({@code mode_override}). Envoy heeds it only
 * under {@code allow_mode_override}, and nothing tells whether it did: the stream bears both.
 *
 * <p>Envoy takes both body modes from it in any case, and what it leaves at DEFAULT from the <em>filter's</em> configuration, not from
 * the route's. So the body mode that is not overridden is said again, and a header mode that the route has set must be, too.
 *
 * @param requestBody null leaves it as it is
 * @param responseBody null leaves it as it is
 */
public record ModeOverride(
    @Nullable BodyMode requestBody,
    @Nullable BodyMode responseBody,
    Sending responseHeaders,
    Sending requestTrailers,
    Sending responseTrailers) {
  /** {@code ProcessingMode.HeaderSendMode}. */
  public enum Sending {
    /** As the filter's own configuration says. */
    DEFAULT(HeaderSendMode.DEFAULT),
    SEND(HeaderSendMode.SEND),
    SKIP(HeaderSendMode.SKIP);

    /** The number in the proto. */
    final int number;

    Sending(HeaderSendMode mode) {
      this.number = mode.getNumber();
    }
  }

  /** @throws IllegalArgumentException if a body would begin to be duplex: Envoy lets its first chunk pass before (tried by its users on 1.34) */
  public ModeOverride {
    if (requestBody == BodyMode.FULL_DUPLEX || responseBody == BodyMode.FULL_DUPLEX) {
      throw new IllegalArgumentException(
          "mode_override to FULL_DUPLEX_STREAMED (expected: another mode; configure this one on the route)");
    }
    if (requestBody == BodyMode.UNKNOWN || responseBody == BodyMode.UNKNOWN) {
      throw new IllegalArgumentException("mode_override to UNKNOWN (expected: a mode, or null)");
    }
  }

  /** The response's body comes in this mode, its headers too. */
  public static ModeOverride responseBody(BodyMode mode) {
    return new ModeOverride(null, mode, Sending.SEND, Sending.DEFAULT, Sending.DEFAULT);
  }

  /** The request's body comes in this mode, and the response's headers are sent. */
  public static ModeOverride requestBody(BodyMode mode) {
    return new ModeOverride(mode, null, Sending.SEND, Sending.DEFAULT, Sending.DEFAULT);
  }

  @Nullable
  BodyMode body(Direction direction) {
    return direction == Direction.REQUEST ? requestBody : responseBody;
  }
}
