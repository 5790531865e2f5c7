package dev.gatehouse.wire.envoygateway;

import static dev.gatehouse.wire.envoygateway.Shop.ROUTE;
import static dev.gatehouse.wire.envoygateway.Shop.SERVICE;
import static dev.gatehouse.wire.envoygateway.Shop.extension;
import static dev.gatehouse.wire.envoygateway.Shop.linted;
import static dev.gatehouse.wire.envoygateway.Shop.transform;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExtensionLintTest {
  private static final String MASKS = "response: [{json: [{op: mask, at: /card}]}]";
  private static final String REMOVES = "response: [{headers: {remove: [server]}}]";
  private static final String ALL =
      "request: {attributes: [xds.route_metadata]}, response: {body: FullDuplexStreamed, attributes: [xds.route_metadata, response.code_details]}";

  /** An extension policy on the route, with one processor that is ours. */
  private static String ours(String processingMode, String rest) {
    return extension(
        "e",
        "kind: HTTPRoute, name: orders",
        "extProc:\n- backendRefs: [{name: ext-proc, namespace: gatehouse, port: 9002}]\n"
            + "  processingMode: {" + processingMode + "}\n" + rest.indent(2));
  }

  private static List<String> lint(String transform, String extension) {
    return linted(null, false, ROUTE, transform(transform), extension);
  }

  @Test
  void what_is_just_enough_is_not_spoken_of() {
    assertThat(lint(MASKS, ours(ALL, ""))).isEmpty();
  }

  @Test
  void headers_that_are_not_sent_are_an_error_that_names_the_step_and_what_to_write() {
    assertThat(lint(
            MASKS,
            ours(
                "response: {body: FullDuplexStreamed, attributes: [xds.route_metadata, response.code_details]}",
                "")))
        .containsExactly(
            "shop.yaml:28:5: spec.extProc[0].processingMode: request is missing, and without it the gateway does not even send the headers: "
                + "response[0] (shop.yaml:20:22) would not work (it needs the response's body, and what of that comes depends on the request's method, accept-encoding and range); write request: {}");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | the body is not sent: response[0] (shop.yaml:20:22) would not work (it masks /card); write body: FullDuplexStreamed",
        "'body: BufferedPartial, ' | BufferedPartial shows as much of a body as fits into a buffer",
      })
  void a_body_that_does_not_come_as_a_step_needs_it_is_an_error(String body, String expected) {
    var extension = ours(ALL.replace("body: FullDuplexStreamed, ", body), "");
    assertThat(lint(MASKS, extension))
        .singleElement()
        .asString()
        .doesNotContain("warning:")
        .contains("spec.extProc[0].processingMode.response", expected);
  }

  @Test
  void streamed_does_for_what_is_changed_in_pieces_but_cannot_refuse_any_more() {
    var streamed = ours(ALL.replace("FullDuplexStreamed", "Streamed"), "");
    assertThat(lint(MASKS, streamed))
        .singleElement()
        .asString()
        .contains("warning:", "breaks off, where FullDuplexStreamed would let ext-proc answer 502");
    assertThat(lint("response: [{when: response.body.x, headers: {remove: [a]}}]", streamed))
        .singleElement()
        .asString()
        .doesNotContain("warning:")
        .contains("Streamed shows a body in pieces", "its when reads response.body");
  }

  @Test
  void a_body_over_the_gateways_buffer_is_warned_of_and_what_never_ends_too() {
    var buffered = ours(ALL.replace("FullDuplexStreamed", "Buffered"), "");
    assertThat(lint(MASKS, buffered))
        .hasSize(2)
        .allMatch(line -> line.contains("warning:"))
        .anyMatch(line -> line.contains("holds back 32Ki")
            && line.contains("the TransformPolicy allows 10Mi")
            && line.contains("connection.bufferLimit"))
        .anyMatch(line -> line.contains("allowModeOverride") && line.contains("event stream"));
    assertThat(lint(
            "limits: {responseBytes: 9Ki}\n" + MASKS,
            ours(ALL.replace("FullDuplexStreamed", "Buffered") + ", allowModeOverride: true", "")))
        .singleElement()
        .asString()
        .contains("notice:", "would let it pass piece by piece");
  }

  @Test
  void a_step_that_trailers_without_a_body_would_go_round_is_named() {
    var refuses =
        "limits: {requestBytes: 9Ki}\nrequest: [{name: id, when: '!has(request.body.id)', respond: {status: 422}}]";
    var mode = "request: {body: %s, attributes: [xds.route_metadata]}, allowModeOverride: true";
    assertThat(lint(refuses, ours(mode.formatted("Buffered"), "")))
        .containsExactly(
            "shop.yaml:30:22: warning: spec.extProc[0].processingMode.request.body: with Buffered the gateway sends no trailers, so that ext-proc is not told of a body that never comes: "
                + "a client that sends headers and trailers without a body passes to the upstream without request[0] \"id\" (shop.yaml:21:13) (its when reads request.body); write body: FullDuplexStreamed, with which they are sent");
    assertThat(lint(refuses, ours(mode.formatted("FullDuplexStreamed"), ""))).isEmpty();
    assertThat(lint(
            "limits: {responseBytes: 9Ki}\nresponse: [{when: '!has(response.body.id)', respond: {status: 502}}]",
            ours(ALL.replace("FullDuplexStreamed", "Buffered") + ", allowModeOverride: true", "")))
        .singleElement()
        .asString()
        .contains("warning:", "an upstream answers with headers and trailers", "response[0]");
  }

  @Test
  void two_modes_that_do_not_go_together_are_warned_of() {
    assertThat(lint(
            "limits: {requestBytes: 9Ki}\nrequest: [{json: [{op: remove, at: /x}]}]\n" + MASKS,
            ours(
                ALL.replace("request: {", "request: {body: Buffered, ")
                    + ", allowModeOverride: true",
                "")))
        .anyMatch(line ->
            line.contains("warning:") && line.contains("write FullDuplexStreamed for both"));
  }

  @Test
  void attributes_that_are_missing_are_named_with_what_comes_of_it() {
    assertThat(lint(
            "request: [{headers: {set: {x-from: '${source.address}'}}}]", ours("request: {}", "")))
        .hasSize(2)
        .noneMatch(line -> line.contains("warning:"))
        .anyMatch(line -> line.contains("xds.route_metadata is missing")
            && line.contains("does not know which route this is"))
        .anyMatch(line -> line.contains("source.address is missing: request[0] (shop.yaml:20:13)"));
    assertThat(lint(REMOVES, ours("response: {attributes: [xds.route_metadata]}", "")))
        .singleElement()
        .asString()
        .contains("warning:", "response.code_details is missing", "response[0] changes it too");
  }

  @Test
  void local_replies_that_are_to_be_changed_need_the_route_with_the_response_too() {
    var both = "request: [{headers: {remove: [a]}}]\n" + REMOVES;
    var mode = "request: {attributes: [xds.route_metadata]}, response: {attributes: [%s]}";
    assertThat(lint("localReplies: Transform\n" + both, ours(mode.formatted(""), "")))
        .singleElement()
        .asString()
        .contains(
            "warning: spec.extProc[0].processingMode.response.attributes: xds.route_metadata is missing",
            "passes it without response[0]");
    assertThat(lint(
            "localReplies: Transform\n" + both, ours(mode.formatted("xds.route_metadata"), "")))
        .isEmpty();
    assertThat(lint(both, ours(mode.formatted("response.code_details"), ""))).isEmpty();
  }

  @Test
  void metadata_that_is_read_must_be_accessible() {
    var reads = "request: [{headers: {set: {x-user: '${auth.sub}'}}}]";
    var mode = "request: {attributes: [xds.route_metadata]}";
    assertThat(lint(reads, ours(mode, "")))
        .singleElement()
        .asString()
        .contains(
            "accessibleNamespaces: \"envoy.filters.http.ext_authz\" is missing", "reads auth");
    assertThat(lint(
            reads, ours(mode, "metadata: {accessibleNamespaces: [envoy.filters.http.ext_authz]}")))
        .isEmpty();
  }

  @Test
  void metadata_that_is_written_must_be_writable() {
    var writes = "request: [{name: tenant, metadata: {tenant: '${request.url_path}'}}]";
    var mode = "request: {attributes: [xds.route_metadata]}";
    assertThat(lint(writes, ours(mode, "")))
        .containsExactly(
            "shop.yaml:28:5: spec.extProc[0].metadata.writableNamespaces: \"gatehouse.ext_proc\" is missing: request[0] \"tenant\" (shop.yaml:20:13) would not work (it writes metadata)");
    assertThat(lint(writes, ours(mode, "metadata: {writableNamespaces: [gatehouse.ext_proc]}")))
        .isEmpty();
  }

  @Test
  void a_processor_that_is_not_heeded_or_passes_by_is_told_of() {
    assertThat(lint(
            REMOVES,
            ours(
                "response: {attributes: [xds.route_metadata, response.code_details]}",
                "failOpen: true")))
        .singleElement()
        .asString()
        .contains("warning: spec.extProc[0].failOpen: true", "pass unchanged");
    assertThat(lint(
            REMOVES,
            ours(
                "response: {attributes: [xds.route_metadata, response.code_details]}",
                "shadowMode: true")))
        .singleElement()
        .asString()
        .contains("spec.extProc[0].shadowMode: true", "not listened to")
        .doesNotContain("warning:");
  }

  @Test
  void too_much_is_a_notice_with_its_cost() {
    assertThat(lint(REMOVES, ours(ALL, "")))
        .hasSize(2)
        .allMatch(line -> line.contains("notice:"))
        .anyMatch(line -> line.contains("no step needs the request: that costs a message"))
        .anyMatch(
            line -> line.contains("no step reads the response's body: each goes to ext-proc"));
    assertThat(linted(null, false, ROUTE, ours(ALL, "")))
        .containsExactly(
            "shop.yaml:21:5: notice: spec.extProc[0]: no TransformPolicy holds on a route of this policy: each request there opens a stream to ext-proc for nothing");
  }

  @Test
  void what_one_rule_needs_is_not_too_much_for_the_other() {
    assertThat(linted(
            null,
            false,
            ROUTE,
            transform("t", "kind: HTTPRoute, name: orders, sectionName: create", MASKS),
            transform("u", "kind: HTTPRoute, name: orders, sectionName: list", REMOVES),
            ours(ALL, "")))
        .isEmpty();
  }

  @Test
  void behind_envoy_gateway_a_route_without_an_extension_policy_is_an_error() {
    assertThat(linted(null, true, ROUTE, transform(MASKS)))
        .containsExactly(
            "shop.yaml:15:1: spec.targetRefs: no EnvoyExtensionPolicy sends HTTPRoute shop/orders to ext-proc, so that none of the steps would run; 'gatehouse wire envoy-gateway' writes one that does");
    assertThat(linted(null, false, ROUTE, transform(MASKS))).isEmpty();
    assertThat(linted(null, true, ROUTE)).isEmpty();
  }

  @Test
  void a_policy_of_the_gateway_counts_where_the_route_merges_or_has_none() {
    var gateway =
        ours(ALL, "").replace("kind: HTTPRoute, name: orders", "kind: Gateway, name: web");
    var lua =
        extension("lua", "kind: HTTPRoute, name: orders", "mergeType: StrategicMerge\nlua: []");
    assertThat(linted(null, true, ROUTE, transform(MASKS), gateway)).isEmpty();
    assertThat(linted(null, true, ROUTE, transform(MASKS), gateway, lua)).isEmpty();
    assertThat(linted(
            null,
            true,
            ROUTE,
            transform(MASKS),
            gateway,
            lua.replace("  mergeType: StrategicMerge\n", "")))
        .as("takes the place of the Gateway's")
        .hasSize(1);
  }

  @Test
  void a_processor_of_somebody_else_is_left_alone_but_ours_is_missed() {
    var other = extension(
        "other", "kind: HTTPRoute, name: orders", "extProc: [{backendRefs: [{name: o, port: 1}]}]");
    assertThat(linted(null, true, ROUTE, other)).isEmpty();
    assertThat(linted(null, true, ROUTE, transform(MASKS), other))
        .singleElement()
        .asString()
        .contains("warning:", "none of these processors is ours", "--ext-proc-service");
  }

  @Test
  void ours_is_known_by_the_service_or_else_by_name() {
    var other = ours("", "").replace("namespace: gatehouse", "namespace: infra");
    assertThat(linted(SERVICE, false, ROUTE, transform(MASKS), other))
        .singleElement()
        .asString()
        .contains("none of these processors is ours");
    assertThat(
            linted(ServiceRef.parse("infra/ext-proc:9002"), false, ROUTE, transform(MASKS), other))
        .anyMatch(line -> line.contains("response is missing"));
    assertThat(linted(
            null,
            false,
            ROUTE,
            transform(MASKS),
            other.replace("name: ext-proc", "name: gatehouse-x")))
        .anyMatch(line -> line.contains("response is missing"));
  }
}
