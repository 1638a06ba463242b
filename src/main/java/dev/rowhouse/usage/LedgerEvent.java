package dev.rowhouse.usage;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.rowhouse.journal.JournalException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a segment of a ledger holds. A new form of an event is a new name here, or a migration of
 * the old one; every form that ever was is kept as a fixture of the tests.
 *
 * <p>Each event carries its link of the segment's hash chain ({@link ChainLink}); those of the
 * first two forms of the journal have none.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "@")
@JsonSubTypes({
  @JsonSubTypes.Type(value = LedgerEvent.SegmentOpened.class, name = "o"),
  @JsonSubTypes.Type(value = LedgerEvent.Recorded.class, name = "r")
})
public sealed interface LedgerEvent {

  /** The SHA-256 that ends the chain here, in hex; absent in the events of old forms. */
  @Nullable String chain();

  /**
   * The first event of a segment. It changes no total: it says what its writer knew, for the people
   * and programs that verify the journal.
   *
   * @param segment the number that the Fence gave
   * @param totals the totals of all that was read
   * @param read the sequence number up to which older segments were read: those that no earlier
   *     opening had named there, so that a segment's cost does not grow with their number (the
   *     first form named all)
   * @param heads the chains of these there; empty text where that event is of an old form
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record SegmentOpened(
      @JsonProperty("s") long segment,
      @JsonProperty("t") long timeMillis,
      @JsonProperty("w") String owner,
      @JsonProperty("g") Totals totals,
      @JsonProperty("p") Map<Long, Long> read,
      @JsonProperty("n") Map<Long, String> heads,
      @JsonProperty("h") @Nullable String chain)
      implements LedgerEvent {
    public SegmentOpened {
      read = Map.copyOf(read);
      heads = orEmpty(heads);
    }

    /** One that is in no chain. */
    public SegmentOpened(
        long segment, long timeMillis, String owner, Totals totals, Map<Long, Long> read) {
      this(segment, timeMillis, owner, totals, read, Map.of(), null);
    }

    private static Map<Long, String> orEmpty(@Nullable Map<Long, String> heads) {
      return heads == null ? Map.of() : Map.copyOf(heads);
    }

    /** The same as the first link of the chain of that persistence id. */
    SegmentOpened chained(String persistenceId) {
      return new SegmentOpened(
          segment,
          timeMillis,
          owner,
          totals,
          read,
          heads,
          ChainLink.first(persistenceId, this).hash());
    }
  }

  /**
   * One group commit: what was settled (a start that nobody settled is among it as {@code unknown})
   * and what was started. The journal holds both as one {@link RecordPayload}; the chain is over
   * these very bytes.
   */
  final class Recorded implements LedgerEvent {
    private final byte[] payload;
    @JsonIgnore private final RecordPayload.Content content;
    private final @Nullable String chain;

    private Recorded(byte[] payload, RecordPayload.Content content, @Nullable String chain) {
      this.payload = payload;
      this.content = content;
      this.chain = chain;
    }

    /** One that is in no chain yet. */
    public Recorded(List<UsageRecord> records, List<StartedEntry> started) {
      this(new RecordPayload.Content(records, started));
    }

    private Recorded(RecordPayload.Content content) {
      this(RecordPayload.encode(content), content, null);
    }

    /** As the journal holds it. */
    @JsonCreator
    static Recorded stored(
        @JsonProperty("d") byte @Nullable [] payload, @JsonProperty("h") @Nullable String chain) {
      if (payload == null) {
        throw new JournalException("a group commit without its records", null);
      }
      return new Recorded(payload, RecordPayload.decode(payload), chain);
    }

    /** The same as the link of a chain after that hash. */
    Recorded chained(String previous) {
      return new Recorded(payload, content, ChainLink.next(previous, this).hash());
    }

    @JsonProperty("d")
    byte[] payload() {
      return payload;
    }

    @Override
    @JsonProperty("h")
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public @Nullable String chain() {
      return chain;
    }

    public List<UsageRecord> records() {
      return content.records();
    }

    public List<StartedEntry> started() {
      return content.started();
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Recorded that
          && Arrays.equals(payload, that.payload)
          && Objects.equals(chain, that.chain);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(payload);
    }

    @Override
    public String toString() {
      return "Recorded[" + records().size() + " records, " + started().size() + " started]";
    }
  }
}
