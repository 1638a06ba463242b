package dev.rowhouse.tenant;

import com.typesafe.config.ConfigFactory;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.KeyStore;
import dev.rowhouse.journal.Storage;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Executor;

/** Real data keys in a database of their own; callers of other rooms get them here. */
public final class KeysFixture {
  public static final String MASTER = "a master key of forty characters, or so";

  private KeysFixture() {}

  /** A database in memory that is there until it is closed. */
  public static Database database() {
    return Database.open(
        ConfigFactory.parseMap(
            Map.of(
                "rowhouse.journal.jdbc.url",
                    "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1",
                "rowhouse.journal.jdbc.user", "rowhouse",
                "rowhouse.journal.jdbc.password", "",
                "rowhouse.journal.jdbc.connections", 4,
                "rowhouse.journal.jdbc.connection-timeout", "20s")));
  }

  public static DataKeys keys() {
    return keys(database(), Runnable::run);
  }

  public static DataKeys keys(Storage storage, Executor blocking) {
    return keys(storage, blocking, InstantSource.system(), MASTER);
  }

  static DataKeys keys(Storage storage, Executor blocking, InstantSource clock, String masterKey) {
    return DataKeys.open(
        KeyStore.open(storage),
        MasterKey.of(masterKey),
        clock,
        blocking,
        new DataKeys.Settings(Duration.ofSeconds(60), 2));
  }

  /** A key that nothing stores. */
  public static DataKey key(String tenant) {
    return keys().obtain(new TenantId(tenant));
  }
}
