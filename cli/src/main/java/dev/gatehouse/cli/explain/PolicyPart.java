package dev.gatehouse.cli.explain;

import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.attach.Candidate;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Policy;
import dev.gatehouse.policy.resource.Problem;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The policies that mean the route, and which of them holds.
 *
 * @param problems of the policies that hold
 */
record PolicyPart(List<Family> families, List<String> problems) {
  /** @param rejected the one that holds cannot be honoured, or hides in a file that cannot be read */
  record Family(String title, List<Candidate> candidates, boolean rejected) {}

  static PolicyPart of(AttachedRule rule, PolicySet policies, List<Problem> problems) {
    var families = List.of(
        new Family("who", policies.securityCandidates(rule), rejected(rule.security())),
        new Family("how often", policies.trafficCandidates(rule), rejected(rule.traffic())),
        new Family("changes", policies.transformCandidates(rule), rejected(rule.transform())));
    return new PolicyPart(
        families,
        problems.stream()
            .filter(problem -> problem.severity() == Problem.Severity.ERROR)
            .map(Problem::toString)
            .toList());
  }

  private static boolean rejected(Attachment<? extends Policy> attachment) {
    return switch (attachment) {
      case Attachment.Rejected<? extends Policy> _ -> true;
      case Attachment.Of<? extends Policy> _, Attachment.None<? extends Policy> _ -> false;
    };
  }

  void print(Page page) {
    page.heading("Policies");
    for (var family : families) {
      if (family.candidates.isEmpty()) {
        page.dim("%-10s none".formatted(family.title));
      }
      for (int i = 0; i < family.candidates.size(); i++) {
        var candidate = family.candidates.get(i);
        var text = "%-10s %s (%s) %s: %s"
            .formatted(
                i == 0 ? family.title : "",
                candidate.policy().title(),
                candidate.policy().origin(),
                !candidate.holds() ? "does not" : family.rejected ? "is REJECTED" : "holds",
                candidate.why());
        if (candidate.holds()) {
          page.verdict(!family.rejected, text);
        } else {
          page.dim(text);
        }
      }
      if (family.rejected && family.candidates.isEmpty()) {
        page.verdict(false, family.title + ": a file that cannot be read may hold one");
      }
    }
    problems.forEach(problem -> page.verdict(false, problem));
  }

  Map<String, Object> json() {
    var json = new LinkedHashMap<String, Object>();
    for (var family : families) {
      json.put(
          switch (family.title) {
            case "who" -> "security";
            case "how often" -> "traffic";
            default -> "transform";
          },
          family.candidates.stream().map(c -> json(family, c)).toList());
    }
    json.put("errors", problems);
    return json;
  }

  private static Map<String, Object> json(Family family, Candidate candidate) {
    var json = new LinkedHashMap<String, Object>();
    json.put("policy", candidate.policy().title());
    json.put("at", candidate.policy().origin().toString());
    json.put("target", candidate.target());
    json.put("holds", candidate.holds());
    json.put("rejected", candidate.holds() && family.rejected);
    json.put("why", candidate.why());
    return json;
  }
}
