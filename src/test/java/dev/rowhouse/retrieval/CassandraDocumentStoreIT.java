package dev.rowhouse.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.CassandraProcess;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.tenant.KeysFixture;
import dev.rowhouse.tenant.TenantId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CassandraDocumentStoreIT extends DocumentStoreContract {
  private static final Instant LATER = NOW.plus(Duration.ofHours(3));

  private final Cassandra cassandra =
      CassandraProcess.keyspace("documents", "journal", "retrieval");
  private int test;

  @Override
  Storage storage() {
    return cassandra;
  }

  @Override
  Storage opened() {
    return Cassandra.open(CassandraProcess.config(cassandra.keyspace()));
  }

  @Override
  TenantId tenant(String name) {
    return new TenantId(name + test);
  }

  @Override
  @BeforeEach
  void makeStores() {
    test++;
    cassandra.execute("truncate rowhouse_knowledge_doubts");
    cassandra.execute("truncate rowhouse_knowledge_doubt_hours");
    super.makeStores();
  }

  @AfterAll
  void close() {
    cassandra.close();
  }

  private DocumentStore at(Instant now) {
    return CqlDocumentStore.open(
        cassandra, tenant("acme"), KeysFixture.keys(cassandra, Runnable::run), () -> now);
  }

  private long rows(String table) {
    return cassandra.all("select tenant from " + table).stream()
        .filter(row -> tenant("acme").value().equals(row.getString("tenant")))
        .count();
  }

  private int sweep() {
    return new UnfinishedUploads(cassandra, () -> LATER, Duration.ofHours(1), 100).sweep();
  }

  @Test
  void leavesNoRowOfAnUnfinishedUploadNorOfItsNotes() {
    acme.files().begin("half", "a.txt", "assistants", NOW);
    acme.files().append("half", 0, new byte[] {1}, 10);
    upload(acme, "whole", "text", NOW);
    assertEquals(1, sweep());
    assertEquals(2, rows("rowhouse_knowledge_pieces"));
    assertEquals(1, rows("rowhouse_knowledge_files"));
    assertEquals(1, cassandra.all("select hour from rowhouse_knowledge_doubt_hours").size());
  }

  @Test
  void goesOnWithTheDeletionOfAFile() {
    DocumentStore documents = at(NOW);
    upload(documents, "file-1", "one", NOW);
    complete(documents, "default", "file-1");
    // As a node that dies after the first step leaves it.
    UUID content =
        cassandra
            .all("select content from rowhouse_knowledge_files where tenant = ?", acmeName())
            .getFirst()
            .getUuid("content");
    new CqlDoubts(cassandra, () -> NOW)
        .write(acmeName(), CqlDoubts.Kind.FILE, "file-1", "", assertPresent(content));
    cassandra.execute(
        "update rowhouse_knowledge_files set status = 'deleting'"
            + " where tenant = ? and file_id = 'file-1' if status = 'processed'",
        acmeName());
    assertNull(acme.files().get("file-1"));
    assertFalse(acme.files().exists("file-1"));
    assertNull(acme.storeFiles().entry("default", "file-1"));
    assertTrue(acme.storeFiles().entries("default").isEmpty());
    sweep();
    assertNull(acme.storeFiles().get("default", "file-1"));
    for (String table : List.of("files", "pieces", "chunks")) {
      assertEquals(0, rows("rowhouse_knowledge_" + table), table);
    }
  }

  @Test
  void goesOnWithTheDeletionOfAStore() {
    DocumentStore documents = at(NOW);
    upload(documents, "file-1", "one", NOW);
    documents.stores().create("vs_1", "first", Map.of(), null, NOW);
    complete(documents, "vs_1", "file-1");
    documents.batches().create("vsfb_1", "vs_1", List.of("file-1"), NOW);
    UUID incarnation =
        UUID.fromString(assertPresent(documents.stores().version("vs_1")).incarnation());
    new CqlDoubts(cassandra, () -> NOW)
        .write(acmeName(), CqlDoubts.Kind.STORE, "vs_1", "", incarnation);
    cassandra.execute(
        "update rowhouse_knowledge_stores set deleted = true"
            + " where tenant = ? and store_id = 'vs_1' if incarnation = ?",
        acmeName(),
        incarnation);
    assertNull(acme.stores().get("vs_1"));
    assertEquals(1, acme.stores().count());
    sweep();
    for (String table : List.of("chunks", "batches")) {
      assertEquals(0, rows("rowhouse_knowledge_" + table), table);
    }
    assertEquals(1, rows("rowhouse_knowledge_store_ids"));
    assertTrue(acme.files().exists("file-1"));
  }

  @Test
  void removesChunksThatAreNobodysAndKeepsOthers() {
    DocumentStore documents = at(NOW);
    for (String id : List.of("file-1", "file-2")) {
      upload(documents, id, id, NOW);
      complete(documents, "default", id);
    }
    UUID lost = UUID.randomUUID();
    CqlDoubts doubts = new CqlDoubts(cassandra, () -> NOW);
    doubts.write(acmeName(), CqlDoubts.Kind.CHUNKS, "default", "file-1", lost);
    doubts.write(acmeName(), CqlDoubts.Kind.CHUNKS, "default", "file-2", attempt("file-2"));
    cassandra.execute(
        "insert into rowhouse_knowledge_chunks (tenant, attempt, ordinal, body)"
            + " values (?, ?, 0, 'late')",
        acmeName(),
        lost);
    assertEquals(3, rows("rowhouse_knowledge_chunks"));
    sweep();
    assertEquals(2, rows("rowhouse_knowledge_chunks"));
    assertEquals(1, documents.chunks().read("default", "file-2", 0, 10).size());
  }

  private UUID attempt(String file) {
    return assertPresent(
        assertPresent(
                cassandra.one(
                    "select attempt from rowhouse_knowledge_stores where tenant = ?"
                        + " and store_id = 'default' and kind = 0 and number = 0 and file_id = ?",
                    acmeName(),
                    file))
            .getUuid("attempt"));
  }

  private String acmeName() {
    return tenant("acme").value();
  }

  @Test
  void leavesNothingAfterAnErasure() {
    upload(acme, "file-1", "one", NOW);
    acme.files().begin("half", "a.txt", "assistants", NOW);
    acme.stores().create("vs_1", "other", Map.of(), null, NOW);
    complete(acme, "default", "file-1");
    complete(acme, "vs_1", "file-1");
    acme.batches().create("vsfb_1", "vs_1", List.of("file-1"), NOW);
    assertEquals(new DocumentStore.Removed(2, 2, 2), acme.erase());
    for (String table : List.of("files", "pieces", "store_ids", "stores", "chunks", "batches")) {
      assertEquals(0, rows("rowhouse_knowledge_" + table), table);
    }
  }
}
