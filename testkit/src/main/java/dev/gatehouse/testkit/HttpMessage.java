package dev.gatehouse.testkit;

import com.google.protobuf.ByteString;
import io.envoyproxy.envoy.service.ext_proc.v3.HeaderMutation;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A request or a response on its way through Envoy: as it came, with all that a processor has made of it so far. */
public final class HttpMessage {
  private record Field(String name, ByteString value) {
    @Override
    public String toString() {
      return name + ": " + value.toStringUtf8();
    }
  }

  /** {@code max_headers_count} of Envoy's connection manager, unless it is set. */
  private static final int MOST_HEADERS = 100;

  private final List<Field> headers = new ArrayList<>();
  private final List<Field> trailers = new ArrayList<>();
  private ByteString body = ByteString.EMPTY;
  private boolean replaced;

  HttpMessage() {}

  /** All the values of a header, in order. */
  public List<String> values(String name) {
    return values(headers, name);
  }

  /** The first value of a header; null if it is absent. */
  public @Nullable String header(String name) {
    var values = values(name);
    return values.isEmpty() ? null : values.getFirst();
  }

  /** All the values of a trailer, in order. */
  public List<String> trailers(String name) {
    return values(trailers, name);
  }

  /** Of a response; 0 if there is none (yet). */
  public int status() {
    var status = header(":status");
    return status == null ? 0 : Integer.parseInt(status);
  }

  /** What has gone on of the body. */
  public String body() {
    return body.toStringUtf8();
  }

  public ByteString bodyBytes() {
    return body;
  }

  @Override
  public String toString() {
    return headers + " " + body() + (trailers.isEmpty() ? "" : " " + trailers);
  }

  /** Whether the body was replaced at the headers (CONTINUE_AND_REPLACE), so that no body is sent to the processor. */
  public boolean replaced() {
    return replaced;
  }

  void replace(ByteString all) {
    replaced = true;
    pass(all);
  }

  void add(String name, ByteString value) {
    headers.add(new Field(name.toLowerCase(Locale.ROOT), value));
  }

  void addTrailer(String name, ByteString value) {
    trailers.add(new Field(name.toLowerCase(Locale.ROOT), value));
  }

  void remove(String name) {
    headers.removeIf(header -> header.name.equals(name));
  }

  void pass(ByteString more) {
    body = body.concat(more);
  }

  /**
   * As Envoy does it: removals first, {@code append} heeded and {@code append_action} not.
   *
   * @param replacing the answer is CONTINUE_AND_REPLACE, which may change the method
   * @param lengthIsOpen the mode takes content-length away and ignores that it is set
   */
  void apply(HeaderMutation mutation, boolean replacing, boolean lengthIsOpen) {
    apply(headers, mutation, replacing, lengthIsOpen);
  }

  void applyToTrailers(HeaderMutation mutation) {
    apply(trailers, mutation, false, false);
  }

  /** Envoy heeds {@code append}, deprecated as it is. */
  @SuppressWarnings("deprecation")
  private static void apply(
      List<Field> fields, HeaderMutation mutation, boolean replacing, boolean lengthIsOpen) {
    for (var given : mutation.getRemoveHeadersList()) {
      var name = given.toLowerCase(Locale.ROOT);
      Rule.HEADER_CHARACTERS.keep(isName(name), "a header that is removed has an illegal name");
      Rule.IMMUTABLE_HEADER.keep(
          isMutable(name, false) && !name.startsWith(":"), name + " is removed");
      fields.removeIf(field -> field.name.equals(name));
    }
    for (var option : mutation.getSetHeadersList()) {
      var name = option.getHeader().getKey().toLowerCase(Locale.ROOT);
      var value = option.getHeader().getRawValue();
      Rule.RAW_VALUE.keep(option.getHeader().getValue().isEmpty(), name + " is set in `value`");
      Rule.HEADER_CHARACTERS.keep(isName(name), "a header that is set has an illegal name");
      Rule.HEADER_CHARACTERS.keep(isValue(value), "an illegal character in " + name);
      Rule.IMMUTABLE_HEADER.keep(isMutable(name, replacing), name + " is set");
      var append = option.getAppend().getValue();
      Rule.APPEND.keep(
          append == (option.getAppendActionValue() == 0),
          name + " has append " + append + " and append_action " + option.getAppendAction());
      Rule.IMMUTABLE_HEADER.keep(!append || !name.startsWith(":"), name + " is appended to");
      if (lengthIsOpen && name.equals("content-length")) {
        continue;
      }
      if (!append) {
        fields.removeIf(field -> field.name.equals(name));
      }
      fields.add(new Field(name, value));
    }
    Rule.HEADER_COUNT.keep(
        fields.size() <= MOST_HEADERS
            && mutation.getSetHeadersCount() <= MOST_HEADERS
            && mutation.getRemoveHeadersCount() <= MOST_HEADERS,
        fields.size() + " headers after " + mutation.getRemoveHeadersCount() + " removals and "
            + mutation.getSetHeadersCount() + " sets");
  }

  private static boolean isMutable(String name, boolean replacing) {
    return switch (name) {
      case "host", ":authority", ":scheme" -> false;
      case ":method" -> replacing;
      default -> !name.startsWith("x-envoy-");
    };
  }

  private static boolean isName(String name) {
    return !name.isEmpty()
        && name.chars().allMatch(c -> c > ' ' && c < 127 && c != '"' && c != ',');
  }

  private static boolean isValue(ByteString value) {
    for (var i = 0; i < value.size(); i++) {
      var c = value.byteAt(i);
      if (c == '\r' || c == '\n' || c == 0) {
        return false;
      }
    }
    return true;
  }

  private static List<String> values(List<Field> fields, String name) {
    return fields.stream()
        .filter(field -> field.name.equals(name))
        .map(field -> field.value.toStringUtf8())
        .toList();
  }
}
