package dev.gatehouse.ratelimit.config.xds;

import io.grpc.Status;
import javax.net.ssl.SSLException;

/** Says in words why a stream to the control plane ended, and what to do about it. */
final class Failures {
  private Failures() {}

  static String explain(Status status, XdsSettings settings) {
    var text = text(status);
    return switch (status.getCode()) {
      case OK -> "the server ended the stream";
      case RESOURCE_EXHAUSTED ->
        text + " (a response may have " + settings.maxMessageBytes()
            + " bytes; XDS_CLIENT_MAX_MSG_SIZE_IN_BYTES sets another bound)";
      case UNIMPLEMENTED -> text + " (is there an ADS server at CONFIG_GRPC_XDS_SERVER_URL?)";
      case UNAUTHENTICATED, PERMISSION_DENIED ->
        text + " (the server does not accept this client: see CONFIG_GRPC_XDS_CLIENT_TLS_CERT and "
            + "CONFIG_GRPC_XDS_CLIENT_ADDITIONAL_HEADERS)";
      default -> text;
    };
  }

  private static String text(Status status) {
    var description = status.getDescription();
    var text = new StringBuilder(status.getCode().name());
    if (description != null) {
      // Netty adds lines about its pipeline.
      text.append(": ").append(description.lines().findFirst().orElse(""));
    }
    var cause = status.getCause();
    for (int i = 0; cause != null && i < 8; i++) {
      if (cause instanceof SSLException || cause.getCause() == null) {
        text.append(": ").append(cause.getMessage());
        break;
      }
      cause = cause.getCause();
    }
    return text.toString();
  }
}
