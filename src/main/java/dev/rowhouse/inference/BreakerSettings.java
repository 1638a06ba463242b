package dev.rowhouse.inference;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * The tunables of circuit breakers; conf/inference.conf has each with its reason.
 *
 * @param calls how many of the latest calls count
 * @param callsMin fewer calls than this open nothing
 * @param failureShare this share of failed calls opens
 * @param openMin how long an endpoint is left alone at first
 * @param openMax the longest such time, after doubling
 * @param jitterShare how much a time may differ from that, up or down
 * @param pauseMax the longest pause that an upstream's Retry-After is given
 * @param probes runs at once while the endpoint is on probation
 * @param successes answers in a row that end the probation
 */
public record BreakerSettings(
    int calls,
    int callsMin,
    double failureShare,
    Duration openMin,
    Duration openMax,
    double jitterShare,
    Duration pauseMax,
    int probes,
    int successes) {

  public BreakerSettings {
    check(calls >= 1 && calls <= 10_000, "calls", calls);
    check(callsMin >= 1 && callsMin <= calls, "calls-min", callsMin);
    check(failureShare > 0 && failureShare <= 1, "failure-share", failureShare);
    check(openMin.toMillis() >= 1, "open-min", openMin);
    check(openMax.compareTo(openMin) >= 0, "open-max", openMax);
    check(jitterShare >= 0 && jitterShare < 1, "jitter-share", jitterShare);
    check(pauseMax.toMillis() >= 1, "pause-max", pauseMax);
    check(probes >= 1, "probes", probes);
    check(successes >= 1, "successes", successes);
  }

  static BreakerSettings of(Config config) {
    return new BreakerSettings(
        config.getInt("calls"),
        config.getInt("calls-min"),
        config.getDouble("failure-share"),
        config.getDuration("open-min"),
        config.getDuration("open-max"),
        config.getDouble("jitter-share"),
        config.getDuration("pause-max"),
        config.getInt("probes"),
        config.getInt("successes"));
  }

  private static void check(boolean holds, String name, Object value) {
    if (!holds) {
      throw new IllegalArgumentException(
          "rowhouse.inference.breaker." + name + " is " + value + ", which makes no sense");
    }
  }
}
