package dev.rowhouse.tenant;

import com.google.crypto.tink.Aead;
import com.google.crypto.tink.KeysetHandle;
import com.google.crypto.tink.RegistryConfiguration;
import com.google.crypto.tink.TinkProtoKeysetFormat;
import com.google.crypto.tink.aead.PredefinedAeadParameters;
import com.typesafe.config.Config;
import dev.rowhouse.journal.JournalException;
import dev.rowhouse.journal.KeyStore;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Every tenant's data key: made at onboarding, wrapped by the {@link MasterKey} in the {@link
 * KeyStore}, gone for ever at offboarding.
 *
 * <p>Unwrapped keys are remembered for a while, a bounded number of them. A destruction is seen at
 * once on the node that does it; another node's memory holds the key until its time is over ({@code
 * rowhouse.tenant.data-keys.remembered}), and after that no node can open anything of it. The plain
 * methods block on the database; those that give a stage run on the blocking dispatcher.
 */
public final class DataKeys {
  /** What a look for a tenant's key comes to. */
  public sealed interface Lookup {}

  public record Held(DataKey key) implements Lookup {}

  /** The tenant never had one: it is unknown, or older than data keys. */
  public record None() implements Lookup {}

  public record Destroyed(int generation, Instant at) implements Lookup {}

  /** How long and how many keys are remembered. */
  public record Settings(Duration remembered, int rememberedMax) {
    public static Settings of(Config config) {
      Config keys = config.getConfig("rowhouse.tenant.data-keys");
      return new Settings(keys.getDuration("remembered"), keys.getInt("remembered-max"));
    }
  }

  /** The master key is not the one that wrapped what is stored. */
  public static final class WrongMasterKey extends RuntimeException {
    private static final long serialVersionUID = 1L;

    WrongMasterKey(@Nullable Throwable cause) {
      super("the master key does not open what it should have wrapped", cause);
    }
  }

  private record Remembered(DataKey key, long untilMillis) {}

  private static final String CHECK_NAME = "master-key-check";
  private static final String CHECK = "rowhouse";

  /** Each lost race is another node's key, which is then found. */
  private static final int TRIES_MAX = 8;

  private final KeyStore store;
  private final MasterKey master;
  private final InstantSource clock;
  private final Executor blocking;
  private final Settings settings;
  private final Map<TenantId, Remembered> remembered;

  private DataKeys(
      KeyStore store, MasterKey master, InstantSource clock, Executor blocking, Settings settings) {
    this.store = store;
    this.master = master;
    this.clock = clock;
    this.blocking = blocking;
    this.settings = settings;
    this.remembered =
        new LinkedHashMap<>(16, 0.75f, true) {
          @Override
          protected boolean removeEldestEntry(Map.Entry<TenantId, Remembered> eldest) {
            return size() > settings.rememberedMax();
          }
        };
  }

  /** Whether that store has anything that a master key wrapped; then no new one may be made. */
  public static boolean isInUse(KeyStore store) {
    return store.house(CHECK_NAME) != null || store.holdsKeys();
  }

  /**
   * Opens the keys; a store that another master key has wrapped is refused with {@link
   * WrongMasterKey}.
   */
  public static DataKeys open(
      KeyStore store, MasterKey master, InstantSource clock, Executor blocking, Settings settings) {
    DataKeys keys = new DataKeys(store, master, clock, blocking, settings);
    byte[] check = keys.house(CHECK_NAME, () -> CHECK.getBytes(StandardCharsets.UTF_8));
    if (!new String(check, StandardCharsets.UTF_8).equals(CHECK)) {
      throw new WrongMasterKey(null);
    }
    return keys;
  }

  /** The tenant's key as it is; never makes one. */
  public Lookup find(TenantId tenant) {
    DataKey known = known(tenant);
    if (known != null) {
      return new Held(known);
    }
    KeyStore.Generation row = store.latest(tenant.value());
    return row == null ? new None() : lookup(row);
  }

  public CompletionStage<Lookup> findLater(TenantId tenant) {
    DataKey known = known(tenant);
    return known != null
        ? CompletableFuture.completedFuture(new Held(known))
        : CompletableFuture.supplyAsync(() -> find(tenant), blocking);
  }

  /** The keys of those that have one, with one question to the database. */
  public Map<TenantId, DataKey> find(Collection<TenantId> tenants) {
    Map<TenantId, DataKey> found = new HashMap<>();
    List<String> asked = new ArrayList<>();
    for (TenantId tenant : tenants) {
      DataKey known = known(tenant);
      if (known == null) {
        asked.add(tenant.value());
      } else {
        found.put(tenant, known);
      }
    }
    if (!asked.isEmpty()) {
      for (KeyStore.Generation row : store.latest(asked)) {
        if (lookup(row) instanceof Held(DataKey key)) {
          found.put(key.tenant(), key);
        }
      }
    }
    return found;
  }

