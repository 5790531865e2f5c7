package dev.gatehouse.ratelimit.descriptor;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;

/** Address ranges as Envoy Gateway writes them into descriptors: without host bits, IPv6 in its short form (RFC 5952). */
final class Cidr {
  private Cidr() {}

  /** {@code 10.1.2.3/8} is {@code 10.0.0.0/8}; what is no range stays as it is, since whoever read the policy has said so already. */
  static String canonical(String cidr) {
    int slash = cidr.indexOf('/');
    if (slash < 0) {
      return cidr;
    }
    var address = NetUtil.createByteArrayFromIpAddressString(cidr.substring(0, slash));
    var length = prefixLength(cidr.substring(slash + 1));
    if (address == null || length < 0 || length > address.length * 8) {
      return cidr;
    }
    for (int i = 0; i < address.length; i++) {
      int bits = Math.clamp(length - i * 8L, 0, 8);
      address[i] &= (byte) (0xff << (8 - bits));
    }
    try {
      return NetUtil.toAddressString(InetAddress.getByAddress(address)) + "/" + length;
    } catch (UnknownHostException e) {
      throw new IllegalStateException("an address of " + address.length + " bytes", e);
    }
  }

  private static int prefixLength(String text) {
    return text.matches("[0-9]{1,3}") ? Integer.parseInt(text) : -1;
  }
}
