package dev.rowhouse.reporting;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Sql;
import dev.rowhouse.usage.UsageTag;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.cluster.sharding.typed.ShardedDaemonProcessSettings;
import org.apache.pekko.cluster.sharding.typed.javadsl.ShardedDaemonProcess;
import org.apache.pekko.japi.function.Function;
import org.apache.pekko.persistence.query.Offset;
import org.apache.pekko.persistence.query.Sequence;
import org.apache.pekko.persistence.query.TimeBasedUUID;
import org.apache.pekko.projection.ProjectionBehavior;
import org.apache.pekko.projection.ProjectionId;
import org.apache.pekko.projection.cassandra.javadsl.CassandraProjection;
import org.apache.pekko.projection.eventsourced.EventEnvelope;
import org.apache.pekko.projection.eventsourced.javadsl.EventSourcedProvider;
import org.apache.pekko.projection.javadsl.Handler;
import org.apache.pekko.projection.javadsl.SourceProvider;
import org.apache.pekko.projection.jdbc.JdbcSession;
import org.apache.pekko.projection.jdbc.javadsl.JdbcHandler;
import org.apache.pekko.projection.jdbc.javadsl.JdbcProjection;

/**
 * Fills the query tables from the journal: an instance for each tag, spread over the nodes that
 * have tenants. Events are taken in groups. On SQL the place in the journal moves in the
 * transaction that writes their rows (exactly once); the rows are idempotent besides, for what an
 * instance repeats that did not yet know that it had been replaced. On Cassandra that is all there
 * is: rows are written, then the place moves (at least once).
 */
final class UsageProjection {
  static final String NAME = "usage";

  private final UsageStore store;
  private final Executor blocking;
  private final InstantSource clock;
  private final String readJournal;

  private UsageProjection(
      UsageStore store, Executor blocking, InstantSource clock, String readJournal) {
    this.store = store;
    this.blocking = blocking;
    this.clock = clock;
    this.readJournal = readJournal;
  }

  /** Starts to fill the tables; makes that of the offsets on SQL, and blocks for it. */
  static void start(
      ActorSystem<?> system,
      UsageStore store,
      Executor blocking,
      InstantSource clock,
      ReportingSettings settings) {
    UsageProjection projection = prepared(system, store, blocking, clock, settings);
    List<String> tags = UsageTag.all();
    ShardedDaemonProcess.get(system)
        .init(
            ProjectionBehavior.Command.class,
            "usage-projection",
            tags.size(),
            number -> projection.behavior(system, tags.get(number)),
            ShardedDaemonProcessSettings.create(system).withRole("tenant"),
            Optional.of(ProjectionBehavior.stopMessage()));
  }

  static UsageProjection prepared(
      ActorSystem<?> system,
      UsageStore store,
      Executor blocking,
      InstantSource clock,
      ReportingSettings settings) {
    if (store instanceof SqlUsageStore sql) {
      JdbcProjection.createTablesIfNotExists(() -> new Session(sql.database()), system)
          .toCompletableFuture()
          .join();
    }
    return new UsageProjection(store, blocking, clock, settings.readJournal());
  }

  Behavior<ProjectionBehavior.Command> behavior(ActorSystem<?> system, String tag) {
    ProjectionId id = ProjectionId.of(NAME, tag);
    SourceProvider<Offset, EventEnvelope<Object>> events =
        EventSourcedProvider.eventsByTag(system, readJournal, tag);
    return ProjectionBehavior.create(
        switch (store) {
          case SqlUsageStore sql ->
              JdbcProjection.groupedWithin(
                  id,
                  events,
                  () -> new Session(sql.database()),
                  () -> new Rows(tag, clock),
                  system);
          case CqlUsageStore cql ->
              CassandraProjection.groupedWithin(
                  id, events, () -> new CqlRows(cql, blocking, tag, clock));
        });
  }

  /** A transaction on a connection of the house's pool. */
  private static final class Session implements JdbcSession {
    private final Connection connection;

    Session(Database database) {
      try {
        connection = database.connection();
        connection.setAutoCommit(false);
      } catch (SQLException e) {
        throw new IllegalStateException("no connection for the tables of usage", e);
      }
    }

    @Override
    public <R> R withConnection(Function<Connection, R> work) throws Exception {
      return work.apply(connection);
    }

    @Override
    public void commit() throws SQLException {
      connection.commit();
    }

    @Override
    public void rollback() throws SQLException {
      connection.rollback();
    }

    @Override
    public void close() throws SQLException {
      connection.setAutoCommit(true);
      connection.close();
    }
  }

  private static final class Rows extends JdbcHandler<List<EventEnvelope<Object>>, Session> {
    private final String tag;
    private final InstantSource clock;

    Rows(String tag, InstantSource clock) {
      this.tag = tag;
      this.clock = clock;
    }

    @Override
    public void process(Session session, List<EventEnvelope<Object>> events) throws Exception {
      Map<String, List<Placed>> byTenant = Placed.byTenant(events);
      long nowMillis = clock.millis();
      session.withConnection(
          connection -> {
            Sql sql = Sql.on(connection);
            for (Map.Entry<String, List<Placed>> tenant : byTenant.entrySet()) {
              RowWriter.write(sql, tenant.getKey(), tenant.getValue(), nowMillis);
            }
            move(sql, events.getLast().offset());
            return events.size();
          });
    }

    private void move(Sql sql, Offset offset) throws SQLException {
      if (offset instanceof Sequence sequence) {
        long to = sequence.value();
        String update = "update rowhouse_usage_progress set journal_offset = ? where tag = ?";
        if (sql.update(update, to, tag) == 0) {
          sql.update(
              "insert into rowhouse_usage_progress (journal_offset, tag) values (?, ?)", to, tag);
        }
      }
    }
  }

  /** Rows first, then the place in the journal: what was written without it is written again. */
  private static final class CqlRows extends Handler<List<EventEnvelope<Object>>> {
    private final CqlUsageStore store;
    private final Executor blocking;
    private final String tag;
    private final InstantSource clock;

    CqlRows(CqlUsageStore store, Executor blocking, String tag, InstantSource clock) {
      this.store = store;
      this.blocking = blocking;
      this.tag = tag;
      this.clock = clock;
    }

    @Override
    public CompletionStage<Done> process(List<EventEnvelope<Object>> events) {
      CompletableFuture<?>[] tenants =
          Placed.byTenant(events).entrySet().stream()
              .map(
                  tenant ->
                      CompletableFuture.runAsync(
                          () -> store.write(tenant.getKey(), tenant.getValue(), clock), blocking))
              .toArray(CompletableFuture<?>[]::new);
      return CompletableFuture.allOf(tenants)
          .thenApplyAsync(
              _ -> {
                if (events.getLast().offset() instanceof TimeBasedUUID place) {
                  store.move(tag, place.value());
                }
                return Done.getInstance();
              },
              blocking);
    }
  }
}