  /** The tenant's key; a new one when it has none or its last one was destroyed. */
  public DataKey obtain(TenantId tenant) {
    for (int tries = 0; tries < TRIES_MAX; tries++) {
      Lookup found = find(tenant);
      if (found instanceof Held(DataKey key)) {
        return key;
      }
      int next = found instanceof Destroyed(int generation, Instant _) ? generation + 1 : 1;
      store.add(tenant.value(), next, newKeyset(tenant, next), clock.instant());
    }
    throw new JournalException("no data key of " + tenant + " could be made", null);
  }

  public CompletionStage<DataKey> obtainLater(TenantId tenant) {
    DataKey known = known(tenant);
    return known != null
        ? CompletableFuture.completedFuture(known)
        : CompletableFuture.supplyAsync(() -> obtain(tenant), blocking);
  }

  /** Destroys the tenant's key; again is nothing new. */
  public Lookup destroy(TenantId tenant) {
    store.destroy(tenant.value(), clock.instant());
    forget(tenant);
    return find(tenant);
  }

  /** Opens what may have been sealed under any key that this tenant has had. */
  public DataKey.Opening open(TenantId tenant, DataKey.Purpose purpose, String text) {
    if (!DataKey.isSealed(text)) {
      return new DataKey.Opened(text.getBytes(StandardCharsets.UTF_8));
    }
    return switch (find(tenant)) {
      case Held(DataKey key) -> key.open(purpose, text);
      case Destroyed _ -> new DataKey.KeyDestroyed();
      case None _ -> new DataKey.Damaged();
    };
  }

  /** Forgets an unwrapped key; what is stored stays. */
  public void forget(TenantId tenant) {
    synchronized (remembered) {
      remembered.remove(tenant);
    }
  }

  /**
   * A secret of the house that every node shares, made by whoever needs it first.
   *
   * @param made what a new one is
   */
  byte[] house(String name, java.util.function.Supplier<byte[]> made) {
    try {
      for (int tries = 0; tries < TRIES_MAX; tries++) {
        byte[] wrapped = store.house(name);
        if (wrapped != null) {
          return master.unwrap(wrapped, name);
        }
        store.addHouse(name, master.wrap(made.get(), name), clock.instant());
      }
    } catch (GeneralSecurityException e) {
      throw new WrongMasterKey(e);
    }
    throw new JournalException("the key " + name + " could not be made", null);
  }

  private @Nullable DataKey known(TenantId tenant) {
    long now = clock.millis();
    synchronized (remembered) {
      Remembered there = remembered.get(tenant);
      if (there != null && there.untilMillis() <= now) {
        remembered.remove(tenant);
        return null;
      }
      return there == null ? null : there.key();
    }
  }

  private Lookup lookup(KeyStore.Generation row) {
    byte[] wrapped = row.wrapped();
    Instant destroyedAt = row.destroyedAt();
    if (wrapped == null) {
      return new Destroyed(row.generation(), destroyedAt == null ? row.createdAt() : destroyedAt);
    }
    TenantId tenant = new TenantId(row.tenant());
    DataKey key = unwrap(tenant, row.generation(), wrapped);
    synchronized (remembered) {
      remembered.put(
          tenant, new Remembered(key, clock.millis() + settings.remembered().toMillis()));
    }
    return new Held(key);
  }

  private DataKey unwrap(TenantId tenant, int generation, byte[] wrapped) {
    try {
      KeysetHandle handle =
          TinkProtoKeysetFormat.parseEncryptedKeyset(
              wrapped, master.aead(), name(tenant, generation));
      return new DataKey(
          tenant, generation, handle.getPrimitive(RegistryConfiguration.get(), Aead.class));
    } catch (GeneralSecurityException e) {
      throw new WrongMasterKey(e);
    }
  }

  private byte[] newKeyset(TenantId tenant, int generation) {
    try {
      KeysetHandle handle =
          KeysetHandle.generateNew(PredefinedAeadParameters.XAES_256_GCM_192_BIT_NONCE_NO_PREFIX);
      return TinkProtoKeysetFormat.serializeEncryptedKeyset(
          handle, master.aead(), name(tenant, generation));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("a data key cannot be made", e);
    }
  }

  private static byte[] name(TenantId tenant, int generation) {
    return ("data-key|" + tenant + "|" + generation).getBytes(StandardCharsets.UTF_8);
  }
}
