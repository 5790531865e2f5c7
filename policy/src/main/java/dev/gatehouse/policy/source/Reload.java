package dev.gatehouse.policy.source;

import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Problem;
import java.time.Instant;
import java.util.List;

/**
 * What came of one load.
 *
 * @param inForce whether it is in force now; else the ones before stay so
 * @param policies what was loaded
 * @param since when the policies that are in force now were loaded
 */
public record Reload(boolean inForce, PolicySet policies, List<Problem> problems, Instant since) {}
