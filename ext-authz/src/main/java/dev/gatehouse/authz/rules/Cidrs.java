package dev.gatehouse.authz.rules;

import io.netty.util.NetUtil;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Address ranges, IPv4 and IPv6 (RFC 4632, RFC 4291 §2.3). An IPv4 address in IPv6's clothes ({@code ::ffff:…}) is the IPv4 one. */
public final class Cidrs {
  private final List<Range> ranges;

  private static final class Range {
    private final byte[] network;
    private final int prefix;

    Range(byte[] network, int prefix) {
      this.network = network;
      this.prefix = prefix;
    }
  }

  private Cidrs(List<Range> ranges) {
    this.ranges = ranges;
  }

  /** @throws IllegalArgumentException quoting what is no range */
  public static Cidrs of(List<String> texts) {
    var ranges = new ArrayList<Range>();
    for (var text : texts) {
      ranges.add(range(text));
    }
    return new Cidrs(List.copyOf(ranges));
  }

  /** Whether it is an address, and one of these. */
  public boolean surelyContain(String address) {
    return contain(address) == Answer.YES;
  }

  Answer contain(String address) {
    var bytes = bytes(address);
    if (bytes == null) {
      return Answer.UNSURE;
    }
    for (int i = 0; i < ranges.size(); i++) {
      if (within(ranges.get(i), bytes)) {
        return Answer.YES;
      }
    }
    return Answer.NO;
  }

  private static boolean within(Range range, byte[] address) {
    if (range.network.length != address.length) {
      return false;
    }
    int whole = range.prefix / 8;
    for (int i = 0; i < whole; i++) {
      if (range.network[i] != address[i]) {
        return false;
      }
    }
    int rest = range.prefix % 8;
    return rest == 0
        || ((range.network[whole] ^ address[whole]) & (0xff << (8 - rest)) & 0xff) == 0;
  }

  private static Range range(String text) {
    int slash = text.indexOf('/');
    var network = bytes(slash < 0 ? text : text.substring(0, slash));
    if (network == null) {
      throw new IllegalArgumentException(
          "\"" + text + "\" (expected: a CIDR such as 10.0.0.0/8 or 2001:db8::/32)");
    }
    int bits = network.length * 8;
    int prefix = slash < 0 ? bits : number(text.substring(slash + 1));
    if (prefix >= 0 && network.length == 4 && text.indexOf(':') >= 0 && slash >= 0) {
      prefix -= 96; // ::ffff:10.0.0.0/104 is 10.0.0.0/8
    }
    if (prefix < 0 || prefix > bits) {
      throw new IllegalArgumentException(
          "\"" + text + "\" (expected: a prefix length from 0 to " + bits + ")");
    }
    return new Range(network, prefix);
  }

  private static int number(String digits) {
    return digits.matches("\\d{1,3}") ? Integer.parseInt(digits) : -1;
  }

  /** Never asks a name server; null if it is no address. */
  private static byte @Nullable [] bytes(String address) {
    var bytes = NetUtil.createByteArrayFromIpAddressString(address);
    if (bytes == null || bytes.length == 4) {
      return bytes;
    }
    for (int i = 0; i < 12; i++) {
      if (bytes[i] != (i < 10 ? 0 : (byte) 0xff)) {
        return bytes;
      }
    }
    return new byte[] {bytes[12], bytes[13], bytes[14], bytes[15]};
  }
}
