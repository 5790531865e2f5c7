package dev.gatehouse.policy.resource;

import com.google.re2j.Pattern;
import dev.gatehouse.policy.resource.TransformPolicy.JsonDefault;
import dev.gatehouse.policy.resource.TransformPolicy.JsonMask;
import dev.gatehouse.policy.resource.TransformPolicy.JsonMove;
import dev.gatehouse.policy.resource.TransformPolicy.JsonOp;
import dev.gatehouse.policy.resource.TransformPolicy.JsonRemove;
import dev.gatehouse.policy.resource.TransformPolicy.JsonRename;
import dev.gatehouse.policy.resource.TransformPolicy.JsonSet;
import dev.gatehouse.policy.resource.YamlNode.Mapping;
import dev.gatehouse.policy.resource.YamlNode.Scalar;
import dev.gatehouse.policy.resource.YamlNode.Sequence;
import java.util.Map;
import tools.jackson.core.io.JsonStringEncoder;

/** Reads a TransformPolicy's operations on JSON, and values that YAML writes and JSON means. */
final class JsonOpReader {
  private static final int MAX_VALUE = 64 * 1024;
  private static final Pattern POINTER = Pattern.compile("(/([^~]|~[01])*)*");
  private static final Pattern JSON_NUMBER =
      Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?");

  private JsonOpReader() {}

  private enum Op {
    SET,
    DEFAULT,
    REMOVE,
    RENAME,
    MOVE,
    MASK
  }

  static JsonOp read(Fields fields) {
    var op = fields.required(
        "op",
        v -> v.oneOf(Map.of(
            "set", Op.SET,
            "default", Op.DEFAULT,
            "remove", Op.REMOVE,
            "rename", Op.RENAME,
            "move", Op.MOVE,
            "mask", Op.MASK)));
    fields.given("from", v -> v.error("is called \"at\" here, as in the other operations"));
    var at = fields.required("at", JsonOpReader::pointer);
    var origin = fields.origin();
    return switch (op) {
      case SET -> new JsonSet(at, fields.required("value", JsonOpReader::text), origin);
      case DEFAULT -> new JsonDefault(at, fields.required("value", JsonOpReader::text), origin);
      case REMOVE -> new JsonRemove(inside(fields, at), origin);
      case RENAME ->
        new JsonRename(inside(fields, at), fields.required("to", JsonOpReader::name), origin);
      case MOVE ->
        new JsonMove(
            inside(fields, at), fields.required("to", JsonOpReader::pointerInside), origin);
      case MASK ->
        new JsonMask(at, fields.optional("keepLast", v -> v.integer(0, 1024), 0), origin);
    };
  }

  private static String inside(Fields fields, String at) {
    if (at.isEmpty() && fields.has("at")) {
      fields.error("the whole document cannot be removed, renamed or moved");
    }
    return at;
  }

  private static String name(Value value) {
    var text = value.text(256);
    if (text.startsWith("/")) {
      value.warning("is the name itself, slash and all (for another place write {op: move, to: "
          + Shown.of(text) + "})");
    }
    return text;
  }

  private static String pointerInside(Value value) {
    var text = pointer(value);
    if (text.equals("")) {
      value.error("is the whole document, to which nothing can be moved (expected: a JSON Pointer"
          + " such as /user/name; to change only the name write {op: rename, to: name})");
    }
    return text;
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

  /** An object as a JSON text. */
  static String object(Value value) {
    if (value.node() != null && !(value.node() instanceof Mapping)) {
      value.error("is no object (expected: the members to change; null removes one)");
    }
    return text(value);
  }

  /** The value as a JSON text; templates stay within its strings. */
  static String text(Value value) {
    var node = value.node();
    if (node == null) {
      return "null";
    }
    var text = new StringBuilder();
    write(node, text, value);
    if (text.length() > MAX_VALUE) {
      value.error("is larger than " + MAX_VALUE + " characters");
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
