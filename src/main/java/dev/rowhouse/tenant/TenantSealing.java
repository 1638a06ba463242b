package dev.rowhouse.tenant;

import dev.rowhouse.journal.JournalException;
import dev.rowhouse.journal.UnreadableEvent;
import dev.rowhouse.tenant.DataKey.Purpose;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.persistence.typed.EventAdapter;
import org.apache.pekko.persistence.typed.EventSeq;
import org.apache.pekko.persistence.typed.SnapshotAdapter;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import org.apache.pekko.serialization.Serializer;
import org.apache.pekko.serialization.Serializers;
import org.jspecify.annotations.Nullable;

/**
 * The edge between a tenant's record and its journal: what has somebody's words in it is sealed on
 * the way in and opened on the way out, so the record itself knows of no keys. What was written
 * before there were data keys is read as it is; of what a destroyed key has sealed, what is left is
 * its {@link Blank}.
 */
public final class TenantSealing {
  private final Serialization serialization;

  public TenantSealing(ActorSystem<?> system) {
    this.serialization = SerializationExtension.get(system);
  }

  /** The form for the journal. */
  Object seal(TenantEvent event, @Nullable DataKey key) {
    return seal(
        event, Blank.of(event), key, event.tenant(), Purpose.TENANT_EVENT, SealedEvent::new);
  }

  Object seal(Tenant tenant, @Nullable DataKey key) {
    return seal(
        tenant, Blank.of(tenant), key, tenant.id(), Purpose.TENANT_SNAPSHOT, SealedTenant::new);
  }

  private interface Form<T> {
    Object of(T blank, int serializer, String manifest, byte[] sealed);
  }

  private <T> Object seal(
      T value, T blank, @Nullable DataKey key, TenantId tenant, Purpose purpose, Form<T> form) {
    if (blank.equals(value)) {
      return value;
    }
    if (key == null) {
      throw new IllegalStateException("nothing is written of " + tenant + " without its data key");
    }
    Serializer serializer = serialization.findSerializerFor(value);
    return form.of(
        blank,
        serializer.identifier(),
        Serializers.manifestFor(serializer, value),
        key.seal(purpose, serializer.toBinary(value)));
  }

  /**
   * The event that the journal has, whatever its form.
   *
   * @param key the tenant's key as it is now
   */
  public TenantEvent open(Object journaled, DataKeys.Lookup key) {
    return switch (journaled) {
      case TenantEvent event -> event;
      case SealedEvent sealed ->
          open(
              key,
              Purpose.TENANT_EVENT,
              sealed.sealed(),
              sealed.serializer(),
              sealed.manifest(),
              sealed.event(),
              TenantEvent.class,
              sealed.event().tenant());
      case UnreadableEvent unreadable ->
          throw new JournalException(
              "an event of a tenant's record is damaged: " + unreadable.failure().getMessage(),
              unreadable.failure());
      default -> throw new IllegalStateException("no event of a tenant: " + journaled.getClass());
    };
  }

  Tenant openSnapshot(Object journaled, DataKeys.Lookup key) {
    return switch (journaled) {
      case Tenant tenant -> tenant;
      case SealedTenant sealed ->
          open(
              key,
              Purpose.TENANT_SNAPSHOT,
              sealed.sealed(),
              sealed.serializer(),
              sealed.manifest(),
              sealed.tenant(),
              Tenant.class,
              sealed.tenant().id());
      default -> throw new IllegalStateException("no tenant: " + journaled.getClass());
    };
  }

  private <T> T open(
      DataKeys.Lookup lookup,
      Purpose purpose,
      byte[] sealed,
      int serializer,
      String manifest,
      T blank,
      Class<T> type,
      TenantId tenant) {
    if (lookup instanceof DataKeys.Destroyed) {
      return blank;
    }
    if (lookup instanceof DataKeys.Held(DataKey key)) {
      switch (key.open(purpose, sealed)) {
        case DataKey.Opened opened -> {
          return type.cast(serialization.deserialize(opened.bytes(), serializer, manifest).get());
        }
        case DataKey.KeyDestroyed _ -> {
          return blank;
        }
        case DataKey.Damaged _ -> {}
      }
    }
    throw new IllegalStateException(
        "the record of "
            + tenant
            + " holds something that its data key does not open: restore the journal and the table"
            + " rowhouse_data_keys from the same backup");
  }

  /** What a record hands to its event-sourced behaviour; the key may come later than recovery. */
  static final class Edge {
    private final TenantSealing sealing;
    private DataKeys.Lookup lookup;

    Edge(TenantSealing sealing, DataKeys.Lookup lookup) {
      this.sealing = sealing;
      this.lookup = lookup;
    }

    void key(DataKey key) {
      lookup = new DataKeys.Held(key);
    }

    @Nullable DataKey key() {
      return lookup instanceof DataKeys.Held(DataKey key) ? key : null;
    }

    EventAdapter<TenantEvent, Object> events() {
      return new EventAdapter<>() {
        @Override
        public Object toJournal(TenantEvent event) {
          return sealing.seal(event, key());
        }

        @Override
        public String manifest(TenantEvent event) {
          return "";
        }

        @Override
        public EventSeq<TenantEvent> fromJournal(Object journaled, String manifest) {
          return EventSeq.single(sealing.open(journaled, lookup));
        }
      };
    }

    SnapshotAdapter<Tenant> snapshots() {
      return new SnapshotAdapter<>() {
        @Override
        public Object toJournal(Tenant tenant) {
          return sealing.seal(tenant, key());
        }

        @Override
        public Tenant fromJournal(Object journaled) {
          return sealing.openSnapshot(journaled, lookup);
        }
      };
    }
  }
}
