package dev.gatehouse.extproc.transform;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.gatehouse.policy.expr.EvaluationException;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.TransformPolicy;
import org.jspecify.annotations.Nullable;

/**
 * Replaces what an RE2 expression finds in the path, the query left alone. RE2/J runs in linear time, whatever the expression and
 * the path. The route stays the one that was chosen: the route cache is never cleared.
 */
record PathRewrite(Pattern regex, String replacement) {

  static @Nullable PathRewrite compile(
      TransformPolicy.Path path, Origin origin, String where, Problems problems) {
    Pattern regex;
    try {
      regex = Pattern.compile(path.regex());
    } catch (PatternSyntaxException e) {
      problems.error(
          origin,
          where + ".regex",
          "not an RE2 expression: " + e.getMessage()
              + " (RE2 has no look-around and no back references)");
      return null;
    }
    var objection = objection(path.replacement(), regex.groupCount());
    if (objection != null) {
      problems.error(origin, where + ".replacement", objection);
      return null;
    }
    return new PathRewrite(regex, path.replacement());
  }

  /** @param path with or without a query */
  String apply(String path) throws EvaluationException {
    var mark = path.indexOf('?');
    var bare = mark < 0 ? path : path.substring(0, mark);
    var matcher = regex.matcher(bare);
    if (!matcher.find()) {
      return path;
    }
    var rewritten = matcher.reset().replaceAll(replacement);
    if (!rewritten.startsWith("/")) {
      throw new EvaluationException("the rewritten path does not begin with /");
    }
    return mark < 0 ? rewritten : rewritten + path.substring(mark);
  }

  private static @Nullable String objection(String replacement, int groups) {
    for (var i = 0; i < replacement.length(); i++) {
      var c = replacement.charAt(i);
      if (c == '?' || c == '#') {
        return "holds `" + c + "`, which ends a path; use `query` for the query";
      }
      if (c <= ' ' || c >= 0x7f) {
        return "holds a character that no path has; percent-encode it";
      }
      if (c == '\\') {
        return "holds `\\`; only $1 to $9 and $0 have a meaning here";
      }
      if (c == '$') {
        var group =
            i + 1 < replacement.length() ? Character.digit(replacement.charAt(i + 1), 10) : -1;
        if (group < 0 || group > groups) {
          return "`$` must be followed by a group's number, 0 to " + groups + " in this expression";
        }
      }
    }
    return null;
  }
}
