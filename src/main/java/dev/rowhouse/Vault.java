package dev.rowhouse;

import com.typesafe.config.Config;
import dev.rowhouse.journal.JournalException;
import dev.rowhouse.journal.KeyStore;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.serving.Idempotency;
import dev.rowhouse.serving.IdempotencySettings;
import dev.rowhouse.tenant.ClusterSecret;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.MasterKey;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.typed.Cluster;

/** What is sealed and what seals it: opens the data keys, or says why a node must not start. */
final class Vault {
  private Vault() {}

  /** Answers kept for repetitions; what is over is removed as long as the node runs. */
  static Idempotency idempotency(
      ActorSystem<?> system,
      Storage storage,
      DataKeys keys,
      ClusterSecret secret,
      Executor blocking,
      InstantSource clock) {
    Cluster cluster = Cluster.get(system);
    Idempotency idempotency =
        new Idempotency(
            storage,
            keys,
            secret,
            clock,
            blocking,
            IdempotencySettings.of(system.settings().config()),
            cluster.selfMember().uniqueAddress().toString(),
            name -> isMember(cluster, name));
    Duration every = Duration.ofMillis(idempotency.settings().sweepMillis());
    system
        .scheduler()
        .scheduleWithFixedDelay(
            every,
            every,
            () -> blocking.execute(() -> sweep(system, idempotency)),
            system.executionContext());
    return idempotency;
  }

  private static void sweep(ActorSystem<?> system, Idempotency idempotency) {
    try {
      idempotency.sweep();
    } catch (JournalException e) {
      system.log().warn("idempotency keys that are over stay for now: {}", e.getMessage());
    }
  }

  private static boolean isMember(Cluster cluster, String name) {
    for (Member member : cluster.state().getMembers()) {
      if (member.uniqueAddress().toString().equals(name)) {
        return true;
      }
    }
    return false;
  }

  static DataKeys open(
      Path dataDirectory,
      Map<String, String> environment,
      Storage storage,
      Config config,
      Executor blocking,
      InstantSource clock) {
    try {
      KeyStore store = KeyStore.open(storage);
      MasterKey master =
          MasterKey.load(dataDirectory, environment, new SecureRandom(), !DataKeys.isInUse(store));
      if (master == null) {
        throw new StartFailure(
            StartFailure.MASTER_KEY,
            "The master key is missing: "
                + dataDirectory.resolve(MasterKey.FILE_NAME)
                + " is not there, and data of this journal is sealed under it. Restore the file, or"
                + " set "
                + MasterKey.VARIABLE
                + ".");
      }
      return DataKeys.open(store, master, clock, blocking, DataKeys.Settings.of(config));
    } catch (DataKeys.WrongMasterKey e) {
      throw new StartFailure(
          StartFailure.MASTER_KEY,
          "The master key is not the one that this journal's data is sealed under. Give the right"
              + " one in "
              + MasterKey.VARIABLE
              + " or "
              + dataDirectory.resolve(MasterKey.FILE_NAME)
              + ".");
    } catch (IOException | IllegalArgumentException e) {
      throw new StartFailure(
          StartFailure.MASTER_KEY, "The master key cannot be used: " + e.getMessage());
    } catch (JournalException e) {
      throw new StartFailure(
          StartFailure.JOURNAL, "The data keys cannot be read: " + e.getMessage());
    }
  }
}
