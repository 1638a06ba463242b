package dev.rowhouse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.inference.RunControl;
import dev.rowhouse.retrieval.Retrieval;
import dev.rowhouse.serving.TenantEntity;
import java.io.NotSerializableException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import org.apache.pekko.serialization.Serializer;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class WireFormatTest {
  private static final Config CONFIG =
      ConfigFactory.parseResources("serialization.conf")
          .withFallback(ConfigFactory.parseString("pekko.actor.provider = local"));
  private static final String BINDINGS = "pekko.actor.serialization-bindings";

  private static final ActorTestKit KIT = ActorTestKit.create(CONFIG);
  private static final Serialization SERIALIZATION =
      SerializationExtension.get(Adapter.toClassic(KIT.system()));
  private static final WireSerializer WIRE =
      assertInstanceOf(WireSerializer.class, serializerFor(RunControl.Credit.class));
  private static final SampleValues SAMPLES =
      new SampleValues(WireFormat.TYPES, KIT.createTestProbe().ref());

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wireTypes")
  void everyTypeComesBackAsItWent(Class<?> type) throws Exception {
    for (Object sample : SAMPLES.of(type)) {
      byte[] bytes = WIRE.toBinary(sample);
      Object back = WIRE.fromBinary(bytes, WireFormat.VERSION);
      assertEquals(type, back.getClass());
      if (holdsAnArray(type)) {
        assertEquals(Arrays.toString(bytes), Arrays.toString(WIRE.toBinary(back)));
      } else {
        assertEquals(sample, back);
      }
    }
  }

  /** Records with an array are not equal to their like. */
  private static boolean holdsAnArray(Class<?> type) {
    return type.isRecord()
        && Arrays.stream(type.getRecordComponents()).anyMatch(one -> one.getType().isArray());
  }

  static List<Class<?>> wireTypes() {
    return WireFormat.TYPES;
  }

  @Test
  void collectionsOfEverySizeComeBack() throws Exception {
    for (int size = 0; size < 12; size++) {
      List<String> names = new ArrayList<>();
      for (int i = 0; i < size; i++) {
        names.add("name " + i);
      }
      for (List<String> list : List.of(names, List.copyOf(names), names.stream().toList())) {
        Object back = WIRE.fromBinary(WIRE.toBinary(list), WireFormat.VERSION);
        assertEquals(list, back);
      }
      Set<String> set = Set.copyOf(names);
      assertEquals(set, WIRE.fromBinary(WIRE.toBinary(set), WireFormat.VERSION));
      Map<String, Integer> map = new java.util.HashMap<>();
      names.forEach(name -> map.put(name, name.length()));
      assertEquals(map, WIRE.fromBinary(WIRE.toBinary(map), WireFormat.VERSION));
      assertEquals(map, WIRE.fromBinary(WIRE.toBinary(Map.copyOf(map)), WireFormat.VERSION));
    }
  }

  @Test
  void bytesOfEveryKindComeBack() throws Exception {
    ByteString one = ByteString.fromString("one");
    for (ByteString bytes :
        List.of(
            ByteString.emptyByteString(),
            one,
            one.drop(1),
            one.concat(ByteString.fromString("two")),
            one.concat(one).concat(one.take(2)).slice(2, 6),
            ByteString.fromArray(new byte[128 * 1024]))) {
      RunControl.Body body = new RunControl.Body(1, bytes, true);
      assertEquals(body, WIRE.fromBinary(WIRE.toBinary(body), WireFormat.VERSION));
    }
  }

  @Test
  void aClassThatIsNotListedIsRefused() {
    record Stranger(String name) {}
    assertThrows(IllegalArgumentException.class, () -> WIRE.toBinary(new Stranger("x")));
    assertThrows(
        IllegalArgumentException.class, () -> WIRE.toBinary(new java.util.concurrent.Semaphore(1)));
  }

  @Test
  void anotherVersionIsRefusedInWords() {
    byte[] bytes = WIRE.toBinary(new RunControl.Cancel());
    NotSerializableException refusal =
        assertThrows(NotSerializableException.class, () -> WIRE.fromBinary(bytes, "0123456789ab"));
    String words = String.valueOf(refusal.getMessage());
    assertTrue(words.contains("0123456789ab") && words.contains(WireFormat.VERSION), words);
  }

  @Test
  void theVersionIsTheSameForTheSameTypes() {
    assertTrue(WireFormat.VERSION.matches("[0-9a-f]{12}"));
  }

  @Test
  void aMessageCutShortIsRefused() {
    byte[] bytes = WIRE.toBinary(SAMPLES.of(TenantEntity.Admit.class).getFirst());
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThrows(NotSerializableException.class, () -> WIRE.fromBinary(cut, WireFormat.VERSION));
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void damagedBytesAreRefused(long seed) {
    Random random = new Random(seed);
    byte[] good = WIRE.toBinary(SAMPLES.of(TenantEntity.Settle.class).getFirst());
    for (int i = 0; i < 3_000; i++) {
      byte[] bytes = good.clone();
      if (i % 2 == 0) {
        bytes = new byte[random.nextInt(200)];
        random.nextBytes(bytes);
      } else {
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 + random.nextInt(255));
      }
      byte[] damaged = bytes;
      assertThrows(
          NotSerializableException.class, () -> WIRE.fromBinary(damaged, WireFormat.VERSION));
    }
  }

  @Test
  void whatARoomKeepsToItselfDoesNotTravel() {
    for (Class<?> type : WireFormat.TYPES) {
      assertTrue(
          java.lang.reflect.Modifier.isPublic(type.getModifiers())
              || Retrieval.wireTypes().contains(type),
          type.getName());
    }
  }

  @Test
  void confBindsEveryMessageOfEveryProtocol() {
    for (Class<?> root : WireFormat.PROTOCOLS) {
      for (Class<?> message : messages(root)) {
        assertEquals(
            WIRE.identifier(),
            serializerFor(message).identifier(),
            () -> message + " is not bound");
      }
    }
  }

  @Test
  void confBindsNothingThatIsNotInAProtocol() throws Exception {
    Set<Class<?>> known = new HashSet<>(WireFormat.TYPES);
    for (Class<?> bound : bound("rowhouse-wire")) {
      List<Class<?>> messages = messages(bound);
      // An open interface as root, SlotOwner, is the parent of two protocols.
      boolean isParent = WireFormat.PROTOCOLS.stream().anyMatch(bound::isAssignableFrom);
      assertTrue(
          isParent || (known.containsAll(messages) && !messages.isEmpty()),
          () -> bound + " is bound, and not in WireFormat");
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("journalTypes")
  void everyEventAndSnapshotComesBackFromTheJournal(Class<?> type) throws Exception {
    SampleValues samples = new SampleValues(List.of(), KIT.createTestProbe().ref());
    for (Object sample : samples.of(type)) {
      Serializer serializer = serializerFor(sample.getClass());
      assertEquals(JournalSerializer.class, serializer.getClass());
      String manifest = org.apache.pekko.serialization.Serializers.manifestFor(serializer, sample);
      byte[] bytes = SERIALIZATION.serialize(sample).get();
      Object back = SERIALIZATION.deserialize(bytes, serializer.identifier(), manifest).get();
      if (type.isRecord()) {
        assertEquals(sample, back);
      } else {
        assertEquals(Arrays.toString(bytes), Arrays.toString(SERIALIZATION.serialize(back).get()));
      }
    }
  }

  static Stream<Class<?>> journalTypes() throws Exception {
    return bound("jackson-cbor").stream().flatMap(root -> messages(root).stream());
  }

  private static Serializer serializerFor(Class<?> type) {
    try {
      return SERIALIZATION.serializerFor(type);
    } catch (NotSerializableException e) {
      throw new AssertionError(type + " is not bound", e);
    }
  }

  /** The concrete types that a binding of conf covers, public or not. */
  private static List<Class<?>> messages(Class<?> root) {
    if (root.isSealed()) {
      List<Class<?>> all = new ArrayList<>();
      for (Class<?> permitted : root.getPermittedSubclasses()) {
        if (java.lang.reflect.Modifier.isPublic(permitted.getModifiers())) {
          all.addAll(messages(permitted));
        }
      }
      return all;
    }
    return root.isInterface() ? List.of() : List.of(root);
  }

  private static List<Class<?>> bound(String serializer) throws ClassNotFoundException {
    List<Class<?>> classes = new ArrayList<>();
    for (var entry : CONFIG.getObject(BINDINGS).entrySet()) {
      if (entry.getValue().unwrapped().equals(serializer)) {
        classes.add(Class.forName(entry.getKey()));
      }
    }
    assertTrue(!classes.isEmpty());
    return classes;
  }

  @Test
  void aRefComesBackAsTheSameActor() throws Exception {
    var probe = KIT.createTestProbe(Object.class);
    TenantEntity.Admit admit =
        new TenantEntity.Admit(
            (dev.rowhouse.serving.Ask) SAMPLES.of(dev.rowhouse.serving.Ask.class).getFirst(),
            probe.ref());
    TenantEntity.Admit back =
        (TenantEntity.Admit) WIRE.fromBinary(WIRE.toBinary(admit), WireFormat.VERSION);
    back.gateway().tell("heard");
    probe.expectMessage("heard");
  }
}
