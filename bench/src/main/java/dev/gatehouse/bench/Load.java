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
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Drives a server as Envoy does: pinned HTTP/2 connections with 16 calls in flight on each, or calls at a constant rate. */
final class Load implements AutoCloseable {
  private static final int CONNECTIONS = 2;
  private static final int IN_FLIGHT = 16;
  private static final int MAX_OPEN = 4_096;
  private static final Metadata.Key<String> LISTENER =
      Metadata.Key.of("x-gatehouse-listener", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> ROUTE =
      Metadata.Key.of("x-gatehouse-route", Metadata.ASCII_STRING_MARSHALLER);

  private final Scenario scenario;
  private final MethodDescriptor<byte[], byte[]> method;
  private final Shop shop;
  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final List<ManagedChannel> channels = new ArrayList<>();
  private final AtomicInteger open = new AtomicInteger();
  private volatile boolean exhausted;
  private volatile String firstFailure = "";

  Load(Scenario scenario, Shop shop, InetSocketAddress server) {
    this(scenario, shop, server, CONNECTIONS);
  }

  Load(Scenario scenario, Shop shop, InetSocketAddress server, int connections) {
    this.scenario = scenario;
    this.method = MethodDescriptor.<byte[], byte[]>newBuilder()
        .setType(scenario.method().getType())
        .setFullMethodName(scenario.method().getFullMethodName())
        .setRequestMarshaller(Prebuilt.bytes())
        .setResponseMarshaller(Prebuilt.bytes())
        .build();
    this.shop = shop;
    for (var i = 0; i < connections; i++) {
      channels.add(NettyChannelBuilder.forAddress(server)
          .eventLoopGroup(group)
          .channelType(NioSocketChannel.class)
          .directExecutor()
          .usePlaintext()
          .build());
    }
    // At once, one after the other: a server deals connections out to its loops in turn.
    channels.forEach(channel -> channel.getState(true));
  }

  /**
   * Latencies in microseconds.
   *
   * @param requests those that ended
   * @param passed those that were let pass
   * @param failed not sent, not answered, or not let pass
   */
  record Result(
      long requests,
      long passed,
      double seconds,
      long failed,
      double p50,
      double p99,
      double p999) {
    double rate() {
      return requests / seconds;
    }
  }

  /** As many as the server takes: each answer starts the next call. Shorter if the calls come to their end. */
  Result saturate(Calls calls, double seconds) throws InterruptedException {
    return saturate(calls, seconds, channels);
  }

  /** On one of the connections. */
  Result saturate(Calls calls, double seconds, int connection) throws InterruptedException {
    return saturate(calls, seconds, List.of(channels.get(connection)));
  }

  private Result saturate(Calls calls, double seconds, List<ManagedChannel> on)
      throws InterruptedException {
    var recorder = new Recorder();
    exhausted = false;
    var end = System.nanoTime() + (long) (seconds * 1e9);
    var start = System.nanoTime();
    for (var channel : on) {
      for (var i = 0; i < IN_FLIGHT; i++) {
        new Loop(channel, calls, recorder, end).begin();
      }
    }
    awaitQuiet(end);
    return recorder.result((System.nanoTime() - start) / 1e9);
  }

  /** At a constant rate whatever the server does; a call's latency counts from when it was due. Shorter if the calls come to their end. */
  Result atRate(Calls calls, double perSecond, double seconds) throws InterruptedException {
    var recorder = new Recorder();
    var ran = send(calls, perSecond, seconds, channels, List.of(recorder));
    return recorder.result(ran);
  }

  /** As {@link #atRate}, but each call's latency by itself, in nanoseconds. */
  long[] latenciesAtRate(Calls calls, double perSecond, double seconds)
      throws InterruptedException {
    var recorder = new Recorder();
    var _ = send(calls, perSecond, seconds, channels, List.of(recorder));
    return recorder.latencies();
  }

  /** As {@link #atRate} on some of the connections, which take turns; told apart by connection. */
  List<Result> atRate(Calls calls, double perSecond, double seconds, List<Integer> connections)
      throws InterruptedException {
    var recorders = connections.stream().map(_ -> new Recorder()).toList();
    var on = connections.stream().map(channels::get).toList();
    var ran = send(calls, perSecond, seconds, on, recorders);
    return recorders.stream().map(recorder -> recorder.result(ran)).toList();
  }

  /** @return how long it sent, in seconds */
  private double send(
      Calls calls,
      double perSecond,
      double seconds,
      List<ManagedChannel> on,
      List<Recorder> recorders)
      throws InterruptedException {
    exhausted = false;
    var start = System.nanoTime();
    var end = start + (long) (seconds * 1e9);
    var gap = 1e9 / perSecond;
    long sent = 0;
    for (; !exhausted; sent++) {
      var due = start + (long) (sent * gap);
      if (due >= end) {
        break;
      }
      for (var wait = due - System.nanoTime(); wait > 0; wait = due - System.nanoTime()) {
        LockSupport.parkNanos(Math.min(wait, 200_000));
      }
      var recorder = recorders.get((int) (sent % recorders.size()));
      if (open.get() < MAX_OPEN) {
        new Once(on.get((int) (sent % on.size())), calls, recorder, due).begin();
      } else {
        recorder.fail();
      }
    }
    awaitQuiet(end);
    return exhausted ? sent * gap / 1e9 : seconds;
  }

  /** What the server answers to a call, once its health says that it serves. A peer without health is asked at once. */
  List<byte[]> ask(List<byte[]> messages) throws InterruptedException {
    for (var attempt = 0; attempt < 600; attempt++) {
      if (serves()) {
        var asking = new Asking(messages);
        asking.begin();
        if (asking.done.await(10, TimeUnit.SECONDS) && !asking.answers.isEmpty()) {
          if (!scenario.passes(asking.answers.getFirst())) {
            throw new IllegalStateException(
                "the first request is not let pass: " + shown(asking.answers.getFirst()));
          }
          return asking.answers;
        }
      }
      Thread.sleep(100);
    }
    throw new IllegalStateException("the server did not answer");
  }

  /** Waits until the server's health says that it serves. */
  void awaitServing() throws InterruptedException {
    for (var attempt = 0; attempt < 6000; attempt++) {
      if (serves()) {
        return;
      }
      Thread.sleep(10);
    }
    throw new IllegalStateException("the server does not serve");
  }

  /** The first answer that did not let a request pass, or why there was none; empty if there is no such. */
  String firstFailure() {
    return firstFailure;
  }

  private static String shown(byte[] answer) {
    return new String(answer, StandardCharsets.ISO_8859_1)
        .replaceAll("[^ -~]+", " ")
        .strip();
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
    while ((System.nanoTime() < end && !exhausted) || open.get() > 0) {
      Thread.sleep(1);
      if (System.nanoTime() > end + 10_000_000_000L) {
        throw new IllegalStateException(open.get() + " calls were never answered");
      }
    }
  }

  @Override
  public void close() {
    channels.forEach(ManagedChannel::shutdownNow);
    var _ = group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }

  /** One call: its messages one after the other, each after the answer to the one before. */
  private abstract class Exchange extends ClientCall.Listener<byte[]> {
    private final List<byte[]> messages;
    private final ClientCall<byte[], byte[]> call;
    private int sent;
    private boolean passed;

    Exchange(ManagedChannel channel, List<byte[]> messages) {
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
      passed = scenario.passes(answer);
      if (!passed && firstFailure.isEmpty()) {
        firstFailure = shown(answer);
      }
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
      if (!status.isOk() && firstFailure.isEmpty()) {
        firstFailure = status.toString();
      }
      ended(status.isOk() && passed);
      open.decrementAndGet();
    }

    void answered(byte[] answer) {}

    /** @param passed whether the request was let pass */
    abstract void ended(boolean passed);
  }

  private final class Asking extends Exchange {
    private final List<byte[]> answers = new ArrayList<>();
    private final CountDownLatch done = new CountDownLatch(1);

    Asking(List<byte[]> messages) {
      super(channels.getFirst(), messages);
    }

    @Override
    void answered(byte[] answer) {
      answers.add(answer);
    }

    @Override
    void ended(boolean passed) {
      done.countDown();
    }
  }

  /** One of the calls that are in flight on a connection; when it ends the next one begins. */
  private final class Loop {
    private final ManagedChannel channel;
    private final Calls calls;
    private final Recorder recorder;
    private final long end;

    Loop(ManagedChannel channel, Calls calls, Recorder recorder, long end) {
      this.channel = channel;
      this.calls = calls;
      this.recorder = recorder;
      this.end = end;
    }

    void begin() {
      var messages = calls.next();
      if (messages == null) {
        exhausted = true;
        return;
      }
      long began = System.nanoTime();
      new Exchange(channel, messages) {
        @Override
        void ended(boolean passed) {
          var now = System.nanoTime();
          recorder.add(now - began, passed);
          if (now < end) {
            Loop.this.begin();
          }
        }
      }.begin();
    }
  }

  private final class Once {
    private final ManagedChannel channel;
    private final Calls calls;
    private final Recorder recorder;
    private final long due;

    Once(ManagedChannel channel, Calls calls, Recorder recorder, long due) {
      this.channel = channel;
      this.calls = calls;
      this.recorder = recorder;
      this.due = due;
    }

    void begin() {
      var messages = calls.next();
      if (messages == null) {
        exhausted = true;
        return;
      }
      new Exchange(channel, messages) {
        @Override
        void ended(boolean passed) {
          recorder.add(System.nanoTime() - due, passed);
        }
      }.begin();
    }
  }
}
