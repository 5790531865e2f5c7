package dev.gatehouse.ratelimit;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import dev.gatehouse.ratelimit.UnaryCalls.Answer;
import dev.gatehouse.server.AdminPage;
import dev.gatehouse.server.HttpPage;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitServiceGrpc;
import io.grpc.Attributes;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.netty.channel.EventLoop;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /json}, for callers that do not speak gRPC: a {@code RateLimitRequest} in protobuf's JSON, counted as one that came by gRPC.
 * 200, or 429 over a limit, with the answer as JSON; 400 for what is no request and for what the service answers with an error, as
 * envoyproxy/ratelimit does.
 */
final class JsonCalls implements HttpPage.Handler {
  static final int MAX_BYTES = 64 << 10;

  private static final JsonFormat.Parser PARSER = JsonFormat.parser();
  private static final JsonFormat.Printer PRINTER =
      JsonFormat.printer().omittingInsignificantWhitespace();

  private final UnaryCalls.Method<RateLimitRequest> service;
  private final List<EventLoop> loops;
  private final AtomicInteger next = new AtomicInteger();

  /** @param loops those that the service serves on */
  JsonCalls(UnaryCalls.Method<RateLimitRequest> service, List<EventLoop> loops) {
    this.service = service;
    this.loops = loops;
  }

  HttpPage page() {
    return new HttpPage.Posted(MAX_BYTES, this);
  }

  @Override
  public void posted(byte[] body, Consumer<AdminPage> page) {
    var request = RateLimitRequest.newBuilder();
    try {
      PARSER.merge(new String(body, UTF_8), request);
    } catch (InvalidProtocolBufferException e) {
      page.accept(AdminPage.text(400, "no RateLimitRequest in JSON: " + e.getMessage()));
      return;
    }
    var built = request.build();
    var loop = loops.get(Math.floorMod(next.getAndIncrement(), loops.size()));
    loop.execute(() -> {
      var answer = new Answer(new Call(page));
      try {
        service.invoke(built, new Metadata(), answer);
      } catch (RuntimeException e) {
        answer.broken(e);
      }
    });
  }

  private static AdminPage page(byte[] message) {
    try {
      var response = RateLimitResponse.parseFrom(message);
      int status = switch (response.getOverallCode()) {
        case OK -> 200;
        case OVER_LIMIT -> 429;
        case UNKNOWN, UNRECOGNIZED -> 500;
      };
      return AdminPage.json(status, PRINTER.print(response));
    } catch (InvalidProtocolBufferException e) {
      return AdminPage.text(500, "the answer is none");
    }
  }

  /** A gRPC call that came over HTTP: its answer is a page. */
  private static final class Call extends ServerCall<RateLimitRequest, byte[]> {
    private final Consumer<AdminPage> page;
    private byte @Nullable [] message;

    Call(Consumer<AdminPage> page) {
      this.page = page;
    }

    @Override
    public void request(int numMessages) {}

    @Override
    public void sendHeaders(Metadata headers) {}

    @Override
    public void sendMessage(byte[] answer) {
      message = answer;
    }

    @Override
    public void close(Status status, Metadata trailers) {
      page.accept(
          status.isOk() && message != null
              ? page(message)
              : AdminPage.text(400, String.valueOf(status.getDescription())));
    }

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public Attributes getAttributes() {
      return Attributes.EMPTY;
    }

    @Override
    public MethodDescriptor<RateLimitRequest, byte[]> getMethodDescriptor() {
      throw new UnsupportedOperationException(
          RateLimitServiceGrpc.getShouldRateLimitMethod().getFullMethodName() + " over HTTP");
    }
  }
}
