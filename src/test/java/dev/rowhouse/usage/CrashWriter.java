package dev.rowhouse.usage;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/** Appends for ever and prints each attempt that was acknowledged, until somebody kills it. */
final class CrashWriter {
  static final String ACKNOWLEDGED = "ack ";
  private static final int BATCH_LENGTH = 7;

  private CrashWriter() {}

  public static void main(String[] arguments) {
    House house = House.open(Path.of(arguments[0]));
    ActorRef<UsageLedger.Command> ledger = house.ledger().ledger();
    while (true) {
      List<UsageRecord> batch =
          java.util.stream.Stream.generate(CrashWriter::fresh).limit(BATCH_LENGTH).toList();
      switch (house.append(ledger, batch, List.of())) {
        case LedgerReply.Appended appended ->
            batch.forEach(record -> System.out.println(ACKNOWLEDGED + record.attempt()));
        case LedgerReply.AppendFailed failed -> System.out.println(failed.reason());
      }
      System.out.flush();
    }
  }

  private static UsageRecord fresh() {
    String attempt = AttemptId.mint(Instant.now(), new java.security.SecureRandom());
    return Sample.record(attempt, Sample.NOON, 10, 5);
  }
}
