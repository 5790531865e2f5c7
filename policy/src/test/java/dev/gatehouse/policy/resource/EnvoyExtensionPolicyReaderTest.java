package dev.gatehouse.policy.resource;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.policy.resource.EnvoyExtensionPolicy.Backend;
import dev.gatehouse.policy.resource.EnvoyExtensionPolicy.Body;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EnvoyExtensionPolicyReaderTest {
  private static final String BACKEND =
      "backendRefs: [{name: ext-proc, namespace: gatehouse, port: 9002}]";

  private static Read read(String spec) {
    return Read.spec(EnvoyExtensionPolicy.KIND, spec);
  }

  private static Read extProc(String rest) {
    return read("extProc: [{" + BACKEND + (rest.isEmpty() ? "" : ", " + rest) + "}]\n");
  }

  @Test
  void every_field_of_an_external_processor_is_read() {
    var policy = read("""
        mergeType: StrategicMerge
        lua: [{type: Inline, inline: "x"}]
        extProc:
        - backendRefs: [{name: ext-proc, namespace: gatehouse, port: 9002, weight: 1, fallback: false}]
          backendSettings: {healthCheck: {active: {type: GRPC}}}
          messageTimeout: 500ms
          failOpen: false
          statusOnError: 503
          processingMode:
            allowModeOverride: true
            request: {attributes: [xds.route_metadata, source.address]}
            response: {body: FullDuplexStreamed, attributes: [response.code_details]}
          metadata:
            accessibleNamespaces: [envoy.filters.http.ext_authz]
            writableNamespaces: [gatehouse.ext_proc]
        """).only(EnvoyExtensionPolicy.class);

    assertThat(policy.merges()).isTrue();
    assertThat(policy.others()).isTrue();
    assertThat(policy.writtenByGatehouse()).isFalse();
    var processor = policy.extProc().getFirst();
    assertThat(processor.origin()).isEqualTo(new Origin("p.yaml", 9, 5));
    assertThat(processor.backends())
        .containsExactly(new Backend(
            new ObjectRef("", "Service", "gatehouse", "ext-proc", new Origin("p.yaml", 9, 19)),
            9002));
    assertThat(processor.messageTimeout()).isEqualTo(Duration.ofMillis(500));
    assertThat(processor.failOpen()).isFalse();
    assertThat(processor.statusOnError()).isEqualTo(503);
    assertThat(processor.allowModeOverride()).isTrue();
    assertThat(processor.request()).satisfies(request -> {
      assertThat(request.body()).isEqualTo(Body.NONE);
      assertThat(request.attributes()).containsExactly("xds.route_metadata", "source.address");
    });
    assertThat(processor.response().body()).isEqualTo(Body.FULL_DUPLEX_STREAMED);
    assertThat(processor.accessibleNamespaces()).containsExactly("envoy.filters.http.ext_authz");
    assertThat(processor.writableNamespaces()).containsExactly("gatehouse.ext_proc");
  }

  @Test
  void what_is_not_said_is_the_gateways_default_and_an_empty_direction_means_its_headers() {
    var processor = extProc("processingMode: {response: {}}")
        .only(EnvoyExtensionPolicy.class)
        .extProc()
        .getFirst();

    assertThat(processor.messageTimeout()).isEqualTo(Duration.ofMillis(200));
    assertThat(processor.failOpen()).isFalse();
    assertThat(processor.allowModeOverride()).isFalse();
    assertThat(processor.request()).isNull();
    assertThat(processor.response()).isNotNull();
  }

  @Test
  void the_written_ones_are_known_by_their_label() {
    var written = Read.of("""
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: EnvoyExtensionPolicy
        metadata: {name: p, labels: {app.kubernetes.io/managed-by: gatehouse}}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}]
        """).only(EnvoyExtensionPolicy.class);
    assertThat(written.writtenByGatehouse()).isTrue();
    assertThat(written.extProc()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "processingMode: {requst: {}} | spec.extProc[0].processingMode.requst: unknown field (did you mean \"request\"?)",
        "procesingMode: {} | (did you mean \"processingMode\"?)",
        "processingMode: {request: {body: Bufered}} | is not one of Buffered, BufferedPartial, FullDuplexStreamed, Streamed (did you mean \"Buffered\"?)",
        "processingMode: {request: {attributes: [metadata.x]}} | begins with connection., source.",
        "processingMode: {request: {attributes: [\"xds.route_metadata.filter_metadata['a']\"]}} | is no attribute",
        "failOpen: true, processingMode: {response: {body: FullDuplexStreamed}} | p.yaml:6:81: spec.extProc[0].failOpen: must be false with body FullDuplexStreamed",
        "shadowMode: true, processingMode: {request: {body: Buffered}} | goes with body Streamed or none",
        "metadata: {writableNamespaces: [envoy.filters.http.ext_authz]} | what it said must stay what it said",
        "recomputeRoute: true | never honoured",
        "routeCacheAction: CLEAR | never honoured",
        "statusOnError: 200 | out of range",
        "messageTimeout: 5 | is not a duration",
        "backendRef: {name: a} | expected: backendRefs",
      })
  void what_the_gateway_would_refuse_is_an_error_that_says_where(String field, String expected) {
    assertThat(extProc(field).problems()).singleElement().asString().contains(expected);
  }

  @Test
  void a_backend_is_a_service_with_a_port_or_a_backend() {
    assertThat(read("extProc: [{backendRefs: [{name: a}]}]\n").problems())
        .singleElement()
        .asString()
        .contains("\"port\" is missing");
    assertThat(read("extProc: [{backendRefs: [{group: apps, kind: Deployment, name: a}]}]\n")
            .problems())
        .singleElement()
        .asString()
        .contains("nothing that an extProc calls");
    assertThat(
            read("extProc: [{backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: a}]}]\n")
                .problems())
        .isEmpty();
    assertThat(read("extProc: [{}]\n").problems())
        .containsExactly("p.yaml:6:13: spec.extProc[0]: \"backendRefs\" is missing");
  }

  @Test
  void what_it_says_of_other_kinds_of_routes_is_left_aside() {
    var policy = Read.of("""
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: EnvoyExtensionPolicy
        metadata: {name: p}
        spec:
          targetRefs:
          - {group: gateway.networking.k8s.io, kind: TCPRoute, name: t}
          - {group: gateway.networking.k8s.io, kind: GRPCRoute, name: g}
        """).only(EnvoyExtensionPolicy.class);
    assertThat(policy.targets().refs())
        .extracting(Targets.Ref::kind)
        .isEqualTo(List.of("GRPCRoute"));
  }

  @Test
  void only_a_policy_on_a_route_merges() {
    assertThat(Read.of("""
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: EnvoyExtensionPolicy
        metadata: {name: p}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: g}]
          mergeType: JSONMerge
        """).problems())
        .singleElement()
        .asString()
        .contains("mergeType is for policies on routes");
  }
}
