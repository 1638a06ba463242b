package dev.rowhouse.tenant;

import dev.rowhouse.journal.Storage;
import dev.rowhouse.tenant.TenantProfile.Status;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * All tenants in one table, for the operator's list: a projection of the tenants' records, so that
 * listing wakes no tenant. It follows the journal within a second or so; what a single tenant is,
 * its record says.
 *
 * <p>{@link TenantDirectoryProjector} fills it. The offset is kept beside the rows, and moves only
 * from where the writer found it: of two writers one fails and reads again.
 */
public final class TenantDirectory implements ErasureTarget {
  /** As many rows as a page may have; a longer list is read in pages. */
  public static final int LIMIT_MAX = 1_000;

  private final DirectoryTable table;
  private final Executor blocking;
  private final DataKeys keys;
  private final TenantSealing sealing;

  /**
   * A directory in that storage.
   *
   * @param blocking runs what waits for the database
   * @param defaultPlan the plan of a tenant that names none
   * @param keys what seals display names
   */
  public TenantDirectory(
      Storage storage,
      Executor blocking,
      String defaultPlan,
      DataKeys keys,
      TenantSealing sealing) {
    this.table = DirectoryTable.open(storage, defaultPlan);
    this.blocking = blocking;
    this.keys = keys;
    this.sealing = sealing;
  }

  /** One tenant of the list. */
  public record Row(
      TenantId tenant,
      Status status,
      String plan,
      @Nullable String displayName,
      Instant createdAt,
      Instant updatedAt) {
    Row named(@Nullable String name) {
      return new Row(tenant, status, plan, name, createdAt, updatedAt);
    }
  }

  /**
   * Some tenants, by id.
   *
   * @param hasMore whether others follow the last one
   */
  public record Page(List<Row> rows, boolean hasMore) {
    public Page {
      rows = List.copyOf(rows);
    }
  }

  /**
   * Which tenants are asked for.
   *
   * @param after the id after which the page begins; absent: the first page
   * @param limit rows of the page, 1 to 1,000
   * @param status only tenants of that status; absent: of any
   * @param plan only tenants of that plan; absent: of any
   */
  public record Query(
      @Nullable String after, int limit, @Nullable Status status, @Nullable String plan) {
    public Query {
      if (limit < 1 || limit > LIMIT_MAX) {
        throw new IllegalArgumentException("limit must be between 1 and " + LIMIT_MAX);
      }
    }
  }

  /** Makes the tables on SQL where they are missing; blocks, for the start of a node. */
  public void createSchema() {
    table.createSchema();
  }

  /** The tenants that are asked for, by id. */
  public CompletionStage<Page> list(Query query) {
    return run(() -> read(query));
  }

  /** Whether there is or was a tenant of that name; one that was offboarded counts. */
  public CompletionStage<Boolean> contains(String tenant) {
    return run(() -> table.contains(tenant));
  }

  private Page read(Query query) {
    List<Row> rows = table.read(query);
    boolean hasMore = rows.size() > query.limit();
    return new Page(opened(hasMore ? rows.subList(0, query.limit()) : rows), hasMore);
  }

  private List<Row> opened(List<Row> rows) {
    List<TenantId> sealed =
        rows.stream()
            .filter(row -> row.displayName() != null && DataKey.isSealed(row.displayName()))
            .map(Row::tenant)
            .toList();
    if (sealed.isEmpty()) {
      return rows;
    }
    Map<TenantId, DataKey> found = keys.find(sealed);
    return rows.stream().map(row -> row.named(opened(row, found.get(row.tenant())))).toList();
  }

  private static @Nullable String opened(Row row, @Nullable DataKey key) {
    String name = row.displayName();
    if (name == null || !DataKey.isSealed(name)) {
      return name;
    }
    return key != null && key.open(DataKey.Purpose.DISPLAY_NAME, name) instanceof DataKey.Opened is
        ? is.text()
        : null;
  }

  private @Nullable String sealed(TenantId tenant, @Nullable String name) {
    if (name == null) {
      return null;
    }
    return switch (keys.find(tenant)) {
      case DataKeys.Held(DataKey key) -> key.seal(DataKey.Purpose.DISPLAY_NAME, name);
      case DataKeys.None _ -> keys.obtain(tenant).seal(DataKey.Purpose.DISPLAY_NAME, name);
      case DataKeys.Destroyed _ -> null;
    };
  }

  @Override
  public String name() {
    return "directory";
  }

  @Override
  public CompletionStage<Map<String, Long>> count(TenantId tenant) {
    return run(() -> Map.of("display_names", table.countNames(tenant.value())));
  }

  @Override
  public CompletionStage<?> erase(TenantId tenant) {
    return run(
        () -> {
          table.eraseName(tenant.value());
          return true;
        });
  }

  /** An event, as it was journaled or opened, and where it stands. */
  record Envelope(Object journaled, TenantId tenant, long sequenceNumber, String offset) {
    Envelope(TenantEvent event, long sequenceNumber, String offset) {
      this(event, event.tenant(), sequenceNumber, offset);
    }
  }

  /** How far the journal was read; empty: not at all. */
  CompletionStage<String> offset() {
    return run(table::offset);
  }

  /**
   * Writes those events and moves the offset.
   *
   * @param from the offset after which the events were read
   * @return the offset of the last event
   */
  CompletionStage<String> write(String from, List<Envelope> events) {
    return run(
        () -> {
          String until = events.getLast().offset();
          table.write(from, until, events.stream().map(this::change).toList());
          return until;
        });
  }

  private DirectoryTable.Change change(Envelope envelope) {
    TenantEvent event = sealing.open(envelope.journaled(), keys.find(envelope.tenant()));
    String name = null;
    if (event instanceof TenantEvent.Onboarded onboarded) {
      name = onboarded.spec().displayName();
    } else if (event instanceof TenantEvent.Configured configured) {
      name = configured.spec().displayName();
    }
    return new DirectoryTable.Change(
        event, envelope.sequenceNumber(), sealed(envelope.tenant(), name));
  }

  private <T> CompletionStage<T> run(Supplier<T> work) {
    return CompletableFuture.supplyAsync(work, blocking);
  }
}
