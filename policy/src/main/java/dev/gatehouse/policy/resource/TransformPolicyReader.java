package dev.gatehouse.policy.resource;

import com.google.re2j.Pattern;
import dev.gatehouse.policy.resource.TransformPolicy.Headers;
import dev.gatehouse.policy.resource.TransformPolicy.JsonMask;
import dev.gatehouse.policy.resource.TransformPolicy.JsonOp;
import dev.gatehouse.policy.resource.TransformPolicy.JsonRemove;
import dev.gatehouse.policy.resource.TransformPolicy.JsonRename;
import dev.gatehouse.policy.resource.TransformPolicy.JsonSet;
import dev.gatehouse.policy.resource.TransformPolicy.Path;
import dev.gatehouse.policy.resource.TransformPolicy.Query;
import dev.gatehouse.policy.resource.TransformPolicy.Respond;
import dev.gatehouse.policy.resource.TransformPolicy.Step;
import dev.gatehouse.policy.resource.YamlNode.Mapping;
import dev.gatehouse.policy.resource.YamlNode.Scalar;
import dev.gatehouse.policy.resource.YamlNode.Sequence;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.io.JsonStringEncoder;

/** Reads a TransformPolicy. */
final class TransformPolicyReader {
  private static final long DEFAULT_LIMIT = 10L * 1024 * 1024;
  private static final long MAX_LIMIT = 256L * 1024 * 1024;
  private static final int MAX_STEPS = 64;
  private static final int MAX_CHANGES = 64;
  private static final int MAX_BODY = 64 * 1024;
  private static final Pattern POINTER = Pattern.compile("(/([^~]|~[01])*)*");
  private static final Pattern JSON_NUMBER =
      Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?");
  private static final Pattern GROUP = Pattern.compile("\\$(\\$|[0-9]+|.|$)");

  private TransformPolicyReader() {}

  static TransformPolicy read(Meta meta, Targets targets, Fields spec) {
    var limits = spec.optional(
        "limits",
        v -> v.object(TransformPolicyReader::limits),
        new Limits(DEFAULT_LIMIT, DEFAULT_LIMIT));
    boolean pass = spec.optional(
        "onUnprocessable", v -> v.oneOf(Map.of("Reject", false, "Pass", true)), false);
    boolean local = spec.optional(
        "localReplies", v -> v.oneOf(Map.of("Skip", false, "Transform", true)), false);
    var request = spec.list("request", MAX_STEPS, item -> item.object(f -> step(f, true)));
    var response = spec.list("response", MAX_STEPS, item -> item.object(f -> step(f, false)));
    return new TransformPolicy(
        meta, targets, limits.request(), limits.response(), pass, local, request, response);
  }

  private record Limits(long request, long response) {}

  private static Limits limits(Fields fields) {
    return new Limits(
        fields.optional("requestBytes", v -> v.bytes(1, MAX_LIMIT), DEFAULT_LIMIT),
        fields.optional("responseBytes", v -> v.bytes(1, MAX_LIMIT), DEFAULT_LIMIT));
  }

  private static Step step(Fields fields, boolean request) {
    var when = fields.<@Nullable String>optional("when", v -> v.text());
    var headers = fields.<@Nullable Headers>optional(
        "headers", v -> v.object(TransformPolicyReader::headers));
    var json = fields.list("json", MAX_CHANGES, item -> item.object(TransformPolicyReader::jsonOp));
    @Nullable Path path = null;
    @Nullable Query query = null;
    @Nullable Respond respond = null;
    @Nullable Integer status = null;
    @Nullable String body = null;
    if (request) {
      path = fields.optional("path", v -> v.object(TransformPolicyReader::path));
      query = fields.optional("query", v -> v.object(TransformPolicyReader::query));
      respond = fields.optional("respond", v -> v.object(TransformPolicyReader::respond));
      elsewhere(fields, "response", "status", "body");
    } else {
      status = fields.optional("status", TransformPolicyReader::status);
      body = fields.optional(
          "body", v -> v.object(f -> f.required("template", t -> t.anyText(MAX_BODY))));
      elsewhere(fields, "request", "path", "query", "respond");
    }
    int changes = fields.count("headers", "json", "path", "query", "respond", "status", "body");
    if (changes == 0) {
      fields.error("changes nothing (expected: "
          + (request ? "headers, path, query, json or respond" : "headers, status, body or json")
          + ")");
    } else if (respond != null && changes > 1) {
      fields.error("respond answers at once; put the other changes into a step of their own");
    } else if (body != null && !json.isEmpty()) {
      fields.error("body replaces what json changes; keep one of them, or put them into two steps");
    }
    return new Step(when, headers, path, query, status, json, body, respond, fields.origin());
  }

  private static void elsewhere(Fields fields, String place, String... names) {
    for (var name : names) {
      fields.given(name, value -> value.error("belongs to a " + place + " step"));
    }
  }

  private static int status(Value value) {
    return value.integer(200, 599);
  }

  private static Headers headers(Fields fields) {
    return new Headers(
        fields.list("remove", MAX_CHANGES, Formats::changeableHeader),
        fields.optional("rename", v -> headerMap(v, Formats::changeableHeader), Map.of()),
        fields.optional("set", v -> headerMap(v, Formats::headerValue), Map.of()),
        fields.optional("add", v -> headerMap(v, Formats::headerValue), Map.of()));
  }

