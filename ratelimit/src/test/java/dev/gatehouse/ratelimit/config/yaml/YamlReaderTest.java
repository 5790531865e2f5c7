package dev.gatehouse.ratelimit.config.yaml;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Struct;
import com.google.protobuf.util.JsonFormat;
import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.ratelimit.config.ConfigCompiler;
import dev.gatehouse.ratelimit.config.DescriptorConfig;
import dev.gatehouse.ratelimit.config.DomainConfig;
import dev.gatehouse.ratelimit.config.LimitConfig;
import dev.gatehouse.ratelimit.descriptor.Algorithm;
import dev.gatehouse.ratelimit.descriptor.Defaults;
import dev.gatehouse.ratelimit.descriptor.Unit;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class YamlReaderTest {
  private final Problems problems = new Problems();

  private List<DomainConfig> read(String yaml) {
    return YamlReader.read("shop.yaml", yaml, problems);
  }

  private List<String> errors() {
    return problems.all().stream().map(Problem::toString).toList();
  }

  private static String limit(String fields) {
    return "domain: shop\ndescriptors:\n- key: user\n  rate_limit: {" + fields + "}\n";
  }

  private LimitConfig readLimit(String fields) {
    return read(limit(fields)).getFirst().descriptors().getFirst().limit();
  }

  private DescriptorConfig readDescriptor(String fields) {
    return read("domain: shop\ndescriptors:\n- {" + fields + "}\n")
        .getFirst()
        .descriptors()
        .getFirst();
  }

  /** What reading and compiling find, as a service does both. */
  private List<String> load(String yaml) {
    ConfigCompiler.compile(read(yaml), Defaults.REFERENCE, false, problems);
    return errors();
  }

  @Test
  void every_field_is_read() throws Exception {
    var domain = read("""
        domain: shop
        descriptors:
        - key: route
          value: api/*
          shadow_mode: true
          quota_mode: true
          detailed_metric: true
          value_to_metric: true
          share_threshold: true
          metadata: {team: {name: orders, size: 3, public: true, tags: [a, null]}}
          rate_limit:
            name: api
            requests_per_unit: 100
            unit: minute
            unit_multiplier: 5
            algorithm: token_bucket
            burst: 20
            replaces: [{name: old}, {name: older}]
          descriptors:
          - key: user
            rate_limit: {unlimited: true}
        """).getFirst();

    assertThat(errors()).isEmpty();
    assertThat(domain.name()).isEqualTo("shop.yaml");
    assertThat(domain.domain()).isEqualTo("shop");
    var route = domain.descriptors().getFirst();
    assertThat(route.key()).isEqualTo("route");
    assertThat(route.value()).isEqualTo("api/*");
    assertThat(route.shadowMode()).isTrue();
    assertThat(route.quotaMode()).isTrue();
    assertThat(route.detailedMetric()).isTrue();
    assertThat(route.valueToMetric()).isTrue();
    assertThat(route.shareThreshold()).isTrue();
    assertThat(route.origin()).hasToString("shop.yaml:3:3");
    var metadata = Struct.newBuilder();
    JsonFormat.parser()
        .merge(
            "{\"team\": {\"name\": \"orders\", \"size\": 3, \"public\": true, \"tags\": [\"a\", null]}}",
            metadata);
    assertThat(route.metadata()).isEqualTo(metadata.build());
    var limit = route.limit();
    assertThat(limit.name()).isEqualTo("api");
    assertThat(limit.requestsPerUnit()).isEqualTo(100);
    assertThat(limit.unit()).isEqualTo(Unit.MINUTE);
    assertThat(limit.unitMultiplier()).isEqualTo(5);
    assertThat(limit.algorithm()).isEqualTo(Algorithm.TOKEN_BUCKET);
    assertThat(limit.burst()).isEqualTo(20);
    assertThat(limit.replaces()).containsExactly("old", "older");
    assertThat(limit.origin()).hasToString("shop.yaml:11:3");
    var user = route.descriptors().getFirst();
    assertThat(user.limit().unlimited()).isTrue();
    assertThat(user.value()).isEmpty();
    assertThat(user.metadata()).isNull();
    assertThat(user.shadowMode()).isFalse();
    assertThat(user.limit().unitMultiplier()).isEqualTo(1);
    assertThat(user.limit().algorithm()).isNull();
    assertThat(user.limit().burst()).isNull();
    assertThat(user.limit().unit()).isNull();
  }

  @Test
  void what_envoy_gateway_writes_with_every_field_is_read() {
    var descriptor = read("""
        name: first-listener
        domain: first-listener
        descriptors:
        - key: first-route
          value: ""
          rate_limit: null
          metadata: {}
          descriptors: []
          shadow_mode: false
          quota_mode: false
        """).getFirst().descriptors().getFirst();

    assertThat(errors()).isEmpty();
    assertThat(descriptor.limit()).isNull();
    assertThat(descriptor.metadata()).isNull();
  }

  @Test
  void several_documents_are_several_domains() {
    assertThat(read("domain: a\n---\n---\ndomain: b\n"))
        .extracting(DomainConfig::domain)
        .containsExactly("a", "b");
  }

  @Test
  void anchors_and_merge_keys_are_followed() {
    var descriptors = read("""
        domain: shop
        descriptors:
        - key: a
          rate_limit: &common {unit: hour, requests_per_unit: 5}
        - {key: b, rate_limit: *common}
        - {key: c, rate_limit: {<<: *common, requests_per_unit: 7}}
        """).getFirst().descriptors();

    assertThat(errors()).isEmpty();
    assertThat(descriptors)
        .extracting(d -> d.limit().requestsPerUnit() + " " + d.limit().unit())
        .containsExactly("5 HOUR", "5 HOUR", "7 HOUR");
  }

  @ParameterizedTest
  @CsvSource({
    "404, 404",
    "1.50, 1.50",
    "true, true",
    "yes, yes",
    "2026-11-25, 2026-11-25",
    "'''007''', 007",
    "1_000, 1_000",
    "0x1F, 0x1F"
  })
  void a_text_is_what_is_written_whatever_yaml_takes_it_for(String written, String text) {
    assertThat(readDescriptor("key: status, value: " + written).value()).isEqualTo(text);
    assertThat(errors()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "true, true",
    "True, true",
    "yes, true",
    "on, true",
    "Y, true",
    "false, false",
    "No, false",
    "OFF, false",
    "n, false"
  })
  void booleans_have_yaml_1_1s_names(String written, boolean value) {
    assertThat(readDescriptor("key: a, shadow_mode: " + written).shadowMode()).isEqualTo(value);
    assertThat(errors()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "second, SECOND",
    "Second, SECOND",
    "MINUTE, MINUTE",
    "hour, HOUR",
    "day, DAY",
    "week, WEEK",
    "MONTH, MONTH",
    "year, YEAR"
  })
  void a_unit_is_in_any_case(String written, Unit unit) {
    assertThat(readLimit("requests_per_unit: 1, unit: " + written).unit()).isEqualTo(unit);
    assertThat(errors()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "7, 7", "4294967295, 4294967295", "1_000_000, 1000000"})
  void a_number_of_requests_is_an_unsigned_32_bit_one(String written, long number) {
    assertThat(readLimit("unit: day, requests_per_unit: " + written).requestsPerUnit())
        .isEqualTo(number);
    assertThat(errors()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "-1, is not a whole number in decimal digits",
    "1.5, is not a whole number in decimal digits",
    "1e3, is not a whole number in decimal digits",
    "010, is not a whole number in decimal digits",
    "0x10, is not a whole number in decimal digits",
    "many, is not a whole number in decimal digits",
    "4294967296, is out of range",
    "99999999999999999999999, is out of range"
  })
  void another_number_is_an_error_and_says_so_once(String written, String says) {
    assertThat(load(limit("unit: day, requests_per_unit: " + written)))
        .containsExactly("shop.yaml:4:27: descriptors[0].rate_limit.requests_per_unit: \"" + written
            + "\" " + says + " (expected: 0 to 4294967295)");
  }

  @Test
  void a_limit_without_a_number_lets_nothing_pass_as_in_the_reference() {
    assertThat(readLimit("unit: day").requestsPerUnit()).isZero();
    assertThat(errors()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "secnd, ' (did you mean \"second\"?)'",
    "fortnight, ''",
    "unknown, ''",
  })
  void another_unit_is_an_error(String unit, String meant) {
    assertThat(load(limit("requests_per_unit: 1, unit: " + unit)))
        .containsExactly("shop.yaml:4:38: descriptors[0].rate_limit.unit: \"" + unit
            + "\" is not one of second, minute, hour, day, week, month, year" + meant);
  }

  @Test
  void another_algorithm_is_an_error() {
    assertThat(load(limit("requests_per_unit: 1, unit: day, algorithm: sliding-window")))
        .containsExactly(
            "shop.yaml:4:49: descriptors[0].rate_limit.algorithm: \"sliding-window\" is not one of"
                + " fixed_window, sliding_window, token_bucket (did you mean \"sliding_window\"?)");
  }

  @Test
  void a_misspelt_field_is_told_with_what_was_perhaps_meant_at_every_level() {
    assertThat(load("""
        domian: shop
        domain: shop
        descriptors:
        - key: a
          ratelimit: {unit: day}
        - key: b
          rate_limit: {unit: day, requestsperunit: 5, replaces: [{nmae: x}]}
        """))
        .containsExactly(
            "shop.yaml:1:1: domian: unknown field (did you mean \"domain\"?)",
            "shop.yaml:5:3: descriptors[0].ratelimit: unknown field (did you mean \"rate_limit\"?)",
            "shop.yaml:7:27: descriptors[1].rate_limit.requestsperunit: unknown field (did you mean"
                + " \"requests_per_unit\"?)",
            "shop.yaml:7:59: descriptors[1].rate_limit.replaces[0].nmae: unknown field (did you mean"
                + " \"name\"?)");
  }

  @Test
  void a_field_is_known_where_it_belongs_only() {
    assertThat(load("domain: shop\nunit: day\n"))
        .containsExactly("shop.yaml:2:1: unit: unknown field");
  }

  @Test
  void a_key_that_is_a_number_is_an_unknown_field() {
    assertThat(load("0.25: shop\n")).containsExactly("shop.yaml:1:1: 0.25: unknown field");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "# nothing\n", "---\n---\n"})
  void an_empty_file_is_an_error(String yaml) {
    assertThat(load(yaml))
        .containsExactly("shop.yaml: is empty (expected: domain: NAME, and its descriptors)");
  }

  @Test
  void a_file_without_a_domain_is_an_error() {
    assertThat(load("descriptors:\n"))
        .containsExactly("shop.yaml:1:1: domain: is missing or empty: every configuration has one");
  }

  @Test
  void a_descriptor_without_a_key_is_an_error() {
    assertThat(load("domain: shop\ndescriptors:\n- value: a\n"))
        .containsExactly("shop.yaml:3:3: descriptors[0].key: is missing or empty");
  }

  @Test
  void what_is_not_yaml_is_an_error_with_its_place() {
    assertThat(load("domain: shop\ndescriptors: [\n"))
        .singleElement()
        .asString()
        .startsWith("shop.yaml:3:1: this is not YAML: ");
  }

  @Test
  void lists_hold_mappings_and_mappings_are_no_lists() {
    assertThat(load("domain: shop\ndescriptors: [a]\n"))
        .containsExactly("shop.yaml:2:15: descriptors[0]: \"a\" is not a mapping");
    assertThat(load("- domain: shop\n")).contains("shop.yaml:1:1: expected a mapping, got a list");
  }

  @Test
  void a_text_is_no_list_and_a_list_no_text() {
    assertThat(load("domain: [shop]\ndescriptors: none\n"))
        .containsExactly(
            "shop.yaml:1:1: domain: expected a text, got a list",
            "shop.yaml:2:1: descriptors: \"none\" is not a list");
  }

  @Test
  void a_boolean_is_nothing_else() {
    assertThat(load("domain: shop\ndescriptors: [{key: a, quota_mode: maybe}]\n"))
        .containsExactly(
            "shop.yaml:2:24: descriptors[0].quota_mode: \"maybe\" is not true or false");
  }

  @Test
  void metadata_is_a_mapping() {
    assertThat(load("domain: shop\ndescriptors: [{key: a, metadata: [x]}]\n"))
        .containsExactly(
            "shop.yaml:2:24: descriptors[0].metadata: expected a mapping of names to anything");
  }

  @Test
  void a_field_that_stands_twice_is_an_error() {
    assertThat(load("domain: shop\ndomain: bar\n"))
        .containsExactly("shop.yaml:2:1: duplicate key \"domain\", first at line 1");
  }

  @Test
  void descriptors_are_nested_only_so_deep_by_aliases_too() {
    var open = "{key: a, descriptors: [".repeat(20);
    var close = "]}".repeat(20);
    assertThat(load("domain: shop\ndescriptors:\n- &deep " + open + close
            + "\n- {key: b, descriptors: [" + open + "*deep" + close + "]}\n"))
        .singleElement()
        .asString()
        .endsWith("descriptors are nested more than 32 deep");
  }

  @Test
  void everything_that_is_wrong_is_told_at_once() {
    assertThat(load("""
        domain: shop
        descriptors:
        - key: a
          rate_limit: {unit: secnd, requests_per_unit: 1}
          descriptors:
          - key: b
            rate_limit: {unit: day, unlimited: true}
        - key: c
          rate_limit: {requests_per_unit: 5}
        - key: c
        - key: d
          share_threshold: true
          rate_limit: {unit: day, name: n, replaces: [{name: n}, {name: }], burst: 3}
        """))
        .containsExactly(
            "shop.yaml:4:16: descriptors[0].rate_limit.unit: \"secnd\" is not one of second, minute,"
                + " hour, day, week, month, year (did you mean \"second\"?)",
            "shop.yaml:9:3: descriptors[0].rate_limit.unit: is missing (expected: second, minute,"
                + " hour, day, week, month or year)",
            "shop.yaml:10:3: descriptors[1]: duplicate of another descriptor of this level: key"
                + " \"c\"",
            "shop.yaml:11:3: descriptors[2].share_threshold: needs a value with * in it: values that"
                + " match it share one counter",
            "shop.yaml:13:3: descriptors[2].rate_limit.replaces[0].name: \"n\" is the limit itself",
            "shop.yaml:13:3: descriptors[2].rate_limit.replaces[1].name: is missing or empty");
  }
}
