package dev.rowhouse.reporting;

import dev.rowhouse.journal.Database;
import dev.rowhouse.usage.LedgerEvent;
import dev.rowhouse.usage.SegmentId;
import dev.rowhouse.usage.UsageTag;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.cluster.sharding.typed.ShardedDaemonProcessSettings;
import org.apache.pekko.cluster.sharding.typed.javadsl.ShardedDaemonProcess;
import org.apache.pekko.japi.function.Function;
import org.apache.pekko.persistence.query.Offset;
import org.apache.pekko.persistence.query.Sequence;
import org.apache.pekko.projection.ProjectionBehavior;
import org.apache.pekko.projection.ProjectionId;
import org.apache.pekko.projection.eventsourced.EventEnvelope;
import org.apache.pekko.projection.eventsourced.javadsl.EventSourcedProvider;
import org.apache.pekko.projection.jdbc.JdbcSession;
import org.apache.pekko.projection.jdbc.javadsl.JdbcHandler;
import org.apache.pekko.projection.jdbc.javadsl.JdbcProjection;

/**
 * Fills the query tables from the journal: an instance for each tag, spread over the nodes that
 * have tenants. Events are taken in groups, and the place in the journal moves in the transaction
 * that writes their rows (exactly once); the rows are idempotent besides, for what an instance
 * repeats that did not yet know that it had been replaced.
 */
public final class UsageProjection {
  static final String NAME = "usage";

  private final Database database;
  private final InstantSource clock;
  private final String readJournal;

  private UsageProjection(Database database, InstantSource clock, String readJournal) {
    this.database = database;
    this.clock = clock;
    this.readJournal = readJournal;
  }

  /** Starts to fill the tables; makes that of the offsets, and blocks for it. */
  public static void start(
      ActorSystem<?> system, Database database, InstantSource clock, ReportingSettings settings) {
    UsageProjection projection = prepared(system, database, clock, settings);
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
      ActorSystem<?> system, Database database, InstantSource clock, ReportingSettings settings) {
    JdbcProjection.createTablesIfNotExists(() -> new Session(database), system)
        .toCompletableFuture()
        .join();
    return new UsageProjection(database, clock, settings.readJournal());
  }

  Behavior<ProjectionBehavior.Command> behavior(ActorSystem<?> system, String tag) {
    return ProjectionBehavior.create(
        JdbcProjection.groupedWithin(
            ProjectionId.of(NAME, tag),
            EventSourcedProvider.<LedgerEvent>eventsByTag(system, readJournal, tag),
            () -> new Session(database),
            () -> new Rows(tag, clock),
            system));
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

  private static final class Rows extends JdbcHandler<List<EventEnvelope<LedgerEvent>>, Session> {
    private final String tag;
    private final InstantSource clock;

    Rows(String tag, InstantSource clock) {
      this.tag = tag;
      this.clock = clock;
    }

    @Override
    public void process(Session session, List<EventEnvelope<LedgerEvent>> events) throws Exception {
      Map<String, List<RowWriter.Placed>> byTenant = new LinkedHashMap<>();
      for (EventEnvelope<LedgerEvent> envelope : events) {
        SegmentId id = SegmentId.of(envelope.persistenceId());
        byTenant
            .computeIfAbsent(id.tenant().value(), _ -> new ArrayList<>())
            .add(
                new RowWriter.Placed(
                    id.number(),
                    envelope.sequenceNr(),
                    envelope.event(),
                    envelope.event().chain()));
      }
      long nowMillis = clock.millis();
      session.withConnection(
          connection -> {
            for (Map.Entry<String, List<RowWriter.Placed>> tenant : byTenant.entrySet()) {
              RowWriter.write(connection, tenant.getKey(), tenant.getValue(), nowMillis);
            }
            move(connection, events.getLast().offset());
            return events.size();
          });
    }

    private void move(Connection connection, Offset offset) throws SQLException {
      if (offset instanceof Sequence sequence) {
        String update = "update rowhouse_usage_progress set journal_offset = ? where tag = ?";
        if (move(connection, update, sequence.value()) == 0) {
          move(
              connection,
              "insert into rowhouse_usage_progress (journal_offset, tag) values (?, ?)",
              sequence.value());
        }
      }
    }

    private int move(Connection connection, String sql, long to) throws SQLException {
      try (PreparedStatement statement = connection.prepareStatement(sql)) {
        statement.setLong(1, to);
        statement.setString(2, tag);
        return statement.executeUpdate();
      }
    }
  }
}
