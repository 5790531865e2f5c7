package dev.gatehouse.bench;

import dev.gatehouse.server.Prebuilt;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** Drives a server as Envoy does: two pinned HTTP/2 connections with 16 calls in flight on each, or calls at a constant rate. */
final class Load implements AutoCloseable {
  private static final int CONNECTIONS = 2;
  private static final int IN_FLIGHT = 16;
  private static final int MAX_OPEN = 4_096;
  private static final Metadata.Key<String> LISTENER =
      Metadata.Key.of("x-gatehouse-listener", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> ROUTE =
      Metadata.Key.of("x-gatehouse-route", Metadata.ASCII_STRING_MARSHALLER);

  private final MethodDescriptor<byte[], byte[]> method;
  private final List<List<byte[]>> calls;
  private final Shop shop;
  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final List<ManagedChannel> channels = new ArrayList<>();
  private final AtomicLong failed = new AtomicLong();
  private final AtomicInteger open = new AtomicInteger();
  private final AtomicInteger nextCall = new AtomicInteger();

  Load(Scenario scenario, Shop shop, List<List<byte[]>> calls, InetSocketAddress server) {
    this.method = MethodDescriptor.<byte[], byte[]>newBuilder()
        .setType(scenario.method().getType())
        .setFullMethodName(scenario.method().getFullMethodName())
        .setRequestMarshaller(Prebuilt.bytes())
        .setResponseMarshaller(Prebuilt.bytes())
        .build();
    this.calls = calls;
    this.shop = shop;
    for (var i = 0; i < CONNECTIONS; i++) {
      channels.add(NettyChannelBuilder.forAddress(server)
          .eventLoopGroup(group)
          .channelType(NioSocketChannel.class)
          .directExecutor()
          .usePlaintext()
          .build());
    }
  }

  /** Latencies in microseconds. */
  record Result(long requests, double seconds, long failed, double p50, double p99, double p999) {
    double rate() {
      return requests / seconds;
    }
  }

  /** As many as the server takes: each answer starts the next call. */
  Result saturate(double seconds) throws InterruptedException {
    var recorder = new Recorder();
    var end = System.nanoTime() + (long) (seconds * 1e9);
    var start = System.nanoTime();
    for (var channel : channels) {
      for (var i = 0; i < IN_FLIGHT; i++) {
        new Loop(channel, recorder, end).begin();
      }
    }
    awaitQuiet(end);
    return recorder.result((System.nanoTime() - start) / 1e9);
  }

  /** At a constant rate whatever the server does; a call's latency counts from when it was due. */
  Result atRate(double perSecond, double seconds) throws InterruptedException {
    var recorder = new Recorder();
    var start = System.nanoTime();
    var end = start + (long) (seconds * 1e9);
    var gap = 1e9 / perSecond;
    for (long sent = 0; ; sent++) {
      var due = start + (long) (sent * gap);
      if (due >= end) {
        break;
      }
      for (var wait = due - System.nanoTime(); wait > 0; wait = due - System.nanoTime()) {
        LockSupport.parkNanos(Math.min(wait, 200_000));
      }
      if (open.get() < MAX_OPEN) {
        new Once(channels.get((int) (sent % CONNECTIONS)), recorder, due).begin();
      } else {
        failed.incrementAndGet();
      }
    }
    awaitQuiet(end);
    return recorder.result(seconds);
  }

  /** What the server answers to one call, once its health says that it serves. A peer without health is asked at once. */
  List<byte[]> ask() throws InterruptedException {
    for (var attempt = 0; attempt < 300; attempt++) {
      if (serves()) {
        var asking = new Asking();
        asking.begin();
        if (asking.done.await(10, TimeUnit.SECONDS) && !asking.answers.isEmpty()) {
          return asking.answers;
        }
      }
      Thread.sleep(100);
    }
    throw new IllegalStateException("the server did not answer");
  }

  private boolean serves() {
    try {
      return HealthGrpc.newBlockingStub(channels.getFirst())
              .withDeadlineAfter(1, TimeUnit.SECONDS)
              .check(HealthCheckRequest.getDefaultInstance())
              .getStatus()
          == HealthCheckResponse.ServingStatus.SERVING;
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode() == Status.Code.UNIMPLEMENTED;
    }
  }

  private void awaitQuiet(long end) throws InterruptedException {
    while (System.nanoTime() < end || open.get() > 0) {
      Thread.sleep(1);
      if (System.nanoTime() > end + 10_000_000_000L) {
        throw new IllegalStateException(open.get() + " calls were never answered");
      }
    }
  }

  private List<byte[]> next() {
    return calls.get((nextCall.getAndIncrement() & Integer.MAX_VALUE) % calls.size());
  }

  @Override
  public void close() {
    channels.forEach(ManagedChannel::shutdownNow);
    var _ = group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }

  /** One call: its messages one after the other, each after the answer to the one before. */
  private abstract class Exchange extends ClientCall.Listener<byte[]> {
    private final ManagedChannel channel;
    private final List<byte[]> messages;
    private int sent;
    private ClientCall<byte[], byte[]> call;

    Exchange(ManagedChannel channel, List<byte[]> messages) {
      this.channel = channel;
      this.messages = messages;
      this.call = channel.newCall(method, CallOptions.DEFAULT);
    }

    void begin() {
      open.incrementAndGet();
      var metadata = new Metadata();
      if (messages.size() > 1) {
        metadata.put(LISTENER, shop.listener());
        metadata.put(ROUTE, shop.route());
      }
      call = channel.newCall(method, CallOptions.DEFAULT);
      call.start(this, metadata);
      call.request(messages.size() + 1);
      // The answer may come on the client's loop before this returns: the rest of the messages is
      // sent there alone.
      sent = 1;
      call.sendMessage(messages.getFirst());
      if (messages.size() == 1) {
        call.halfClose();
      }
    }

    @Override
    public void onMessage(byte[] answer) {
      answered(answer);
      if (sent < messages.size()) {
        call.sendMessage(messages.get(sent++));
        if (sent == messages.size()) {
          call.halfClose();
        }
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      open.decrementAndGet();
      if (!status.isOk()) {
        failed.incrementAndGet();
      }
      ended(status);
    }

    void answered(byte[] answer) {}

    abstract void ended(Status status);
  }

  private final class Asking extends Exchange {
    private final List<byte[]> answers = new ArrayList<>();
    private final CountDownLatch done = new CountDownLatch(1);

    Asking() {
      super(channels.getFirst(), calls.getFirst());
    }

    @Override
    void answered(byte[] answer) {
      answers.add(answer);
    }

    @Override
    void ended(Status status) {
      done.countDown();
    }
  }

  private final class Loop extends Exchange {
    private final ManagedChannel channel;
    private final Recorder recorder;
    private final long end;
    private final long began = System.nanoTime();

    Loop(ManagedChannel channel, Recorder recorder, long end) {
      super(channel, next());
      this.channel = channel;
      this.recorder = recorder;
      this.end = end;
    }

    @Override
    void ended(Status status) {
      var now = System.nanoTime();
      recorder.add(now - began);
      if (now < end) {
        new Loop(channel, recorder, end).begin();
      }
    }
  }

  private final class Once extends Exchange {
    private final Recorder recorder;
    private final long due;

    Once(ManagedChannel channel, Recorder recorder, long due) {
      super(channel, next());
      this.recorder = recorder;
      this.due = due;
    }

    @Override
    void ended(Status status) {
      recorder.add(System.nanoTime() - due);
    }
  }

  /** Written by the client's one event loop. */
  private final class Recorder {
    private final long failedBefore = failed.get();
    private long[] latencies = new long[1 << 20];
    private int count;

    void add(long nanos) {
      if (count == latencies.length) {
        latencies = Arrays.copyOf(latencies, count * 2);
      }
      latencies[count++] = nanos;
    }

    private static double micros(long[] sorted, double share) {
      var at = Math.min(sorted.length - 1, (int) (sorted.length * share));
      return at < 0 ? 0 : sorted[at] / 1e3;
    }

    Result result(double seconds) {
      var sorted = Arrays.copyOf(latencies, count);
      Arrays.sort(sorted);
      return new Result(
          count,
          seconds,
          failed.get() - failedBefore,
          micros(sorted, 0.5),
          micros(sorted, 0.99),
          micros(sorted, 0.999));
    }
  }
}
