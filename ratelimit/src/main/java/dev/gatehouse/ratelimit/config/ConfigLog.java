package dev.gatehouse.ratelimit.config;

import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes into the log what came of each configuration. */
final class ConfigLog implements ConfigListener {
  private static final Logger LOG = LoggerFactory.getLogger(ConfigLog.class);

  private boolean any;

  @Override
  public void inForce(LimitTree config, List<Problem> warnings) {
    any = true;
    warnings.forEach(warning -> LOG.warn("configuration: {}", warning));
    LOG.info(
        "configuration in force: {} limits in {} domains",
        config.limits().size(),
        config.domains().size());
  }

  @Override
  public void refused(List<Problem> problems) {
    problems.forEach(problem -> LOG.error("configuration: {}", problem));
    LOG.error(
        any
            ? "the configuration is refused, and the last good one stays in force"
            : "the configuration is refused, and there is none in force");
  }
}
