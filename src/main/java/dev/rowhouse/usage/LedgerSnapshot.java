package dev.rowhouse.usage;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Map;

/**
 * All that a ledger knows, at the positions that it says, packed into rows of numbers because it is
 * written again and again. It is a shortcut and no truth: it can be made again from the events. The
 * rows are those of the {@code pack} methods of the parts; strings stand in {@code names} once.
 *
 * <p>A class and not a record, because its arrays are the compact form in CBOR; nobody changes them
 * after it was made.
 */
final class LedgerSnapshot {
  /** A snapshot of another version is not read; the ledger is then rebuilt from the events. */
  static final int VERSION = 2;

  @JsonProperty("v")
  int version;

  @JsonProperty("z")
  String zone = "";

  /** When it was made, since 1970-01-01T00:00Z. */
  @JsonProperty("t")
  long timeMillis;

  @JsonProperty("g")
  Totals totals = Totals.NONE;

  /** (segment, sequence) up to which it has read. */
  @JsonProperty("p")
  long[] read = {};

  /** The heads of chains that no opening has named; those of old segments are absent. */
  @JsonProperty("c")
  Map<Long, String> heads = Map.of();

  @JsonProperty("d")
  List<String> names = List.of();

  /** The time of the newest record, by which roll-ups age. */
  @JsonProperty("w")
  long newestMillis;

  @JsonProperty("b")
  long[] minutes = {};

  @JsonProperty("h")
  long[] hours = {};

  @JsonProperty("y")
  long[] days = {};

  @JsonProperty("m")
  long[] months = {};

  @JsonProperty("l")
  long[] lastMinute = {};

  /** (key, year, month, requests, input, output, cost) */
  @JsonProperty("n")
  long[] keyMonths = {};

  /** (key, second, requests, tokens) */
  @JsonProperty("e")
  long[] keyMinutes = {};

  /** All attempts minted since then are known. */
  @JsonProperty("k")
  long knownSinceMillis;

  /** (attempt high, attempt low, segment, sequence, index) of what counts. */
  @JsonProperty("a")
  long[] attempts = {};

  /** (segment, sequence, index) of records that do not count. */
  @JsonProperty("s")
  long[] skipped = {};

  @JsonProperty("q")
  List<String> doubtful = List.of();

  @JsonProperty("o")
  List<StartedEntry> open = List.of();

  /** Those of the open ones that may have been settled before they were known. */
  @JsonProperty("j")
  List<String> unsure = List.of();

  @JsonProperty("u")
  List<UsageRecord> unknown = List.of();
}
