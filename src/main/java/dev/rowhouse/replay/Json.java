package dev.rowhouse.replay;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.usage.RowFault;
import java.util.List;
import org.apache.pekko.util.ByteString;

/** Lines of JSON. */
final class Json {
  static final JsonMapper MAPPER = new JsonMapper();
  private static final ByteString NEW_LINE = ByteString.fromString("\n");

  private Json() {}

  static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  static ByteString line(JsonNode node) {
    try {
      return ByteString.fromArrayUnsafe(MAPPER.writeValueAsBytes(node)).concat(NEW_LINE);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of ours is always writable", e);
    }
  }

  static ObjectNode fault(RowFault fault) {
    return object()
        .put("tenant", fault.tenant().value())
        .put("segment", fault.segment())
        .put("sequence", fault.sequence())
        .put("persistence_id", "usage|" + fault.tenant().value() + "|" + fault.segment())
        .put("reason", fault.reason())
        .put(
            "what_to_do",
            "Keep a copy of the journal, then restore this row from a backup; totals without it are"
                + " not whole.");
  }

  static void faults(ObjectNode node, List<RowFault> faults) {
    node.put("complete", faults.isEmpty());
    if (!faults.isEmpty()) {
      ArrayNode all = node.putArray("faults");
      faults.forEach(fault -> all.add(fault(fault)));
    }
  }
}
