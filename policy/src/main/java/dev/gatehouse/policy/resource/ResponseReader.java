package dev.gatehouse.policy.resource;

import com.google.re2j.Pattern;
import dev.gatehouse.policy.resource.SecurityPolicy.Field;
import dev.gatehouse.policy.resource.SecurityPolicy.Response;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;

/** Reads an AuthPolicy's {@code response}. Templates stay text: the service compiles them. */
final class ResponseReader {
  private static final int MAX_FIELDS = 64;
  private static final Pattern METADATA_NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,63}");

  /** What {@code auth} says of the caller is the decision's, and no template's. */
  private static final Set<String> IDENTITY = Set.of("method", "sub", "iss", "scopes", "claims");

  private ResponseReader() {}

  static Response response(Fields fields) {
    return new Response(
        fields(fields, "headers", Formats::ownedHeader),
        fields(fields, "metadata", ResponseReader::metadataName),
        fields(fields, "deniedHeaders", ResponseReader::deniedHeader));
  }

  private static List<Field> fields(
      Fields fields, String name, BiFunction<Value, String, String> read) {
    var value = fields.optional(name);
    if (value == null) {
      return List.of();
    }
    var items = new ArrayList<Field>();
    var seen = new HashSet<String>();
    value.map(MAX_FIELDS, v -> v).forEach((key, template) -> {
      var known = read.apply(template, key);
      if (!seen.add(known)) {
        template.error("\"" + Shown.of(known) + "\" stands twice (case does not count)");
      }
      items.add(new Field(known, Formats.headerValue(template), template.origin()));
    });
    return List.copyOf(items);
  }

  private static String metadataName(Value value, String name) {
    if (!METADATA_NAME.matches(name)) {
      value.error(value.show(name)
          + " is not a name of at most 64 letters, digits and '_' that begins with no digit");
    } else if (IDENTITY.contains(name)) {
      value.error("\"" + name + "\" is the caller's identity and no template's to say");
    }
    return name;
  }

  private static String deniedHeader(Value value, String name) {
    var lower = Formats.changeableHeader(value, name);
    if (lower.equals("www-authenticate")) {
      value.error(
          "\"www-authenticate\" is the challenge that goes with the decision (RFC 9110 §11.6.1)");
    }
    return lower;
  }
}
