package dev.rowhouse;

import com.typesafe.config.Config;
import dev.rowhouse.audit.AuditLog;
import dev.rowhouse.audit.AuditSettings;
import dev.rowhouse.fairness.FairnessSettings;
import dev.rowhouse.journal.Fence;
import dev.rowhouse.replay.ReplaySettings;
import dev.rowhouse.replay.Replays;
import dev.rowhouse.reporting.Reporting;
import dev.rowhouse.reporting.ReportingSettings;
import dev.rowhouse.tenant.HouseCatalog;
import dev.rowhouse.tenant.RecordReader;
import dev.rowhouse.tenant.TenantDirectory;
import dev.rowhouse.tenant.TenantDirectoryProjector;
import dev.rowhouse.tenant.TenantSealing;
import dev.rowhouse.usage.LedgerSettings;
import dev.rowhouse.usage.UsageJournal;
import java.time.InstantSource;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.typed.ClusterSingleton;
import org.apache.pekko.cluster.typed.ClusterSingletonSettings;
import org.apache.pekko.cluster.typed.SingletonActor;

/** What a node reports from: the list of tenants, the audit log, the tables of usage. */
record Reports(TenantDirectory directory, AuditLog audit, Reporting reporting) {

  /** Opens them, in this order. */
  static Reports open(Foundation base, HouseCatalog house, LedgerSettings ledgers) {
    TenantDirectory directory = directory(base, house);
    AuditLog audit = audit(base);
    return new Reports(directory, audit, reporting(base, ledgers, audit));
  }

  static Replays replays(
      ActorSystem<?> system, Fence fence, LedgerSettings ledgers, InstantSource clock) {
    Config config = system.settings().config();
    ReplaySettings settings = ReplaySettings.of(config);
    return new Replays(
        system,
        new UsageJournal(system, fence, ledgers, settings.attemptsMax()),
        new RecordReader(system, ledgers.readJournal()),
        settings,
        FairnessSettings.from(config),
        clock);
  }

  private static TenantDirectory directory(Foundation base, HouseCatalog house) {
    TenantDirectory directory =
        new TenantDirectory(
            base.storage(),
            base.blocking(),
            house.defaultPlan(),
            base.keys(),
            new TenantSealing(base.system()));
    directory.createSchema();
    Config config = base.config();
    ClusterSingleton.get(base.system())
        .init(
            SingletonActor.of(
                    TenantDirectoryProjector.create(
                        directory,
                        config.getString("rowhouse.usage.read-journal"),
                        config.getDuration("rowhouse.tenant.directory.backoff-min"),
                        config.getDuration("rowhouse.tenant.directory.backoff-max")),
                    "tenant-directory")
                .withStopMessage(new TenantDirectoryProjector.Stop())
                .withSettings(ClusterSingletonSettings.create(base.system()).withRole("tenant")));
    return directory;
  }

  private static AuditLog audit(Foundation base) {
    AuditLog audit =
        AuditLog.open(
            base.system(),
            base.storage(),
            base.blocking(),
            base.data().path(),
            AuditSettings.of(base.config()));
    audit.through(base.singleton(audit.keeper(base.fence(), base.clock(), base.self()), "audit"));
    return audit;
  }

  private static Reporting reporting(Foundation base, LedgerSettings ledgers, AuditLog audit) {
    ReportingSettings settings = ReportingSettings.of(base.config());
    Reporting reporting =
        Reporting.of(
            base.system(),
            base.storage(),
            base.fence(),
            base.blocking(),
            base.clock(),
            settings,
            ledgers,
            new AuditWitness(audit));
    if (base.hasRole("tenant")) {
      reporting.start(base.system(), base.storage(), base.blocking(), base.clock(), settings);
    }
    return reporting;
  }
}
