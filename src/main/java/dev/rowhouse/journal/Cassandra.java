package dev.rowhouse.journal;

import com.datastax.oss.driver.api.core.ConsistencyLevel;
import com.datastax.oss.driver.api.core.CqlIdentifier;
import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.CqlSessionBuilder;
import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import com.datastax.oss.driver.api.core.DriverException;
import com.datastax.oss.driver.api.core.DriverTimeoutException;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverExecutionProfile;
import com.datastax.oss.driver.api.core.connection.ClosedConnectionException;
import com.datastax.oss.driver.api.core.cql.BatchStatementBuilder;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.DefaultBatchType;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.ResultSet;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.cql.Statement;
import com.datastax.oss.driver.api.core.servererrors.CASWriteUnknownException;
import com.datastax.oss.driver.api.core.servererrors.WriteFailureException;
import com.datastax.oss.driver.api.core.servererrors.WriteTimeoutException;
import com.datastax.oss.driver.internal.core.config.typesafe.DefaultDriverConfigLoader;
import com.datastax.oss.protocol.internal.util.Bytes;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigValueFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A session with Apache Cassandra in this house's keyspace.
 *
 * <p>Contact points, data centre, credentials and TLS are those of {@code datastax-java-driver},
 * which the event journal uses too; consistency is its profile {@code rowhouse}. Statements are
 * prepared once. Calls block: use them on the {@code rowhouse.blocking-dispatcher} only.
 *
 * <p>What must have one winner is a lightweight transaction. One that gets no answer in time may
 * have been applied, and may be applied later: {@link #decide} finds out by a read at the serial
 * level, which ends what is in flight.
 */
public final class Cassandra implements Storage {
  /** The driver's execution profile of our own tables. */
  static final String PROFILE = "rowhouse";

  /** Our statements are constant texts, some dozens for a room; more are prepared each time. */
  private static final int PREPARED_MAX = 1_000;

  /** Reads that look for the end of one transaction; each waits for the driver's time-out. */
  private static final int SERIAL_READS_MAX = 5;

  private final CqlSession session;
  private final String keyspace;
  private final ConsistencyLevel serial;
  private final Map<String, PreparedStatement> prepared = new ConcurrentHashMap<>();

  private Cassandra(CqlSession session, String keyspace) {
    this.session = session;
    this.keyspace = keyspace;
    DriverExecutionProfile profile = session.getContext().getConfig().getProfile(PROFILE);
    this.serial =
        DefaultConsistencyLevel.valueOf(
            profile.getString(DefaultDriverOption.REQUEST_SERIAL_CONSISTENCY));
  }

  /** Opens a session in the keyspace that {@code rowhouse.journal.cassandra} names. */
  public static Cassandra open(Config config) {
    String keyspace = keyspace(config);
    return connect(
        config, keyspace, builder(config).withKeyspace(CqlIdentifier.fromInternal(keyspace)));
  }

  /**
   * Like {@link #open}, for who makes table after table. Before it says that a table is there, the
   * driver waits until all nodes agree, and then, for others' sake, whether more changes come: a
   * second for each.
   */
  static Cassandra openForTables(Config config) {
    return open(
        config.withValue(
            "datastax-java-driver.advanced.metadata.schema.debouncer.window",
            ConfigValueFactory.fromAnyRef("1 ms")));
  }

  /** Opens a session outside the keyspace, which may not be there yet. */
  static Cassandra openOutside(Config config) {
    return connect(config, keyspace(config), builder(config));
  }

  private static Cassandra connect(Config config, String keyspace, CqlSessionBuilder builder) {
    try {
      return new Cassandra(builder.build(), keyspace);
    } catch (DriverException e) {
      throw new JournalException(
          "Cassandra at "
              + config.getStringList(ContactPoints.LIST)
              + " does not open keyspace "
              + keyspace
              + ": "
              + e.getMessage(),
          e);
    }
  }

  private static CqlSessionBuilder builder(Config config) {
    ContactPoints.requireOneKnown(config);
    // Who opens a session decides how long it is tried; the driver itself would try for ever.
    Config driver =
        config
            .getConfig("datastax-java-driver")
            .withValue("advanced.reconnect-on-init", ConfigValueFactory.fromAnyRef(false));
    return CqlSession.builder()
        .withConfigLoader(new DefaultDriverConfigLoader(() -> driver, false));
  }

  static String keyspace(Config config) {
    return config.getString("rowhouse.journal.cassandra.keyspace");
  }

  public String keyspace() {
    return keyspace;
  }

  /** The session itself, for what is not done by the methods here. */
  public CqlSession session() {
    return session;
  }

  /**
   * Runs a statement and gives its rows; further pages are fetched as the rows are read.
   *
   * @param cql a constant text: it is prepared once and kept
   */
  public ResultSet execute(String cql, @Nullable Object... values) {
    return run(bind(cql, values));
  }

  /** The first row of the answer, if there is any. */
  public @Nullable Row one(String cql, @Nullable Object... values) {
    return execute(cql, values).one();
  }

  /** All rows of an answer that the statement itself limits. */
  public List<Row> all(String cql, @Nullable Object... values) {
    return all(run(bind(cql, values)));
  }

  /** Like {@link #execute}, after every transaction on that partition that had begun before. */
  public ResultSet executeSerial(String cql, @Nullable Object... values) {
    return run(bind(cql, values).setConsistencyLevel(serial));
  }

  /** All of them or none, in the end: a logged batch, which is no transaction for readers. */
  public void executeTogether(List<BoundStatement> statements) {
    BatchStatementBuilder batch = new BatchStatementBuilder(DefaultBatchType.LOGGED);
    statements.forEach(batch::addStatement);
    run(batch.setExecutionProfileName(PROFILE).setIdempotence(true).build());
  }

  /** Like {@link #executeTogether} for rows of one partition: one write, and no batch log. */
  public void executeInOnePartition(List<BoundStatement> statements) {
    BatchStatementBuilder batch = new BatchStatementBuilder(DefaultBatchType.UNLOGGED);
    statements.forEach(batch::addStatement);
    run(batch.setExecutionProfileName(PROFILE).setIdempotence(true).build());
  }

  /** A statement with its values, for a batch or for options of its own. */
  public BoundStatement bind(String cql, @Nullable Object... values) {
    @Nullable Object[] bound = new @Nullable Object[values.length];
    for (int i = 0; i < values.length; i++) {
      bound[i] = values[i] instanceof byte[] bytes ? ByteBuffer.wrap(bytes) : values[i];
    }
    try {
      return prepare(cql).bind(bound).setExecutionProfileName(PROFILE).setIdempotent(true);
    } catch (DriverException | IllegalStateException e) {
      throw failed(e);
    }
  }

  public ResultSet run(Statement<?> statement) {
    try {
      return session.execute(statement);
    } catch (DriverException | IllegalStateException e) {
      // IllegalStateException: the session is closed.
      throw failed(e);
    }
  }

  /** What is known of a lightweight transaction. */
  public sealed interface Outcome {
    record Applied() implements Outcome {}

    /**
     * The condition did not hold.
     *
     * @param row what was there instead, beside the column {@code [applied]}
     */
    record Refused(Row row) implements Outcome {}

    /** It may have been applied, and may be applied later. */
    record Unknown(RuntimeException failure) implements Outcome {}
  }

  /** Tries a lightweight transaction once. Whoever gets Unknown reads at the serial level. */
  public Outcome attempt(String cql, @Nullable Object... values) {
    // Not idempotent: were the driver to repeat it, our own first try would refuse the second.
    return attempt(bind(cql, values).setIdempotent(false));
  }

  private Outcome attempt(Statement<?> statement) {
    try {
      ResultSet answer = session.execute(statement);
      Row row = answer.one();
      return row == null || row.getBoolean("[applied]")
          ? new Outcome.Applied()
          : new Outcome.Refused(row);
    } catch (WriteTimeoutException
        | WriteFailureException
        | CASWriteUnknownException
        | DriverTimeoutException
        | ClosedConnectionException e) {
      return new Outcome.Unknown(e);
    } catch (DriverException | IllegalStateException e) {
      throw failed(e);
    }
  }

  /**
   * Tries a lightweight transaction, and finds out how it ended.
   *
   * @param isOurs reads with {@link #executeSerial} whether what is there was written by this call
   * @return false: the condition did not hold, or it was not applied and never will be
   */
  public boolean decide(BooleanSupplier isOurs, String cql, @Nullable Object... values) {
    return decide(isOurs, attempt(cql, values));
  }

  /** Like the other, for conditional statements of one partition: all of them or none. */
  public boolean decide(BooleanSupplier isOurs, List<BoundStatement> statements) {
    if (statements.size() == 1) {
      return decide(isOurs, attempt(statements.getFirst().setIdempotent(false)));
    }
    BatchStatementBuilder batch = new BatchStatementBuilder(DefaultBatchType.UNLOGGED);
    statements.forEach(batch::addStatement);
    return decide(
        isOurs, attempt(batch.setExecutionProfileName(PROFILE).setIdempotence(false).build()));
  }

  private static boolean decide(BooleanSupplier isOurs, Outcome outcome) {
    return switch (outcome) {
      case Outcome.Applied _ -> true;
      case Outcome.Refused _ -> false;
      case Outcome.Unknown unknown -> {
        JournalException last = failed(unknown.failure());
        for (int reads = 0; reads < SERIAL_READS_MAX; reads++) {
          try {
            yield isOurs.getAsBoolean();
          } catch (JournalException e) {
            last = e;
          }
        }
        throw last;
      }
    };
  }

  /** A column of bytes. */
  public static byte @Nullable [] bytes(Row row, String column) {
    ByteBuffer buffer = row.getByteBuffer(column);
    return buffer == null ? null : Bytes.getArray(buffer);
  }

  /** Runs a text that is not worth preparing, such as one that makes a table. */
  void executeOnce(String cql) {
    run(SimpleStatement.newInstance(cql).setExecutionProfileName(PROFILE));
  }

  private PreparedStatement prepare(String cql) {
    PreparedStatement known = prepared.get(cql);
    if (known != null) {
      return known;
    }
    PreparedStatement made = session.prepare(cql);
    if (prepared.size() < PREPARED_MAX) {
      prepared.put(cql, made);
    }
    return made;
  }

  private static List<Row> all(ResultSet rows) {
    try {
      return rows.all();
    } catch (DriverException e) {
      throw failed(e);
    }
  }

  private static JournalException failed(RuntimeException e) {
    return new JournalException("Cassandra did not do it: " + e.getMessage(), e);
  }

  @Override
  public @Nullable Path localDirectory() {
    return null;
  }

  @Override
  public void close() {
    session.close();
  }
}
