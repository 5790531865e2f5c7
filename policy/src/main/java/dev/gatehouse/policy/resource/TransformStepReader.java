package dev.gatehouse.policy.resource;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.gatehouse.policy.resource.TransformPolicy.Body;
import dev.gatehouse.policy.resource.TransformPolicy.BodyMerge;
import dev.gatehouse.policy.resource.TransformPolicy.BodyReplace;
import dev.gatehouse.policy.resource.TransformPolicy.BodyTemplate;
import dev.gatehouse.policy.resource.TransformPolicy.Edits;
import dev.gatehouse.policy.resource.TransformPolicy.Path;
import dev.gatehouse.policy.resource.TransformPolicy.PathPrefix;
import dev.gatehouse.policy.resource.TransformPolicy.PathRegex;
import dev.gatehouse.policy.resource.TransformPolicy.PathSet;
import dev.gatehouse.policy.resource.TransformPolicy.Replacement;
import dev.gatehouse.policy.resource.TransformPolicy.Respond;
import dev.gatehouse.policy.resource.TransformPolicy.Step;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads one step of a TransformPolicy.
 *
 * @param request whether it is one of {@code spec.request}
 */
record TransformStepReader(boolean request) {
  private static final int MAX_CHANGES = 64;
  private static final int MAX_TEXT = 64 * 1024;
  private static final int MAX_METADATA = 32;
  private static final String[] BOTH = {
    "headers", "path", "query", "status", "body", "form", "json", "metadata", "respond"
  };
  private static final Pattern KEY = Pattern.compile("[A-Za-z0-9_.-]{1,128}");
  private static final Pattern GROUP = Pattern.compile("\\$(\\$|[0-9]+|.|$)");

  Step read(Fields fields) {
    var step = new Step(
        fields.<@Nullable String>optional("name", v -> v.text(128)),
        fields.<@Nullable String>optional("when", v -> v.text()),
        fields.optional("onError", v -> v.oneOf(Map.of("Fail", false, "Skip", true)), false),
        fields.<@Nullable Edits>optional("headers", v -> v.object(EditsReader.HEADERS::read)),
        request
            ? fields.<@Nullable Path>optional("path", v -> v.object(TransformStepReader::path))
            : null,
        request ? parameters(fields, "query") : null,
        request ? null : fields.<@Nullable Integer>optional("status", TransformStepReader::status),
        fields.<@Nullable Body>optional("body", v -> v.object(TransformStepReader::body)),
        request ? parameters(fields, "form") : null,
        fields.list("json", MAX_CHANGES, item -> item.object(JsonOpReader::read)),
        fields.optional("metadata", TransformStepReader::metadata, Map.of()),
        fields.<@Nullable Respond>optional("respond", v -> v.object(TransformStepReader::respond)),
        fields.origin());
    if (request) {
      elsewhere(fields, "response", "status");
    } else {
      elsewhere(fields, "request", "path", "query", "form");
    }
    check(fields);
    return step;
  }

  private static void elsewhere(Fields fields, String place, String... names) {
    for (var name : names) {
      fields.given(name, value -> value.error("belongs to a " + place + " step"));
    }
  }

  private void check(Fields fields) {
    int changes = fields.count(BOTH);
    if (changes == 0) {
      fields.error("changes nothing (expected: "
          + (request
              ? "headers, path, query, body, form, json, metadata or respond"
              : "headers, status, body, json, metadata or respond")
          + ")");
    } else if (fields.has("respond") && changes > 1) {
      fields.error("respond answers at once; put the other changes into a step of their own");
    } else if (fields.count("body", "form", "json") > 1) {
      fields.error(
          "body, form and json each make another body of the one there is; keep one of them, or put them into steps of their own");
    }
  }

  private static @Nullable Edits parameters(Fields fields, String name) {
    return fields.<@Nullable Edits>optional(name, v -> v.object(EditsReader.PARAMETERS::read));
  }

