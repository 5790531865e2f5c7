package dev.gatehouse.testkit;

import dev.gatehouse.testkit.EnvoyFilter.Overrides;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.HeaderSendMode;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import org.jspecify.annotations.Nullable;

/** {@code effectiveModeOverride} of the filter: what is left at DEFAULT is the configuration's, body modes are always taken. */
final class ModeOverrides {
  private ModeOverrides() {}

  /** The mode that an answer leads to; null where it leads to none, or Envoy heeds none. */
  static @Nullable ProcessingMode of(ProcessingResponse answer, EnvoyFilter.Settings settings) {
    if (!answer.hasModeOverride()) {
      return null;
    }
    var configured = settings.mode();
    var wanted = answer.getModeOverride();
    check(answer, settings.overrides(), configured, wanted);
    if (settings.overrides() == Overrides.IGNORED || settings.early()) {
      return null;
    }
    var mode = configured.toBuilder()
        .setRequestBodyMode(wanted.getRequestBodyMode())
        .setResponseBodyMode(wanted.getResponseBodyMode());
    if (wanted.getResponseHeaderMode() != HeaderSendMode.DEFAULT) {
      mode.setResponseHeaderMode(wanted.getResponseHeaderMode());
    }
    if (wanted.getRequestTrailerMode() != HeaderSendMode.DEFAULT) {
      mode.setRequestTrailerMode(wanted.getRequestTrailerMode());
    }
    if (wanted.getResponseTrailerMode() != HeaderSendMode.DEFAULT) {
      mode.setResponseTrailerMode(wanted.getResponseTrailerMode());
    }
    return mode.build();
  }

  private static void check(
      ProcessingResponse answer,
      Overrides overrides,
      ProcessingMode configured,
      ProcessingMode wanted) {
    Rule.MODE_OVERRIDE_AT_HEADERS.keep(
        answer.hasRequestHeaders() || answer.hasResponseHeaders(),
        "mode_override comes with " + answer.getResponseCase());
    Rule.MODE_OVERRIDE_AND_FULL_DUPLEX.keep(
        !isDuplex(configured) && !isDuplex(wanted),
        "from " + configured.getRequestBodyMode() + " and " + configured.getResponseBodyMode()
            + " to " + wanted.getRequestBodyMode() + " and " + wanted.getResponseBodyMode());
    Rule.MODE_OVERRIDE_ALLOWED.keep(
        overrides != Overrides.FORBIDDEN,
        "mode_override asks for " + wanted.getRequestBodyMode() + " and "
            + wanted.getResponseBodyMode());
  }

  private static boolean isDuplex(ProcessingMode mode) {
    return mode.getRequestBodyMode() == BodySendMode.FULL_DUPLEX_STREAMED
        || mode.getResponseBodyMode() == BodySendMode.FULL_DUPLEX_STREAMED;
  }
}
