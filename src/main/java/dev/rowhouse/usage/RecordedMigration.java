package dev.rowhouse.usage;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.journal.JournalException;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.serialization.jackson.JacksonMigration;

/** Version 1 of a group commit had its records and starts as CBOR; version 2 has one payload. */
final class RecordedMigration extends JacksonMigration {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  @Override
  public int currentVersion() {
    return 2;
  }

  @Override
  public JsonNode transform(int fromVersion, JsonNode json) {
    ObjectNode event = (ObjectNode) json;
    RecordPayload.Content content =
        new RecordPayload.Content(
            values(event.remove("r"), UsageRecord.class),
            values(event.remove("s"), StartedEntry.class));
    return event.put("d", RecordPayload.encode(content));
  }

  private static <T> List<T> values(JsonNode array, Class<T> type) {
    try {
      List<T> values = new ArrayList<>();
      for (JsonNode node : array) {
        values.add(MAPPER.treeToValue(node, type));
      }
      return values;
    } catch (JsonProcessingException e) {
      throw new JournalException("not a group commit of version 1: " + e.getOriginalMessage(), e);
    }
  }
}
