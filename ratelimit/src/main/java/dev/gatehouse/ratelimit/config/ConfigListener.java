package dev.gatehouse.ratelimit.config;

import dev.gatehouse.policy.resource.Problem;
import dev.gatehouse.ratelimit.descriptor.LimitTree;
import java.util.List;

/** Hears of each configuration that came; on the thread that loads it. */
public interface ConfigListener {
  /**
   * {@code config_load_success}.
   *
   * @param config the configuration alone, without the policies' limits
   * @param warnings what does not keep it out of force
   */
  void inForce(LimitTree config, List<Problem> warnings);

  /** {@code config_load_error}. What was in force before stays so. */
  void refused(List<Problem> problems);
}
