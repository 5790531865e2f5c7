package dev.gatehouse.extproc.transform;

import com.google.re2j.Pattern;
import dev.gatehouse.policy.expr.EvaluationException;
import dev.gatehouse.policy.expr.Expressions;
import dev.gatehouse.policy.expr.Place;
import dev.gatehouse.policy.expr.Reads;
import dev.gatehouse.policy.expr.RequestFacts;
import dev.gatehouse.policy.expr.Template;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.TransformPolicy;
import org.jspecify.annotations.Nullable;

/** Changes the path and leaves the query alone. The route stays the one that was chosen: the route cache is never cleared. */
sealed interface PathRewrite {
  /** Stands for an expression that yields nothing; no path of a policy's holds it. */
  String NOTHING = "\0";

  /** @param path without a query */
  String rewrite(String path, RequestFacts facts) throws EvaluationException;

  Reads reads();

  /** Replaces what an RE2 expression finds. What its searches may read together is bounded: they run on an event loop. */
  record ByRegex(Pattern regex, String replacement) implements PathRewrite {
    /** How often a path may be read through. */
    private static final int TIMES_READ = 16;

    /** And what may be read beside that, in characters. */
    private static final int MORE_READ = 64 << 10;

    @Override
    public String rewrite(String path, RequestFacts facts) throws EvaluationException {
      try {
        var matcher = BoundedText.matcher(regex, path, TIMES_READ, MORE_READ);
        return matcher.find() ? matcher.reset().replaceAll(replacement) : path;
      } catch (BoundedText.GivenUp e) {
        throw new EvaluationException("the path: " + e.getMessage());
      }
    }

    @Override
    public Reads reads() {
      return Reads.NOTHING;
    }
  }

  /**
   * Replaces the first segments (Gateway API, {@code ReplacePrefixMatch}).
   *
   * @param prefix without a slash at its end
   */
  record ByPrefix(String prefix, Template replacement) implements PathRewrite {
    @Override
    public String rewrite(String path, RequestFacts facts) throws EvaluationException {
      if (!path.startsWith(prefix)
          || (path.length() > prefix.length() && path.charAt(prefix.length()) != '/')) {
        return path;
      }
      var first = segments(replacement, facts);
      var rest = path.substring(prefix.length());
      var whole =
          first.endsWith("/") ? first.substring(0, first.length() - 1) + rest : first + rest;
      return whole.isEmpty() ? "/" : whole;
    }

    @Override
    public Reads reads() {
      return replacement.reads();
    }
  }

  record Whole(Template path) implements PathRewrite {
    @Override
    public String rewrite(String before, RequestFacts facts) throws EvaluationException {
      return segments(path, facts);
    }

    @Override
    public Reads reads() {
      return path.reads();
    }
  }

  /**
   * The path with its query.
   *
   * @throws EvaluationException if a template cannot be evaluated, or no path comes of it
   */
  default String apply(String path, RequestFacts facts) throws EvaluationException {
    var mark = path.indexOf('?');
    var rewritten = rewrite(mark < 0 ? path : path.substring(0, mark), facts);
    if (!rewritten.startsWith("/")) {
      throw new EvaluationException("the rewritten path does not begin with /");
    }
    return mark < 0 ? rewritten : rewritten + path.substring(mark);
  }

  /** Null with the problem said. */
  static @Nullable PathRewrite compile(
      TransformPolicy.Path path, Place place, Origin origin, String where, Problems problems) {
    return switch (path) {
      case TransformPolicy.PathRegex regex -> byRegex(regex, origin, where, problems);
      case TransformPolicy.PathPrefix(var prefix, var replacement) -> {
        var template = template(replacement, place, origin, where + ".replacement", problems);
        yield template == null
            ? null
            : new ByPrefix(
                prefix.endsWith("/") ? prefix.substring(0, prefix.length() - 1) : prefix, template);
      }
      case TransformPolicy.PathSet(var value) -> {
        var template = template(value, place, origin, where + ".set", problems);
        yield template == null ? null : new Whole(template);
      }
    };
  }

  /**
   * What expressions yield are parts of segments: a slash or a question mark in them ends nothing, where all of a segment is
   * {@code ..} nobody climbs out of the path that the policy names, and where all of it is nothing, what follows does not take its place
   * ({@code /t/${tenant}} before {@code /acme/orders}).
   */
  private static String segments(Template template, RequestFacts facts) throws EvaluationException {
    var path = template.render(facts, text -> text.isEmpty() ? NOTHING : Parameters.encode(text));
    for (var segment : path.split("/", -1)) {
      if (isDots(segment.replace(NOTHING, ""))) {
        throw new EvaluationException("the rewritten path would have a segment of dots");
      }
      if (!segment.isEmpty() && segment.replace(NOTHING, "").isEmpty()) {
        throw new EvaluationException(
            "a segment of the rewritten path would be empty, since its expression yields nothing");
      }
    }
    return path.replace(NOTHING, "");
  }

  /** With parameters, too ({@code ..;x}): some servers take them away, encoded or not. */
  private static boolean isDots(String segment) {
    var dots = segment.startsWith("..") ? 2 : segment.startsWith(".") ? 1 : 0;
    return dots > 0
        && (segment.length() == dots
            || segment.charAt(dots) == ';'
            || segment.regionMatches(true, dots, "%3b", 0, 3));
  }

  private static @Nullable Template template(
      String text, Place place, Origin origin, String where, Problems problems) {
    var template = Expressions.template(text, place, origin, where, problems);
    if (template == null) {
      return null;
    }
    var objection = objection(template.literals());
    if (objection != null) {
      problems.error(origin, where, objection);
      return null;
    }
    return template;
  }

  private static @Nullable PathRewrite byRegex(
      TransformPolicy.PathRegex path, Origin origin, String where, Problems problems) {
    var regex = Re2.compile(path.regex(), origin, where + ".regex", problems);
    if (regex == null) {
      return null;
    }
    var objection = objection(path.replacement());
    if (objection == null) {
      objection = wrongGroup(path.replacement(), regex.groupCount());
    }
    if (objection != null) {
      problems.error(origin, where + ".replacement", objection);
      return null;
    }
    return new ByRegex(regex, path.replacement());
  }

  private static @Nullable String objection(String text) {
    for (var i = 0; i < text.length(); i++) {
      var c = text.charAt(i);
      if (c == '?' || c == '#') {
        return "holds `" + c + "`, which ends a path; use `query` for the query";
      }
      if (c <= ' ' || c >= 0x7f) {
        return "holds a character that no path has; percent-encode it";
      }
      if (c == '\\') {
        return "holds `\\`; only $1 to $9 and $0 have a meaning here";
      }
    }
    return null;
  }

  private static @Nullable String wrongGroup(String replacement, int groups) {
    for (var i = replacement.indexOf('$'); i >= 0; i = replacement.indexOf('$', i + 1)) {
      var group =
          i + 1 < replacement.length() ? Character.digit(replacement.charAt(i + 1), 10) : -1;
      if (group < 0 || group > groups) {
        return "`$` must be followed by a group's number, 0 to " + groups + " in this expression";
      }
    }
    return null;
  }
}
