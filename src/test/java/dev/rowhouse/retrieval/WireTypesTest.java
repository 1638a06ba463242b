package dev.rowhouse.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
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
