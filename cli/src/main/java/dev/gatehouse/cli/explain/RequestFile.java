package dev.gatehouse.cli.explain;

import com.google.protobuf.ByteString;
import dev.gatehouse.sandbox.StrictYaml;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A request that stands in a file ({@code gatehouse explain --request}). Read strictly: an unknown key is an error.
 *
 * @param headers a value, or a list of them
 * @param json a body as JSON, instead of {@code body}
 */
public record RequestFile(
    @Nullable String method,
    @Nullable String scheme,
    @Nullable String host,
    @Nullable String path,
    @Nullable Map<String, JsonNode> headers,
    @Nullable String sourceAddress,
    @Nullable String body,
    @Nullable JsonNode json,
    @Nullable String listener,
    @Nullable String route,
    @Nullable String now,
    @Nullable Reply response) {
  public static final RequestFile EMPTY =
      new RequestFile(null, null, null, null, null, null, null, null, null, null, null, null);

  /** What the upstream would answer. */
  public record Reply(
      @Nullable Integer status,
      @Nullable Map<String, JsonNode> headers,
      @Nullable String body,
      @Nullable JsonNode json) {
    public List<Asked.Header> headerList() {
      return list(headers);
    }

    public ByteString bodyBytes() {
      return bytes(body, json);
    }
  }

  /** @throws BadQuestion naming file, line and column */
  public static RequestFile read(Path file, String yaml) {
    try {
      var read = StrictYaml.read(file.toString(), yaml, RequestFile.class);
      return read == null ? EMPTY : read;
    } catch (IllegalArgumentException e) {
      throw new BadQuestion(String.valueOf(e.getMessage()));
    }
  }

  public List<Asked.Header> headerList() {
    return list(headers);
  }

  public ByteString bodyBytes() {
    return bytes(body, json);
  }

  private static List<Asked.Header> list(@Nullable Map<String, JsonNode> headers) {
    var list = new ArrayList<Asked.Header>();
    if (headers != null) {
      headers.forEach((name, value) -> {
        if (value.isArray()) {
          value.forEach(each -> list.add(new Asked.Header(name, each.asString())));
        } else {
          list.add(new Asked.Header(name, value.asString()));
        }
      });
    }
    return list;
  }

  private static ByteString bytes(@Nullable String body, @Nullable JsonNode json) {
    return body != null
        ? ByteString.copyFromUtf8(body)
        : json != null ? ByteString.copyFromUtf8(json.toString()) : ByteString.EMPTY;
  }
}
