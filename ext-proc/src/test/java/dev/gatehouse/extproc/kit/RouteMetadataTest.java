package dev.gatehouse.extproc.kit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RouteMetadataTest {
  @Test
  void the_resource_of_a_route_is_read_from_text_format() {
    var text = """
        filter_metadata { key: "envoy-gateway" value { fields { key: "resources" value { list_value { values { struct_value { \
        fields { key: "kind" value { string_value: "HTTPRoute" } } fields { key: "name" value { string_value: "orders" } } \
        fields { key: "namespace" value { string_value: "shop" } } fields { key: "sectionName" value { string_value: "a \\"b\\"" } } \
        } } } } } } }""";
    assertThat(new RouteMetadata().read(text).resource())
        .isEqualTo(new RouteMetadata.Resource("HTTPRoute", "shop", "orders", "a \"b\""));
  }

  @Test
  void metadata_without_resources_names_no_route() {
    var reading = new RouteMetadata().read("filter_metadata { key: \"other\" value { } }");
    assertThat(reading.resource()).isNull();
    assertThat(reading.problem()).isNull();
  }

  @Test
  void what_cannot_be_read_is_a_problem_and_not_the_absence_of_a_route() {
    assertThat(new RouteMetadata().read("filter_metadata { key: ").problem()).isNotNull();
    assertThat(new RouteMetadata().read("map value").problem()).isNotNull();
  }
}
