package dev.rowhouse.replay;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.Csv;
import dev.rowhouse.usage.Located;
import dev.rowhouse.usage.RowFault;
import dev.rowhouse.usage.UsageRecord;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * Records as other systems take them: CloudEvents 1.0 (https://cloudevents.io) or CSV. The
 * attempt's id is the event's, so who receives an event twice can tell; the subject is the tenant,
 * by which metering systems bill.
 *
 * <p>A client's label that is sealed under the tenant's data key is left out: it is personal, and
 * may be erased.
 */
final class ExportLines {
  static final String TYPE = "dev.rowhouse.usage.record.v1";
  static final String FAULT_TYPE = "dev.rowhouse.usage.fault.v1";
  static final String HEADER =
      "tenant,id,time,key,model,answered_by,input_tokens,output_tokens,status,http_status,"
          + "error_code,stream,estimated,latency_ms,time_to_first_token_ms,queue_ms,cache,"
          + "cost_micros,passages,client_request_id\r\n";

  private static final String SEALED = "~1:";
  private static final JsonFactory FACTORY = new JsonFactory();

  /** Room for most lines, so that few buffers grow. */
  private static final int EVENT_LENGTH = 704;

  private static final int ROW_LENGTH = 224;

  private ExportLines() {}

  /** Bytes that are given away without a copy. */
  private static final class Bytes extends ByteArrayOutputStream {
    Bytes(int length) {
      super(length);
    }

    ByteString taken() {
      return ByteString.fromArrayUnsafe(buf, 0, count);
    }
  }

  static ByteString lines(ExportFormat format, TenantId tenant, List<Located> records) {
    return switch (format) {
      case CLOUDEVENTS -> events(tenant, records);
      case CSV -> csv(tenant, records);
    };
  }

  private static ByteString events(TenantId tenant, List<Located> records) {
    Bytes bytes = new Bytes(EVENT_LENGTH * records.size());
    TimeText times = new TimeText();
    String source = "/rowhouse/tenants/" + tenant.value();
    try (JsonGenerator json = FACTORY.createGenerator(bytes)) {
      json.setRootValueSeparator(null);
      for (Located located : records) {
        UsageRecord record = located.record();
        json.writeStartObject();
        json.writeStringField("specversion", "1.0");
        json.writeStringField("id", record.attempt());
        json.writeStringField("source", source);
        json.writeStringField("type", TYPE);
        json.writeStringField("time", times.of(record.timeMillis()));
        json.writeStringField("subject", tenant.value());
        json.writeStringField("datacontenttype", "application/json");
        json.writeObjectFieldStart("data");
        data(json, tenant, record);
        json.writeEndObject();
        json.writeEndObject();
        json.writeRaw('\n');
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.taken();
  }

  /** An event that says which row is missing among the others. */
  static ByteString fault(RowFault fault) {
    ObjectNode event =
        Json.object()
            .put("specversion", "1.0")
            .put("id", "fault-" + fault.tenant() + "-" + fault.segment() + "-" + fault.sequence())
            .put("source", "/rowhouse/tenants/" + fault.tenant().value())
            .put("type", FAULT_TYPE)
            .put("subject", fault.tenant().value())
            .put("datacontenttype", "application/json");
    event.set("data", Json.fault(fault));
    return Json.line(event);
  }

  private static void data(JsonGenerator json, TenantId tenant, UsageRecord record)
      throws IOException {
    json.writeStringField("tenant", tenant.value());
    json.writeStringField("key", record.keyId());
    json.writeStringField("model", record.modelAsked());
    json.writeStringField("answered_by", record.answeredBy());
    json.writeNumberField("input_tokens", record.inputTokens());
    json.writeNumberField("output_tokens", record.outputTokens());
    json.writeStringField("status", status(record));
    json.writeNumberField("http_status", record.httpStatus());
    if (record.errorCode() != null) {
      json.writeStringField("error_code", record.errorCode());
    }
    json.writeBooleanField("stream", record.stream());
    json.writeBooleanField("estimated", record.estimated());
    json.writeNumberField("latency_ms", record.latencyMillis());
    json.writeNumberField("time_to_first_token_ms", record.timeToFirstTokenMillis());
    json.writeNumberField("queue_ms", record.queueMillis());
    json.writeStringField("cache", record.cache());
    json.writeNumberField("cost_micros", record.costMicros());
    json.writeNumberField("passages", record.passages());
    String label = label(record);
    if (label != null) {
      json.writeStringField("client_request_id", label);
    }
  }

  private static ByteString csv(TenantId tenant, List<Located> records) {
    StringBuilder text = new StringBuilder(ROW_LENGTH * records.size());
    TimeText times = new TimeText();
    for (Located located : records) {
      UsageRecord record = located.record();
      String error = record.errorCode();
      String label = label(record);
      text.append(tenant.value()).append(',').append(record.attempt()).append(',');
      text.append(times.of(record.timeMillis())).append(',');
      text.append(Csv.field(record.keyId())).append(',');
      text.append(Csv.field(record.modelAsked())).append(',');
      text.append(Csv.field(record.answeredBy())).append(',');
      text.append(record.inputTokens()).append(',').append(record.outputTokens()).append(',');
      text.append(status(record)).append(',').append(record.httpStatus()).append(',');
      text.append(error == null ? "" : Csv.field(error)).append(',');
      text.append(record.stream()).append(',').append(record.estimated()).append(',');
      text.append(record.latencyMillis()).append(',');
      text.append(record.timeToFirstTokenMillis()).append(',');
      text.append(record.queueMillis()).append(',').append(Csv.field(record.cache())).append(',');
      text.append(record.costMicros()).append(',').append(record.passages()).append(',');
      text.append(label == null ? "" : Csv.field(label)).append("\r\n");
    }
    return ByteString.fromArrayUnsafe(text.toString().getBytes(StandardCharsets.UTF_8));
  }

  private static String status(UsageRecord record) {
    return switch (record.status()) {
      case COMPLETED -> "completed";
      case CANCELLED -> "cancelled";
      case FAILED -> "failed";
      case UNKNOWN -> "unknown";
    };
  }

  private static @Nullable String label(UsageRecord record) {
    String label = record.label();
    return label == null || label.startsWith(SEALED) ? null : label;
  }
}
