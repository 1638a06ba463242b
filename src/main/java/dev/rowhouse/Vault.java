package dev.rowhouse;

import com.typesafe.config.Config;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.JournalException;
import dev.rowhouse.journal.KeyStore;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.MasterKey;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.Executor;

/** Opens the data keys at the start of a node, or says in one line why it must not start. */
final class Vault {
  private Vault() {}

  static DataKeys open(
      Path dataDirectory,
      Map<String, String> environment,
      Database database,
      Config config,
      Executor blocking,
      InstantSource clock) {
    try {
      KeyStore store = KeyStore.open(database);
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
