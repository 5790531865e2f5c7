package dev.gatehouse.extproc.stream;

import com.google.protobuf.ByteString;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import java.util.List;

/** Says the same to whatever comes first: that, and no more, is to be said. */
record Refusing(Reply reply) implements Processor {
  @Override
  public Reply headers(HeadersMessage headers) {
    return reply;
  }

  @Override
  public Reply body(Direction direction, ByteString body) {
    return reply;
  }

  @Override
  public Reply trailers(Direction direction, List<HeaderValue> trailers) {
    return reply;
  }

  @Override
  public Reply headersLeftOut(Direction direction) {
    return reply;
  }

  @Override
  public Reply failed(Direction direction, Failure failure) {
    return reply;
  }
}
