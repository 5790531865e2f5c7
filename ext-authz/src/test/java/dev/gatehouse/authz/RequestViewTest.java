package dev.gatehouse.authz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.google.protobuf.ByteString;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RequestViewTest {
  @Test
  void both_forms_of_headers_read_the_same() {
    var call = Call.get("/a?b=c").with("x-one", "1").with("x-two", "2").with("x-two", "3");
    for (var view : new RequestView[] {call.view(), call.joined().view()}) {
      assertThat(view.header("x-one")).isEqualTo("1");
      assertThat(view.header("x-two")).isEqualTo("2,3");
      assertThat(view.header("x-three")).isNull();
      assertThat(view.header(":path")).isEqualTo("/a?b=c");
      assertThat(view.headers())
          .isEqualTo(Map.of(
              ":method", "GET",
              ":path", "/a?b=c",
              ":authority", "shop.example",
              "x-one", "1",
              "x-two", "2,3"));
    }
    assertThat(call.view().repeated("x-two")).isTrue();
    assertThat(call.view().repeated("x-one")).isFalse();
    assertThat(call.view().repeated("x-three")).isFalse();
  }

  @Test
  void a_header_that_came_as_text_in_the_raw_form_is_read_too() {
    var attributes = Call.get("/").request().getAttributes().toBuilder();
    attributes
        .getRequestBuilder()
        .getHttpBuilder()
        .getHeaderMapBuilder()
        .addHeadersBuilder()
        .setKey("x-text")
        .setValue("text");
    assertThat(RequestView.of(attributes.build(), false).header("x-text")).isEqualTo("text");
  }

  @Test
  void bytes_that_are_no_utf8_are_replaced_and_never_thrown_at() {
    var view = Call.get("/")
        .with("x", ByteString.copyFrom(new byte[] {'a', (byte) 0xff}))
        .view();
    assertThat(view.header("x")).isEqualTo("a\uFFFD");
    assertThat(view.headers()).containsEntry("x", "a\uFFFD");
  }

  @Test
  void the_query_is_decoded_and_the_first_value_counts() {
    var view = Call.get("/a/%2F?a=1&a=2&b=%C3%A9+x&c&=d&%zz=%zz&&e=f=g#h=i").view();
    assertThat(view.urlPath()).isEqualTo("/a/%2F");
    assertThat(view.query())
        .containsEntry("a", "1")
        .containsEntry("b", "\u00e9 x")
        .containsEntry("c", "")
        .containsEntry("", "d")
        .containsEntry("%zz", "%zz")
        .containsEntry("e", "f=g")
        .doesNotContainKey("h");
    assertThat(view.parameter("a")).containsExactly("1", "2");
  }

  @Test
  void a_query_is_bounded() {
    var view = Call.get("/?" + "a&".repeat(256)).view();
    assertThatIllegalStateException().isThrownBy(view::query);
    assertThatIllegalStateException().isThrownBy(() -> view.parameter("a"));
    assertThat(view.parameter("zz")).isEmpty();
  }

  @Test
  void cookies_are_found_in_one_line_or_several() {
    var view =
        Call.get("/").with("cookie", "a=1; b = 2").with("cookie", "a=3;c").view();
    assertThat(view.cookie("a")).containsExactly("1", "3");
    assertThat(view.cookie("b")).containsExactly("2");
    assertThat(view.cookie("c")).isEmpty();
  }

  @Test
  void a_request_id_that_is_no_uuid_is_not_the_decisions() {
    var uuid = "11111111-aaaa-BBBB-4444-555555555555";
    assertThat(Call.get("/").with("x-request-id", uuid).view().decisionId().toStringUtf8())
        .isEqualTo(uuid);
    for (var id : new String[] {"", "x", uuid + "0", uuid.replace('1', 'g'), "1".repeat(36)}) {
      var view = Call.get("/").with("x-request-id", id).view();
      assertThat(view.decisionId().size()).isEqualTo(36);
      assertThat(view.decisionId().toStringUtf8()).isNotEqualTo(id);
      assertThat(view.decisionId()).isSameAs(view.decisionId());
    }
  }

  @Test
  void nothing_at_all_is_read_as_nothing() {
    var view = RequestView.of(AttributeContext.getDefaultInstance(), false);
    assertThat(view.method()).isEmpty();
    assertThat(view.path()).isEmpty();
    assertThat(view.urlPath()).isEmpty();
    assertThat(view.id()).isEmpty();
    assertThat(view.headers()).isEmpty();
    assertThat(view.query()).isEmpty();
    assertThat(view.cookie("a")).isEmpty();
    assertThat(view.sourceAddress()).isEmpty();
  }
}
