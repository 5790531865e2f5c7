package dev.gatehouse.ratelimit.config.xds;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.Value;
import dev.gatehouse.envoy.ratelimit.config.v3.RateLimitConfig;
import dev.gatehouse.envoy.ratelimit.config.v3.RateLimitDescriptor;
import dev.gatehouse.envoy.ratelimit.config.v3.RateLimitPolicy;
import dev.gatehouse.envoy.ratelimit.config.v3.RateLimitReplace;
import dev.gatehouse.envoy.ratelimit.config.v3.RateLimitUnit;
import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.ratelimit.config.ConfigCompiler;
import dev.gatehouse.ratelimit.config.DomainConfig;
import dev.gatehouse.ratelimit.descriptor.Defaults;
import dev.gatehouse.ratelimit.descriptor.Unit;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ResourcesTest {
  private final Problems problems = new Problems();

  private static RateLimitConfig.Builder config(RateLimitDescriptor.Builder... descriptors) {
    var config = RateLimitConfig.newBuilder().setName("listener").setDomain("shop");
    for (var descriptor : descriptors) {
      config.addDescriptors(descriptor);
    }
    return config;
  }

  private static RateLimitDescriptor.Builder descriptor(RateLimitPolicy.Builder limit) {
    return RateLimitDescriptor.newBuilder().setKey("user").setRateLimit(limit);
  }

  private List<DomainConfig> read(RateLimitConfig.Builder... configs) {
    return Resources.read(
        List.of(configs).stream().map(config -> Any.pack(config.build())).toList(), problems);
  }

  private List<String> said() {
    return problems.all().stream().map(Problem::toString).toList();
  }

  @Test
  void every_field_is_read() {
    var metadata = Struct.newBuilder()
        .putFields("team", Value.newBuilder().setStringValue("orders").build())
        .build();
    var domain = read(config(RateLimitDescriptor.newBuilder()
            .setKey("route")
            .setValue("orders")
            .setShadowMode(true)
            .setDetailedMetric(true)
            .setQuotaMode(true)
            .setMetadata(metadata)
            .setRateLimit(RateLimitPolicy.newBuilder()
                .setUnit(RateLimitUnit.WEEK)
                .setRequestsPerUnit(-1)
                .setName("all")
                .addReplaces(RateLimitReplace.newBuilder().setName("old")))
            .addDescriptors(descriptor(RateLimitPolicy.newBuilder().setUnlimited(true)))))
        .getFirst();

    assertThat(said()).isEmpty();
    assertThat(domain.name()).isEqualTo("listener");
    assertThat(domain.domain()).isEqualTo("shop");
    assertThat(domain.origin()).hasToString("xds/listener");
    var route = domain.descriptors().getFirst();
    assertThat(route.key()).isEqualTo("route");
    assertThat(route.value()).isEqualTo("orders");
    assertThat(route.shadowMode()).isTrue();
    assertThat(route.detailedMetric()).isTrue();
    assertThat(route.quotaMode()).isTrue();
    assertThat(route.metadata()).isEqualTo(metadata);
    assertThat(route.limit().unit()).isEqualTo(Unit.WEEK);
    assertThat(route.limit().requestsPerUnit()).isEqualTo(0xffff_ffffL);
    assertThat(route.limit().name()).isEqualTo("all");
    assertThat(route.limit().replaces()).containsExactly("old");
    var user = route.descriptors().getFirst();
    assertThat(user.limit().unlimited()).isTrue();
    assertThat(user.limit().unit()).isNull();
    assertThat(user.metadata()).isNull();
    assertThat(user.shadowMode()).isFalse();
    assertThat(user.quotaMode()).isFalse();
    assertThat(user.detailedMetric()).isFalse();
  }

  /** The numbers on the wire, by which other programs know the fields. */
  @Test
  void the_bytes_are_those_of_every_other_program() {
    var wire = ByteString.copyFromUtf8(
        "\n\u0001n\u0012\u0001d\u001a\u0021\n\u0001k\u0012\u0001v\u001a\u0011\b\u0007\u0010\u0005\u0018\u0000\"\u0002ln*\u0005\n\u0003old"
            + "\"\u0000(\u0001\u0030\u00018\u0001");

    var domain = Resources.read(List.of(any(wire)), problems).getFirst();

    assertThat(said()).isEmpty();
    assertThat(domain.name()).isEqualTo("n");
    assertThat(domain.domain()).isEqualTo("d");
    var descriptor = domain.descriptors().getFirst();
    assertThat(descriptor.key()).isEqualTo("k");
    assertThat(descriptor.value()).isEqualTo("v");
    assertThat(descriptor.limit().unit()).isEqualTo(Unit.WEEK);
    assertThat(descriptor.limit().requestsPerUnit()).isEqualTo(5);
    assertThat(descriptor.limit().name()).isEqualTo("ln");
    assertThat(descriptor.limit().replaces()).containsExactly("old");
    assertThat(descriptor.descriptors()).hasSize(1);
    assertThat(descriptor.shadowMode()).isTrue();
    assertThat(descriptor.detailedMetric()).isTrue();
    assertThat(descriptor.quotaMode()).isTrue();
  }

  private static Any any(ByteString bytes) {
    return Any.newBuilder().setTypeUrl(Subscription.TYPE_URL).setValue(bytes).build();
  }

  @ParameterizedTest
  @EnumSource(
      value = RateLimitUnit.class,
      names = {"UNKNOWN", "UNRECOGNIZED"},
      mode = EnumSource.Mode.EXCLUDE)
  void every_unit_is_ours_of_the_same_name(RateLimitUnit unit) {
    assertThat(read(config(descriptor(RateLimitPolicy.newBuilder().setUnit(unit))))
            .getFirst()
            .descriptors()
            .getFirst()
            .limit()
            .unit()
            .name())
        .isEqualTo(unit.name());
  }

  @Test
  void no_unit_is_an_error_of_the_resource_that_lacks_it() {
    ConfigCompiler.compile(
        read(config(descriptor(RateLimitPolicy.newBuilder().setRequestsPerUnit(1)))),
        Defaults.REFERENCE,
        false,
        problems);

    assertThat(said())
        .containsExactly(
            "xds/listener: descriptors[0].rate_limit.unit: is missing (expected: second,"
                + " minute, hour, day, week, month or year)");
  }

  @Test
  void a_unit_of_a_later_version_is_an_error() {
    read(config(descriptor(RateLimitPolicy.newBuilder().setUnitValue(9))));

    assertThat(said())
        .containsExactly(
            "xds/listener: descriptors[0].rate_limit.unit: value: 9 (expected: 1 to 7, SECOND to WEEK)");
  }

  @Test
  void a_field_of_a_later_version_is_a_warning() {
    var later = UnknownFieldSet.newBuilder()
        .addField(20, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
        .build();

    read(config(descriptor(RateLimitPolicy.newBuilder()
                .setUnit(RateLimitUnit.DAY)
                .setUnknownFields(later)
                .addReplaces(RateLimitReplace.newBuilder().setName("x").setUnknownFields(later)))
            .setUnknownFields(later))
        .setUnknownFields(later));

    assertThat(problems.hasErrors()).isFalse();
    assertThat(said())
        .containsExactly(
            "xds/listener: warning: field number 20 of RateLimitConfig is not known to this version, and ignored",
            "xds/listener: warning: descriptors[0]: field number 20 of RateLimitDescriptor is not known to this version, and ignored",
            "xds/listener: warning: descriptors[0].rate_limit: field number 20 of RateLimitPolicy is not known to this version, and ignored",
            "xds/listener: warning: descriptors[0].rate_limit.replaces: field number 20 of RateLimitReplace is not known to this version, and ignored");
  }

  @Test
  void another_type_and_bytes_that_are_none_are_errors_and_the_rest_is_read() {
    var read = Resources.read(
        List.of(
            Any.newBuilder().setTypeUrl("type.googleapis.com/envoy.Cluster").build(),
            any(ByteString.copyFromUtf8("\n\u0009short")),
            Any.pack(config().build())),
        problems);

    assertThat(read).hasSize(1);
    assertThat(said())
        .containsExactly(
            "xds/0: \"type.googleapis.com/envoy.Cluster\" is no rate limit configuration (expected:"
                + " type.googleapis.com/ratelimit.config.ratelimit.v3.RateLimitConfig)",
            "xds/1: cannot be read: While parsing a protocol message, the input ended unexpectedly"
                + " in the middle of a field.  This could mean either that the input has been"
                + " truncated or that an embedded message misreported its own length.");
  }

  @Test
  void a_resource_without_a_name_is_called_by_its_place() {
    assertThat(read(config().clearName(), config().clearName()))
        .extracting(DomainConfig::name)
        .containsExactly("0", "1");
  }

  @Test
  void resources_come_in_the_order_of_their_names() {
    assertThat(read(config().setName("b"), config().setName("a")))
        .extracting(DomainConfig::name)
        .containsExactly("a", "b");
  }

  @Test
  void whatever_bytes_come_are_read_or_explained() {
    var good = config(descriptor(RateLimitPolicy.newBuilder()
                .setUnit(RateLimitUnit.DAY)
                .setRequestsPerUnit(5)
                .addReplaces(RateLimitReplace.newBuilder().setName("old")))
            .addDescriptors(RateLimitDescriptor.newBuilder().setKey("nested")))
        .build()
        .toByteArray();
    for (int seed = 0; seed < 10_000; seed++) {
      var random = new Random(seed);
      var bytes = good.clone();
      for (int i = random.nextInt(4); i >= 0; i--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      var found = new Problems();
      var read = Resources.read(List.of(any(ByteString.copyFrom(bytes))), found);
      ConfigCompiler.compile(read, Defaults.REFERENCE, false, found);
      assertThat(read.size() + found.errors()).as("seed %d", seed).isPositive();
    }
  }
}
