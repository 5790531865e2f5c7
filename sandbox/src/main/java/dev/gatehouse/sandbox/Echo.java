package dev.gatehouse.sandbox;

import com.google.protobuf.ByteString;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.Function;
import tools.jackson.databind.json.JsonMapper;

/** Answers every request with what arrived, as JSON: {@code method}, {@code path}, {@code headers} (arrays, names in lower case), {@code body}. */
public final class Echo implements Function<Upstream.Seen, Upstream.Reply> {
  private static final JsonMapper JSON = JsonMapper.shared();

  @Override
  public Upstream.Reply apply(Upstream.Seen request) {
    var seen = new LinkedHashMap<String, Object>();
    seen.put("method", request.method());
    seen.put("path", request.path());
    seen.put("headers", Field.byName(request.fields()));
    seen.put("body", request.text());
    return new Upstream.Reply(
        200,
        List.of(new Field("content-type", "application/json")),
        ByteString.copyFromUtf8(JSON.writeValueAsString(seen)));
  }
}
