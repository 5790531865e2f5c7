package com.example.tenants;

import dev.gatehouse.extproc.kit.ProcessorServer;
import dev.gatehouse.extproc.kit.ProcessorService;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Serves the processor on 127.0.0.1:9002, with health and metrics on 127.0.0.1:9102, until it is told to end. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    ProcessorServer.of(service())
        .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 9002))
        .admin(new InetSocketAddress(InetAddress.getLoopbackAddress(), 9102))
        .serve();
  }

  static ProcessorService service() {
    return new ProcessorService("tenants", TenantProcessor::open);
  }
}
