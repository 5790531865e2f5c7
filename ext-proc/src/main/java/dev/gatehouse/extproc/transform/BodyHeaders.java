package dev.gatehouse.extproc.transform;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.stream.HeaderChanges;

/**
 * What becomes of the headers that speak of a body's very bytes, when those change or may change.
 *
 * <p>Sums over the old body go (RFC 9530, RFC 3230, RFC 1864). A strong entity tag becomes weak: it still says which state of the
 * resource it is, and {@code If-None-Match} goes on to work, but the bytes are not the ones that it was made for (RFC 9110 section
 * 8.8.1). Ranges of it are not to be had.
 */
final class BodyHeaders {
  private static final HeaderChanges CHANGED = sums().build();
  private static final HeaderChanges DECODED = sums().remove("content-encoding").build();
  private static final HeaderChanges NOT_SENT = sums().remove("content-length").build();
  private static final ByteString WEAK = ByteString.copyFromUtf8("W/");
  private static final ByteString QUOTE = ByteString.copyFromUtf8("\"");

  private BodyHeaders() {}

  /** Another body, that has nothing to do with the old one. */
  static final HeaderChanges REPLACED =
      sums().remove("content-encoding").remove("etag").build();

  /** The content-length is the stream's concern. */
  static HeaderChanges changed(HeaderEdits headers, boolean decoded) {
    return weaken(headers, decoded ? DECODED : CHANGED);
  }

  /** Of a body that is only described (HEAD, 304): how long it would be is not known. */
  static HeaderChanges notSent(HeaderEdits headers) {
    return weaken(headers, NOT_SENT);
  }

  private static HeaderChanges weaken(HeaderEdits headers, HeaderChanges changes) {
    var tags = headers.values("etag");
    if (tags.isEmpty() || tags.getFirst().startsWith(WEAK)) {
      return changes;
    }
    var tag = tags.getFirst();
    var weak = HeaderChanges.builder();
    return changes.and(
        tag.startsWith(QUOTE)
            ? weak.overwrite("etag", WEAK.concat(tag)).build()
            : weak.remove("etag").build());
  }

  private static HeaderChanges.Builder sums() {
    return HeaderChanges.builder()
        .remove("content-digest")
        .remove("repr-digest")
        .remove("digest")
        .remove("content-md5")
        .remove("accept-ranges");
  }
}
