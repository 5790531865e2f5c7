package dev.gatehouse.extproc.stream;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.policy.expr.Auth;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.service.ext_proc.v3.HttpHeaders;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A {@code request_headers} or {@code response_headers} message, with what Envoy tells beside it. */
public final class HeadersMessage {
  /** The key of the attributes in a message. */
  public static final String FILTER = "envoy.filters.http.ext_proc";

  private static final String VIA_UPSTREAM = "via_upstream";

  /**
   * Envoy's cache filters say so of an answer that is the upstream's: {@code cache.response_from_cache_filter}, and {@code
   * cache.insert_via_upstream} of one that comes from there just now (cache_v2).
   */
  private static final String FROM_CACHE = "cache.";

  private final ProcessingRequest message;
  private final Direction direction;
  private final HttpHeaders headers;
  private final BodyMode bodyMode;

  public HeadersMessage(ProcessingRequest message) {
    this(message, BodyMode.UNKNOWN);
  }

  /** @param bodyMode in which the body behind these headers comes, as far as is known */
  public HeadersMessage(ProcessingRequest message, BodyMode bodyMode) {
    this.message = message;
    this.bodyMode = bodyMode;
    this.direction = message.hasRequestHeaders() ? Direction.REQUEST : Direction.RESPONSE;
    this.headers =
        direction == Direction.REQUEST ? message.getRequestHeaders() : message.getResponseHeaders();
  }

  public Direction direction() {
    return direction;
  }

  /** In which mode the body comes that follows; what cannot be had in it need not be wished for. */
  public BodyMode bodyMode() {
    return bodyMode;
  }

  /** No body follows. */
  public boolean endOfStream() {
    return headers.getEndOfStream();
  }

  /** Names are in lower case; a name may occur several times. */
  public List<HeaderValue> headers() {
    return headers.getHeaders().getHeadersList();
  }

  /** The value as it was sent: {@code raw_value}, or {@code value} from an Envoy before 1.29. */
  public static ByteString value(HeaderValue header) {
    return header.getRawValue().isEmpty() ? header.getValueBytes() : header.getRawValue();
  }

  /** The first value of a header; null if it is absent. */
  public @Nullable String first(String name) {
    var all = headers();
    for (var i = 0; i < all.size(); i++) {
      var header = all.get(i);
      if (header.getKey().equals(name)) {
        return value(header).toStringUtf8();
      }
    }
    return null;
  }

  /** All the values of a header, in order; empty if it is absent. */
  public List<String> values(String name) {
    return headers().stream()
        .filter(header -> header.getKey().equals(name))
        .map(header -> value(header).toStringUtf8())
        .toList();
  }

  /** The attributes that {@code request_attributes} or {@code response_attributes} asks for: texts, numbers and booleans. */
  public Struct attributes() {
    return message.getAttributesMap().getOrDefault(FILTER, Struct.getDefaultInstance());
  }

  /** An attribute that {@code request_attributes} or {@code response_attributes} asks for; null where it is not a text. */
  public @Nullable String attribute(String name) {
    var attributes = message.getAttributesMap().get(FILTER);
    var value = attributes == null ? null : attributes.getFieldsMap().get(name);
    return value == null || !value.hasStringValue() ? null : value.getStringValue();
  }

  /** The dynamic metadata of another filter; null if there is none or it is not forwarded. */
  public @Nullable Struct metadata(String namespace) {
    return message.getMetadataContext().getFilterMetadataMap().get(namespace);
  }

  /** Who is calling, as ext-authz says in its dynamic metadata; null where it said nothing or its namespace is not forwarded. */
  public @Nullable Auth auth() {
    return AuthMetadata.read(metadata(Bindings.AUTHZ_NAMESPACE));
  }

  /**
   * Whether a response is one that Envoy made itself, such as a denial: the attribute {@code response.code_details} says so. Without
   * the attribute it counts as the upstream's, and so does one out of Envoy's cache.
   */
  public boolean isLocalReply() {
    var details = attribute("response.code_details");
    return direction == Direction.RESPONSE
        && details != null
        && !details.equals(VIA_UPSTREAM)
        && !details.startsWith(FROM_CACHE);
  }
}