  private static int status(Value value) {
    return value.integer(200, 599);
  }

  private static Path path(Fields fields) {
    onlyOne(
        fields,
        "regex with replacement, prefix with replacement, and set",
        "regex",
        "prefix",
        "set");
    if (fields.has("set")) {
      fields.given("replacement", v -> v.error("belongs to regex or prefix"));
      return new PathSet(fields.required("set", TransformStepReader::absolute));
    }
    if (fields.has("prefix")) {
      var prefix = fields.required("prefix", Formats::path);
      var replacement = fields.required("replacement", TransformStepReader::absolute);
      return new PathPrefix(prefix, replacement);
    }
    var regex = fields.required("regex", Formats::regex);
    return new PathRegex(regex, fields.required("replacement", v -> replacement(v, regex)));
  }

  /** A path whose templates may be anywhere but at its beginning. */
  private static String absolute(Value value) {
    var text = value.text(1024);
    if (!text.isEmpty() && !text.startsWith("/")) {
      value.error(value.show(text) + " does not begin with '/'");
    } else if (!text.contains("${") && text.chars().anyMatch(c -> c == '?' || c == '#')) {
      value.error(value.show(text)
          + " holds '?' or '#', which end a path; what the query holds is changed by \"query\"");
    }
    return text;
  }

  private static Body body(Fields fields) {
    onlyOne(fields, "template, replace and merge", "template", "replace", "merge");
    if (fields.has("replace")) {
      return new BodyReplace(fields.nonEmptyList(
          "replace", MAX_CHANGES, item -> item.object(TransformStepReader::replacement)));
    }
    if (fields.has("merge")) {
      return new BodyMerge(fields.required("merge", JsonOpReader::object));
    }
    return new BodyTemplate(fields.optional("template", v -> v.anyText(MAX_TEXT), ""));
  }

  private static void onlyOne(Fields fields, String which, String... names) {
    var count = fields.count(names);
    if (count != 1) {
      fields.error("expected one of " + which);
    }
    if (count > 1) {
      fields.others(); // What is one too many is no unknown field.
    }
  }

  private static Replacement replacement(Fields fields) {
    var regex = fields.required("regex", Formats::regex);
    return new Replacement(regex, fields.required("replacement", v -> replacement(v, regex)));
  }

  /** What stands for the places that a regular expression finds; {@code $1} is its group. */
  private static String replacement(Value value, String regex) {
    var text = value.anyText(1024);
    int groups;
    try {
      groups = RegexSize.of(regex) > RegexSize.MAX ? -1 : Pattern.compile(regex).groupCount();
    } catch (PatternSyntaxException e) {
      return text; // Reported where it stands.
    }
    var references = GROUP.matcher(text);
    while (groups >= 0 && references.find()) {
      var reference = references.group(1);
      if (!reference.matches("[0-9]+")) {
        value.error("'$' names a group of regex (expected: $0 to $" + groups + ")");
      } else if (reference.length() > 3 || Integer.parseInt(reference) > groups) {
        value.error("$" + reference + " is no group of regex (expected: $0 to $" + groups + ")");
      }
    }
    return text;
  }

  private static Map<String, String> metadata(Value value) {
    var entries = value.map(MAX_METADATA, v -> v.anyText(Value.MAX_TEXT));
    entries.keySet().forEach(key -> {
      if (!KEY.matches(key)) {
        value.error(value.show(key)
            + " is no key of metadata (expected: 1 to 128 letters, digits, '_', '.' and '-')");
      }
    });
    if (entries.isEmpty() && value.node() instanceof YamlNode.Mapping) {
      value.error("is empty; remove it, or say what is to be written");
    }
    return entries;
  }

  private static Respond respond(Fields fields) {
    return new Respond(
        fields.required("status", TransformStepReader::status),
        fields.optional("headers", EditsReader.HEADERS::values, Map.of()),
        fields.optional("body", v -> v.anyText(MAX_TEXT), ""));
  }
}
