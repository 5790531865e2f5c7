package dev.gatehouse.bench;

import com.sun.management.ThreadMXBean;
import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;
import org.jspecify.annotations.Nullable;

/** Counts the bytes that all threads of another JVM have allocated. Of a process that is no JVM it knows nothing. */
final class Allocated implements AutoCloseable {
  private final @Nullable JMXConnector connection;
  private final @Nullable ThreadMXBean threads;

  private Allocated(@Nullable JMXConnector connection, @Nullable ThreadMXBean threads) {
    this.connection = connection;
    this.threads = threads;
  }

  @SuppressWarnings("BanJNDI") // The address is that of a process which it has attached to.
  static Allocated in(long pid) throws IOException {
    VirtualMachine machine;
    try {
      machine = VirtualMachine.attach(Long.toString(pid));
    } catch (AttachNotSupportedException | IOException e) {
      return new Allocated(null, null);
    }
    try {
      var connection =
          JMXConnectorFactory.connect(new JMXServiceURL(machine.startLocalManagementAgent()));
      var threads = ManagementFactory.newPlatformMXBeanProxy(
          connection.getMBeanServerConnection(),
          ManagementFactory.THREAD_MXBEAN_NAME,
          ThreadMXBean.class);
      return new Allocated(connection, threads);
    } finally {
      machine.detach();
    }
  }

  /** Since the process began; NaN where nothing is known. */
  double bytes() {
    return threads == null ? Double.NaN : threads.getTotalThreadAllocatedBytes();
  }

  @Override
  public void close() throws IOException {
    if (connection != null) {
      connection.close();
    }
  }
}