  private static Map<String, String> headerMap(
      Value value, java.util.function.Function<Value, String> read) {
    var headers = new LinkedHashMap<String, String>();
    value.map(MAX_CHANGES, read).forEach((name, text) -> {
      var lower = Formats.changeableHeader(value, name);
      if (headers.put(lower, text) != null) {
        value.error("\"" + Shown.of(lower) + "\" stands twice");
      }
    });
    return java.util.Collections.unmodifiableMap(headers);
  }

  private static Path path(Fields fields) {
    var regex = fields.required("regex", Formats::regex);
    var replacement = fields.required("replacement", v -> v.anyText(1024));
    fields.given("replacement", value -> checkGroups(value, regex, replacement));
    return new Path(regex, replacement);
  }

  private static void checkGroups(Value value, String regex, String replacement) {
    int groups;
    try {
      groups = RegexSize.of(regex) > RegexSize.MAX ? -1 : Pattern.compile(regex).groupCount();
    } catch (com.google.re2j.PatternSyntaxException e) {
      return;
    }
    var references = GROUP.matcher(replacement);
    while (groups >= 0 && references.find()) {
      var reference = references.group(1);
      if (!reference.matches("[0-9]+")) {
        value.error("'$' names a group of regex (expected: $0 to $" + groups + ")");
      } else if (reference.length() > 3 || Integer.parseInt(reference) > groups) {
        value.error("$" + reference + " is no group of regex (expected: $0 to $" + groups + ")");
      }
    }
  }

  private static Query query(Fields fields) {
    return new Query(
        fields.optional(
            "set",
            v -> v.map(MAX_CHANGES, t -> t.anyText(Value.MAX_TEXT)),
            Map.<String, String>of()),
        fields.list("remove", MAX_CHANGES, v -> v.text(256)));
  }

  private static Respond respond(Fields fields) {
    return new Respond(
        fields.required("status", TransformPolicyReader::status),
        fields.optional("headers", v -> headerMap(v, Formats::headerValue), Map.of()),
        fields.optional("body", v -> v.anyText(MAX_BODY), ""));
  }

  private static JsonOp jsonOp(Fields fields) {
    var op = fields.required(
        "op",
        v -> v.oneOf(Map.of("set", "set", "remove", "remove", "rename", "rename", "mask", "mask")));
    var at = fields.required("at", TransformPolicyReader::pointer);
    var origin = fields.origin();
    return switch (op) {
      case "set" -> new JsonSet(at, fields.required("value", TransformPolicyReader::json), origin);
      case "rename" ->
        new JsonRename(inside(fields, at), fields.required("to", v -> v.text(256)), origin);
      case "mask" ->
        new JsonMask(at, fields.optional("keepLast", v -> v.integer(0, 1024), 0), origin);
      default -> new JsonRemove(inside(fields, at), origin);
    };
  }

  private static String inside(Fields fields, String at) {
    if (at.isEmpty()) {
      fields.error("the whole document cannot be removed or renamed");
    }
    return at;
  }

  private static String pointer(Value value) {
    var text = value.anyText(1024);
    if (!POINTER.matches(text)) {
      value.error(
          value.show(text)
              + " is not a JSON Pointer (RFC 6901) such as /items/*/secret; '~' is written ~0 and '/' in a name ~1");
    } else if (text.chars().filter(c -> c == '/').count() > YamlDocuments.MAX_DEPTH) {
      value.error("is more than " + YamlDocuments.MAX_DEPTH + " names deep");
    }
    return text;
  }

  /** The value as a JSON text; templates stay within its strings. */
  private static String json(Value value) {
    var node = value.node();
    if (node == null) {
      return "null";
    }
    var text = new StringBuilder();
    write(node, text, value);
    if (text.length() > MAX_BODY) {
      value.error("is larger than " + MAX_BODY + " characters");
    }
    return text.toString();
  }

  private static void write(YamlNode node, StringBuilder out, Value value) {
    switch (node) {
      case Scalar(var at, var text, var kind) -> {
        switch (kind) {
          case STRING -> quote(text, out);
          case BOOLEAN -> out.append(text);
          case NULL -> out.append("null");
          case NUMBER -> {
            out.append(text);
            if (!JSON_NUMBER.matches(text)) {
              value.error("\"" + Shown.of(text) + "\" is no number that JSON has");
            }
          }
        }
      }
      case Sequence list -> {
        out.append('[');
        for (int i = 0; i < list.items().size(); i++) {
          out.append(i == 0 ? "" : ",");
          write(list.items().get(i), out, value);
        }
        out.append(']');
      }
      case Mapping mapping -> {
        out.append('{');
        boolean first = true;
        for (var entry : mapping.entries().entrySet()) {
          out.append(first ? "" : ",");
          first = false;
          quote(entry.getKey(), out);
          out.append(':');
          write(entry.getValue().value(), out, value);
        }
        out.append('}');
      }
    }
  }

  private static void quote(String text, StringBuilder out) {
    out.append('"')
        .append(JsonStringEncoder.getInstance().quoteAsCharArray(text))
        .append('"');
  }
}
