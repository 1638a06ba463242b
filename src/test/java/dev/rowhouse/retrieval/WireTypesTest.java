package dev.rowhouse.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.esotericsoftware.kryo.kryo5.Kryo;
import com.esotericsoftware.kryo.kryo5.io.Input;
import com.esotericsoftware.kryo.kryo5.io.Output;
import com.esotericsoftware.kryo.kryo5.serializers.ImmutableCollectionsSerializers;
import dev.rowhouse.tenant.TenantId;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WireTypesTest {
  @Test
  void areRecordsAndEnumsEachOnce() {
    assertEquals(WireTypes.ALL.size(), new HashSet<>(WireTypes.ALL).size());
    for (Class<?> type : Retrieval.wireTypes()) {
      assertTrue(type.isRecord() || type.isEnum(), type.getName());
    }
  }

  @Test
  void keepTheirContentThroughKryo() {
    Kryo kryo = new Kryo();
    kryo.setRegistrationRequired(true);
    ImmutableCollectionsSerializers.registerSerializers(kryo);
    WireTypes.ALL.forEach(kryo::register);
    Passage passage =
        new Passage("file-1", "a", "default", 0, "H", "text", 0.5, 0.7, Map.of("n", 1L));
    for (Object sent :
        List.of(
            Retrieval.handleOf(new TenantId("acme")),
            new KnowledgeReply.Found(
                new SearchResult(new TenantId("acme"), List.of(passage), false)),
            new AttributeFilter.And(
                List.of(
                    new AttributeFilter.Comparison(AttributeFilter.Operator.EQ, "n", 1L),
                    new AttributeFilter.In("lang", List.of("en"), false))),
            new PageRequest(null, 5, true),
            new KnowledgeReply.Invalid("query", "empty"))) {
      Output output = new Output(1_024, 64 * 1_024);
      kryo.writeClassAndObject(output, sent);
      assertEquals(sent, kryo.readClassAndObject(new Input(output.toBytes())));
    }
  }

  @Test
  void holdWhateverARecordOfThemHolds() {
    for (Class<?> type : WireTypes.ALL) {
      if (type.isRecord()) {
        for (var component : type.getRecordComponents()) {
          Class<?> held = component.getType();
          boolean ours = held.getPackageName().equals("dev.rowhouse.retrieval");
          assertTrue(
              !ours || held.isInterface() || WireTypes.ALL.contains(held),
              type.getSimpleName() + " holds " + held.getSimpleName());
        }
      }
    }
  }
}
