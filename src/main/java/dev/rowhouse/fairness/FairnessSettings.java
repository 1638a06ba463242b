package dev.rowhouse.fairness;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * The tunables of the coordinator; conf/fairness.conf has each with its reason.
 *
 * @param tick how often time-outs are looked at
 * @param workerSilence a worker that sends no table for so long has lost its slots
 * @param demandSilence a demand that is not repeated for so long is over
 * @param grantExpiry a grant that nobody has acknowledged for so long is reclaimed
 * @param recallGrace how long a ticket may lie unused before others get the slot
 * @param adoption how long a new coordinator listens before it grants slots of a pool that has a
 *     cluster-wide bound
 * @param standDown how long a coordinator that saw a higher epoch keeps still before it claims anew
 * @param claimBackoffMin first pause after a failed claim of an epoch
 * @param claimBackoffMax longest such pause
 * @param liftCreditCost what a tenant that starts to wait may have more than others, in weighted
 *     tokens
 * @param smallShare the part of a pool's slots that is kept for small requests, 0 to below 1
 * @param smallCostMax a request is small when its estimate is not above so many weighted tokens
 * @param outlookInterval a tenant that waits is told what it may expect at most so often
 * @param tenantsMax tenants remembered per pool
 * @param poolsMax pools
 * @param snapshotMax tenants in one page of a snapshot
 */
public record FairnessSettings(
    Duration tick,
    Duration workerSilence,
    Duration demandSilence,
    Duration grantExpiry,
    Duration recallGrace,
    Duration adoption,
    Duration standDown,
    Duration claimBackoffMin,
    Duration claimBackoffMax,
    double liftCreditCost,
    double smallShare,
    double smallCostMax,
    Duration outlookInterval,
    int tenantsMax,
    int poolsMax,
    int snapshotMax) {

  /** Reads {@code rowhouse.fairness}. */
  public static FairnessSettings from(Config root) {
    Config conf = root.getConfig("rowhouse.fairness");
    return new FairnessSettings(
        conf.getDuration("tick"),
        conf.getDuration("worker-silence"),
        conf.getDuration("demand-silence"),
        conf.getDuration("grant-expiry"),
        conf.getDuration("recall-grace"),
        conf.getDuration("adoption"),
        conf.getDuration("stand-down"),
        conf.getDuration("claim-backoff-min"),
        conf.getDuration("claim-backoff-max"),
        conf.getDouble("lift-credit-cost"),
        conf.getDouble("small-share"),
        conf.getDouble("small-cost-max"),
        conf.getDuration("outlook-interval"),
        conf.getInt("tenants-max"),
        conf.getInt("pools-max"),
        conf.getInt("snapshot-max"));
  }
}
