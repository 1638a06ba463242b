package dev.rowhouse;

import com.esotericsoftware.kryo.kryo5.Kryo;
import com.esotericsoftware.kryo.kryo5.Serializer;
import com.esotericsoftware.kryo.kryo5.io.Input;
import com.esotericsoftware.kryo.kryo5.io.Output;
import com.esotericsoftware.kryo.kryo5.serializers.ImmutableCollectionsSerializers;
import com.esotericsoftware.kryo.kryo5.util.Pool;
import java.io.NotSerializableException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.serialization.SerializerWithStringManifest;
import org.apache.pekko.util.ByteString;

/**
 * Messages between nodes, in Kryo. Every class that may travel is listed once, in {@link
 * WireFormat}; anything else is refused on both sides, so that a message cannot bring in a class.
 *
 * <p>The manifest is the version of the list: a node that reads another version says so instead of
 * reading rubbish.
 */
public final class WireSerializer extends SerializerWithStringManifest {
  /** Unique among the serializers of the system; 0 to 40 are Pekko's. */
  private static final int IDENTIFIER = 7_301;

  /** A message has at most a body piece of 128 KiB, so a larger one is a bug. */
  private static final int MESSAGE_BYTES_MAX = 64 * 1024 * 1024;

  private static final int BUFFER_BYTES = 1_024;

  /**
   * Each message ends with a checksum: Kryo trusts the lengths that it reads, and damaged ones
   * would make it ask for gigabytes.
   */
  private static final int CHECKSUM_BYTES = 4;

  /** Kryo instances are not thread-safe; this many are kept for reuse. */
  private static final int POOL_SIZE_MAX = 64;

  private final ExtendedActorSystem system;
  private final Pool<Kryo> kryos =
      new Pool<>(true, false, POOL_SIZE_MAX) {
        @Override
        protected Kryo create() {
          return newKryo();
        }
      };

  public WireSerializer(ExtendedActorSystem system) {
    this.system = system;
  }

  @Override
  public int identifier() {
    return IDENTIFIER;
  }

  @Override
  public String manifest(Object message) {
    return WireFormat.VERSION;
  }

  @Override
  public byte[] toBinary(Object message) {
    Kryo kryo = kryos.obtain();
    try {
      Output output = new Output(BUFFER_BYTES, MESSAGE_BYTES_MAX);
      kryo.writeClassAndObject(output, message);
      int length = output.position();
      output.writeInt(checksum(output.getBuffer(), length));
      return output.toBytes();
    } finally {
      kryos.free(kryo);
    }
  }

  @Override
  public Object fromBinary(byte[] bytes, String manifest) throws NotSerializableException {
    if (!manifest.equals(WireFormat.VERSION)) {
      throw new NotSerializableException(
          "a message of wire format " + manifest + "; this node reads " + WireFormat.VERSION);
    }
    int length = bytes.length - CHECKSUM_BYTES;
    if (length < 0 || checksum(bytes, length) != checksumIn(bytes, length)) {
      throw new NotSerializableException("a broken message: its checksum is wrong");
    }
    Kryo kryo = kryos.obtain();
    try {
      return kryo.readClassAndObject(new Input(bytes, 0, length));
    } catch (RuntimeException e) {
      NotSerializableException broken = new NotSerializableException("a broken message");
      broken.initCause(e);
      throw broken;
    } finally {
      kryos.free(kryo);
    }
  }

  /** CRC-32C, which the processor has an instruction for. */
  private static int checksum(byte[] bytes, int length) {
    CRC32C sum = new CRC32C();
    sum.update(bytes, 0, length);
    return (int) sum.getValue();
  }

  /** Kryo writes the lowest byte first. */
  private static int checksumIn(byte[] bytes, int at) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(at);
  }

  private Kryo newKryo() {
    Kryo kryo = new Kryo();
    kryo.setRegistrationRequired(true);
    kryo.setReferences(false);
    ImmutableCollectionsSerializers.registerSerializers(kryo);
    ActorRefSerializer refs = new ActorRefSerializer();
    kryo.addDefaultSerializer(ActorRef.class, refs);
    kryo.addDefaultSerializer(ByteString.class, new ByteStringSerializer());
    WireFormat.register(kryo, refs, new ByteStringSerializer());
    return kryo;
  }

  /** A ref travels as its path, and is resolved on the other side. */
  private final class ActorRefSerializer extends Serializer<ActorRef<?>> {
    @Override
    public void write(Kryo kryo, Output output, ActorRef<?> ref) {
      output.writeString(resolver().toSerializationFormat(ref));
    }

    @Override
    public ActorRef<?> read(Kryo kryo, Input input, Class<? extends ActorRef<?>> type) {
      return resolver().resolveActorRef(input.readString());
    }

    private ActorRefResolver resolver() {
      return ActorRefResolver.get(Adapter.toTyped(system));
    }
  }

  private static final class ByteStringSerializer extends Serializer<ByteString> {
    @Override
    public void write(Kryo kryo, Output output, ByteString bytes) {
      output.writeInt(bytes.size(), true);
      output.writeBytes(bytes.toArrayUnsafe());
    }

    @Override
    public ByteString read(Kryo kryo, Input input, Class<? extends ByteString> type) {
      return ByteString.fromArrayUnsafe(input.readBytes(input.readInt(true)));
    }
  }
}
