package dev.rowhouse;

import dev.rowhouse.journal.UnreadableEvent;
import dev.rowhouse.tenant.SealedEvent;
import dev.rowhouse.tenant.TenantEvent;
import dev.rowhouse.usage.LedgerEvent;
import java.io.NotSerializableException;
import java.util.List;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.serialization.SerializerWithStringManifest;
import org.apache.pekko.serialization.jackson.JacksonCborSerializer;

/**
 * What the journal holds: Jackson's CBOR, under Jackson's number. An event of a tenant whose bytes
 * are damaged is read as an {@link UnreadableEvent}; here a failure would end every query that the
 * row is part of, and those by tag are part of many tenants' lives.
 */
public final class JournalSerializer extends SerializerWithStringManifest {
  /** Beginnings of the manifests of events that belong to one tenant. */
  private static final List<String> OF_TENANTS =
      List.of(
          LedgerEvent.class.getName(), TenantEvent.class.getName(), SealedEvent.class.getName());

  private final JacksonCborSerializer cbor;

  public JournalSerializer(ExtendedActorSystem system, String bindingName) {
    this.cbor = new JacksonCborSerializer(system, bindingName);
  }

  @Override
  public int identifier() {
    return cbor.identifier();
  }

  @Override
  public String manifest(Object value) {
    return cbor.manifest(value);
  }

  @Override
  public byte[] toBinary(Object value) {
    return cbor.toBinary(value);
  }

  @Override
  public Object fromBinary(byte[] bytes, String manifest) throws NotSerializableException {
    if (OF_TENANTS.stream().noneMatch(manifest::startsWith)) {
      return cbor.fromBinary(bytes, manifest);
    }
    try {
      return cbor.fromBinary(bytes, manifest);
    } catch (Exception damaged) {
      return new UnreadableEvent(damaged);
    }
  }
}
