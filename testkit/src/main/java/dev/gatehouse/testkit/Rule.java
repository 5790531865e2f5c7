package dev.gatehouse.testkit;

/**
 * A rule of Envoy's ext_proc filter that a processor's answer can break (Envoy 1.37 to 1.40, its {@code processor_state.cc} and
 * {@code mutation_utils.cc}): what holds, what Envoy does about a break, and what to do instead.
 */
public enum Rule {
  UNSET_ONEOF(
      "an answer says what it answers",
      Consequence.SPURIOUS,
      "set request_headers, response_body, …: the mirror of the message, empty where nothing is to be changed"),
  MIRROR(
      "a message is answered by its mirror",
      Consequence.SPURIOUS,
      "answer request_headers by request_headers, response_body by response_body, and so on, in the order of the messages"),
  UNASKED(
      "what Envoy does not wait for is not answered",
      Consequence.SPURIOUS,
      "answer each message once"),
  ONE_ANSWER_A_CHUNK(
      "STREAMED: each chunk is answered exactly once",
      Consequence.SPURIOUS,
      "answer a chunk by one body answer, as large as you like; FULL_DUPLEX_STREAMED lets you answer more often, or less"),
  STREAMED_RESPONSE_NEEDS_FULL_DUPLEX(
      "streamed_response is for FULL_DUPLEX_STREAMED",
      Consequence.SPURIOUS,
      "say `body` or `clear_body` in this mode, or configure FULL_DUPLEX_STREAMED"),
  FULL_DUPLEX_NEEDS_STREAMED_RESPONSE(
      "FULL_DUPLEX_STREAMED: a body is answered by streamed_response only",
      Consequence.SPURIOUS,
      "give every byte back in body_mutation.streamed_response{body, end_of_stream}; Envoy keeps no copy that an empty answer could pass on"),
  HEADERS_BEFORE_BODY(
      "FULL_DUPLEX_STREAMED: the answers come in the order headers, body, trailers",
      Consequence.SPURIOUS,
      "answer the headers before the first chunk goes back, and the trailers last"),
  END_OF_STREAM(
      "FULL_DUPLEX_STREAMED: every byte comes back, and the last chunk says end_of_stream",
      "Envoy has drained what it sent and has no timer here: the other end waits for the rest until the stream's idle timeout",
      "send what you hold back when the chunk with end_of_stream (or the trailers) comes, and end_of_stream with the last of it"),
  NO_END_OF_STREAM_BEFORE_TRAILERS(
      "FULL_DUPLEX_STREAMED: where trailers follow, no chunk says end_of_stream",
      "the body is over for the next filter, and trailers behind it break the message",
      "say end_of_stream only when Envoy has said it; the answer to the trailers ends the message"),
  CHUNK_SIZE(
      "FULL_DUPLEX_STREAMED: a chunk has at most 62,000 bytes",
      "larger ones exceed what a message may hold beside its frame (64 KiB)",
      "cut the body into chunks of 62,000 bytes or less"),
  AFTER_THE_END(
      "nothing follows the end of a stream",
      "bytes after end_of_stream break the message",
      "say end_of_stream with the last bytes only"),
  CONTENT_LENGTH(
      "BUFFERED: content-length is the length of the new body",
      "the client gets 500; clear_body counts as 0 bytes",
      "set content-length in the header_mutation of the same answer, or remove it"),
  STALE_CONTENT_LENGTH(
      "a body that may change its length has no content-length",
      "the other end reads too few bytes or waits for more: Envoy takes it away only in a streamed mode that is configured, not in one"
          + " that an override asked for",
      "remove content-length in the answer that carries the mode_override"),
  RAW_VALUE(
      "a header's value is in raw_value",
      "Envoy does not read `value`: the header arrives empty, and with both set the mutation is rejected (500)",
      "set header.raw_value"),
  APPEND(
      "`append` and `append_action` say the same",
      "the filter heeds only the deprecated `append` (unset: overwrite); append_action is ignored",
      "set both alike: append: true with APPEND_IF_EXISTS_OR_ADD, append: false with OVERWRITE_IF_EXISTS_OR_ADD; add-if-absent is"
          + " the processor's to emulate, it sees the headers"),
  IMMUTABLE_HEADER(
      "host, :authority, :scheme, :method and x-envoy-* are not changed",
      "Envoy drops the change without a word, unless mutation_rules allow it",
      "leave them alone, or set mutation_rules (allow_all_routing, allow_envoy); :path and :status may be set, and :method with"
          + " CONTINUE_AND_REPLACE"),
  HEADER_CHARACTERS(
      "header names and values hold only what HTTP allows",
      "one illegal character rejects the whole mutation: the client gets 500",
      "check or encode what goes into a header: no CR, LF or NUL"),
  HEADER_COUNT(
      "a message has at most 100 headers",
      "the whole mutation is rejected: the client gets 500",
      "send fewer"),
  BODY_TO_HEADERS(
      "an answer to headers carries a body only with CONTINUE_AND_REPLACE",
      "Envoy ignores the body",
      "set status: CONTINUE_AND_REPLACE, or answer the body when it comes"),
  REPLACE_AT_HEADERS(
      "CONTINUE_AND_REPLACE is for answers to headers",
      "Envoy ignores it elsewhere",
      "replace the body by body_mutation here"),
  HEADERS_HAVE_GONE(
      "a body's answer changes headers only while they wait for it (BUFFERED, BUFFERED_PARTIAL)",
      "Envoy ignores the header_mutation: the headers have gone on",
      "change the headers in their own answer"),
  IMMEDIATE_STATUS(
      "an immediate response has a status of 200 or more",
      "Envoy makes 200 of a status that is missing or lower: the client takes a refusal for a success",
      "set status.code"),
  IMMEDIATE_IN_TIME(
      "an immediate response comes before the response's headers have gone out",
      "Envoy resets the client's stream: it gets no status, and half a body",
      "decide at the headers, or under BUFFERED, where they wait for the body"),
  MODE_OVERRIDE_AT_HEADERS(
      "mode_override goes with an answer to headers",
      "Envoy ignores it elsewhere",
      "say it with request_headers or response_headers"),
  MODE_OVERRIDE_ALLOWED(
      "mode_override needs allow_mode_override",
      "Envoy ignores it: a body that was asked for passes unseen",
      "set allow_mode_override: true in the filter, or configure the mode on the route"),
  MODE_OVERRIDE_AND_FULL_DUPLEX(
      "mode_override is not for routes where a body mode is FULL_DUPLEX_STREAMED, nor leads to it",
      "Envoy ignores it, and of a body that begins to be duplex the first chunk passes",
      "configure the mode on the route"),
  TIME_ALONE(
      "override_message_timeout travels alone",
      "Envoy drops the rest of the message",
      "send the answer in a message of its own"),
  TIME_ONCE(
      "override_message_timeout is heeded once a message, while an answer is waited for",
      "Envoy ignores it",
      "ask once, for all the time that is needed"),
  IN_TIME(
      "a message is answered within message_timeout (200 ms by default)",
      "the client gets 504",
      "answer each message; for slow work set message_timeout, or max_message_timeout and ask by override_message_timeout"),
  OBSERVED(
      "observability_mode: nothing is answered",
      "Envoy reads no answer, so a server that waits for its answers to be taken stands still",
      "look at observability_mode of the message and answer nothing"),
  DRAINED(
      "FULL_DUPLEX_STREAMED: a stream is not ended while Envoy waits for the bytes that it sent",
      "Envoy goes on without the processor, and what it had sent is lost",
      "give the rest back before the stream ends"),
  METADATA_RECEIVED(
      "dynamic_metadata goes into namespaces that metadata_options.receiving_namespaces name",
      "Envoy drops it without a word",
      "add the namespace to receiving_namespaces.untyped, and to the test by receivingMetadata(…)"),
  ROUTE_CACHE(
      "clear_route_cache chooses the route anew, and nothing else",
      "ext_authz is not asked again, and the rate limit of the new route is not applied: a way around both; without a header_mutation"
          + " Envoy ignores it",
      "leave it, or say in the test that it is meant: allowClearRouteCache()");

  /** What several rules lead to. */
  private static final class Consequence {
    static final String SPURIOUS =
        "counts it as spurious_msgs_received; the client gets 500, or with failure_mode_allow the processor is not asked any more";
  }

  private final String holds;
  private final String otherwise;
  private final String instead;

  Rule(String holds, String otherwise, String instead) {
    this.holds = holds;
    this.otherwise = otherwise;
    this.instead = instead;
  }

  /** What holds. */
  public String holds() {
    return holds;
  }

  /** What Envoy does about a break. */
  public String otherwise() {
    return otherwise;
  }

  /** What to do instead. */
  public String instead() {
    return instead;
  }

  /** @param what happened: only used if the rule was not kept */
  void keep(boolean kept, String what) {
    if (!kept) {
      throw broken(what);
    }
  }

  BrokenRule broken(String what) {
    return new BrokenRule(this, what, "");
  }
}
