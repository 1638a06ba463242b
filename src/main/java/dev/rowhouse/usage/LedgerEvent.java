package dev.rowhouse.usage;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.List;
import java.util.Map;

/**
 * What a segment of a ledger holds. A new form of an event is a new name here, or a migration of
 * the old one; every form that ever was is kept as a fixture of the tests.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "@")
@JsonSubTypes({
  @JsonSubTypes.Type(value = LedgerEvent.SegmentOpened.class, name = "o"),
  @JsonSubTypes.Type(value = LedgerEvent.Recorded.class, name = "r")
})
public sealed interface LedgerEvent {

  /**
   * The first event of a segment. It changes no total: it says what its writer knew, for the people
   * and programs that verify the journal.
   *
   * @param segment the number that the Fence gave
   * @param totals the totals of all that was read
   * @param read the sequence number up to which each older segment was read
   */
  record SegmentOpened(
      @JsonProperty("s") long segment,
      @JsonProperty("t") long timeMillis,
      @JsonProperty("w") String owner,
      @JsonProperty("g") Totals totals,
      @JsonProperty("p") Map<Long, Long> read)
      implements LedgerEvent {
    public SegmentOpened {
      read = Map.copyOf(read);
    }
  }

  /**
   * One group commit.
   *
   * @param records what was settled; a start that nobody settled is among them as {@code unknown}
   * @param started what was started
   */
  record Recorded(
      @JsonProperty("r") List<UsageRecord> records, @JsonProperty("s") List<StartedEntry> started)
      implements LedgerEvent {
    public Recorded {
      records = List.copyOf(records);
      started = List.copyOf(started);
    }
  }
}
