package dev.gatehouse.bench;

import dev.gatehouse.server.EventLoops;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.envoyproxy.envoy.service.ext_proc.v3.ExternalProcessorGrpc;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingRequest;
import io.envoyproxy.envoy.service.ext_proc.v3.ProcessingResponse;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitResponse;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitServiceGrpc;
import io.grpc.BindableService;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * The least that a grpc-java server can do: the same generated stubs and transport as ours, the same message parsed in full, and a
 * constant answer, the very one that ours gave. What a service costs beyond this is what it does.
 */
final class EmptyServer {
  private EmptyServer() {}

  /** @param args scenario, port, a file with our answers to one call, one a line in base64 */
  public static void main(String[] args) throws IOException, InterruptedException {
    var scenario = Scenario.named(args[0]);
    var answers = new ArrayList<byte[]>();
    for (var line : Files.readAllLines(Path.of(args[2]))) {
      answers.add(Base64.getDecoder().decode(line));
    }
    var loops = EventLoops.start(0);
    var server = NettyServerBuilder.forAddress(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[1])))
        .bossEventLoopGroup(loops.group())
        .workerEventLoopGroup(loops.group())
        .channelType(
            loops.transport().equals("epoll")
                ? EpollServerSocketChannel.class
                : NioServerSocketChannel.class)
        .directExecutor()
        .addService(service(scenario, answers))
        .build()
        .start();
    server.awaitTermination();
  }

  private static BindableService service(Scenario scenario, List<byte[]> answers)
      throws IOException {
    return switch (scenario) {
      case AUTHZ, AUTHZ_FIRST, AUTHZ_ROUTES, AUTHZ_APIKEY ->
        new Authorization(CheckResponse.parseFrom(answers.getFirst()));
      case RATELIMIT, RATELIMIT_DENIED, RATELIMIT_RULES ->
        new RateLimit(RateLimitResponse.parseFrom(answers.getFirst()));
      case EXT_PROC, EXT_PROC_MASK -> new Processor(processing(answers));
    };
  }

  private static List<ProcessingResponse> processing(List<byte[]> answers) throws IOException {
    var all = new ArrayList<ProcessingResponse>();
    for (var answer : answers) {
      all.add(ProcessingResponse.parseFrom(answer));
    }
    return all;
  }

  private static final class Authorization extends AuthorizationGrpc.AuthorizationImplBase {
    private final CheckResponse answer;

    Authorization(CheckResponse answer) {
      this.answer = answer;
    }

    @Override
    public void check(CheckRequest request, StreamObserver<CheckResponse> response) {
      response.onNext(answer);
      response.onCompleted();
    }
  }

  private static final class RateLimit extends RateLimitServiceGrpc.RateLimitServiceImplBase {
    private final RateLimitResponse answer;

    RateLimit(RateLimitResponse answer) {
      this.answer = answer;
    }

    @Override
    public void shouldRateLimit(
        RateLimitRequest request, StreamObserver<RateLimitResponse> response) {
      response.onNext(answer);
      response.onCompleted();
    }
  }

  private static final class Processor extends ExternalProcessorGrpc.ExternalProcessorImplBase {
    private final List<ProcessingResponse> answers;

    /** @param answers to the messages of a stream, in order */
    Processor(List<ProcessingResponse> answers) {
      this.answers = answers;
    }

    @Override
    public StreamObserver<ProcessingRequest> process(StreamObserver<ProcessingResponse> response) {
      return new StreamObserver<>() {
        private int answered;

        @Override
        public void onNext(ProcessingRequest request) {
          response.onNext(answers.get(answered++));
        }

        @Override
        public void onError(Throwable cause) {}

        @Override
        public void onCompleted() {
          response.onCompleted();
        }
      };
    }
  }
}
