package dev.gatehouse.sandbox.cases;

import dev.gatehouse.sandbox.Upstream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** An upstream for each Backend of a case, so that a case can say which one was asked. */
final class Upstreams implements AutoCloseable {
  private final Function<Upstream.Seen, Upstream.Reply> usual;
  private final Map<String, Upstream> byBackend = new LinkedHashMap<>();

  Upstreams(Function<Upstream.Seen, Upstream.Reply> usual) {
    this.usual = usual;
  }

  /** The only one, at a given address, for a gateway that somebody else configured. */
  static Upstreams single(
      InetSocketAddress address, Function<Upstream.Seen, Upstream.Reply> usual) {
    var all = new Upstreams(usual);
    all.byBackend.put("", Upstream.start(address, usual));
    return all;
  }

  /** @param backend empty where there is only one */
  record Arrival(String backend, Upstream.Seen request) {}

  /** The port of a Backend's upstream, which is started when it is first asked for. */
  synchronized int port(String backend) {
    return byBackend
        .computeIfAbsent(
            backend,
            name ->
                Upstream.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), usual))
        .port();
  }

  synchronized void tell(Upstream.@Nullable Reply reply) {
    byBackend.values().forEach(upstream -> upstream.tell(reply));
  }

  /** What arrived anywhere since the last call. */
  synchronized List<Arrival> take() {
    var all = new ArrayList<Arrival>();
    byBackend.forEach(
        (name, upstream) -> upstream.take().forEach(seen -> all.add(new Arrival(name, seen))));
    return all;
  }

  @Override
  public synchronized void close() {
    byBackend.values().forEach(Upstream::close);
  }
}
