package dev.rowhouse.usage;

import dev.rowhouse.journal.JournalException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of one group commit: some forty a record, where CBOR has a hundred and forty.
 *
 * <p>Form 1: a byte with the form's number; the strings that recur (keys, models, errors, caches),
 * each once, in the order of their first use; the records; the starts; a CRC-32C over all of it.
 * Numbers are variable-length with seven bits a byte, those that may be negative in zigzag; times
 * are differences to the time that the attempt's id says, and that to the one before. Labels are
 * not among the recurring strings, for each is another.
 *
 * <p>The same content gives the same bytes, and a form never changes: the chain is over them. What
 * is damaged is refused with a {@link JournalException}, and costs no more memory than its length.
 */
final class RecordPayload {
  static final int FORM = 1;

  /** Less than any record or start needs, so that a count that is damaged allocates nothing big. */
  private static final int ENTRY_LENGTH_MIN = 12;

  private static final int CHECKSUM_LENGTH = Integer.BYTES;
  private static final long VERSION_7 = 0x7000L;
  private static final int RANDOM_A_MASK = 0xfff;
  private static final int STATUS_MASK = 0x3;
  private static final int STREAM = 0x4;
  private static final int ESTIMATED = 0x8;
  private static final int FLAGS_MASK = 0xf;

  /** The order is that of the journal and never changes. */
  private static final List<UsageRecord.Status> STATUSES =
      List.of(
          UsageRecord.Status.COMPLETED,
          UsageRecord.Status.CANCELLED,
          UsageRecord.Status.FAILED,
          UsageRecord.Status.UNKNOWN);

  /** What is in a group commit. */
  record Content(List<UsageRecord> records, List<StartedEntry> started) {
    Content {
      records = List.copyOf(records);
      started = List.copyOf(started);
    }
  }

  private RecordPayload() {}

  static byte[] encode(Content content) {
    Map<String, Integer> names = new LinkedHashMap<>();
    content.records().forEach(record -> collect(record, names));
    for (StartedEntry start : content.started()) {
      name(names, start.keyId());
      name(names, start.model());
    }
    PayloadWriter out = new PayloadWriter();
    out.octet(FORM);
    out.number(names.size());
    names.keySet().forEach(out::text);
    out.number(content.records().size());
    out.number(content.started().size());
    long before = 0;
    for (UsageRecord record : content.records()) {
      before = attempt(out, record.attempt(), before);
      record(out, record, before, names);
    }
    for (StartedEntry start : content.started()) {
      before = attempt(out, start.attempt(), before);
      out.signed(start.timeMillis() - before);
      out.number(index(names, start.keyId()));
      out.number(index(names, start.model()));
      out.number(start.estimateTokens());
    }
    out.fixedInt(checksum(out.array(), out.length()));
    return out.toByteArray();
  }

  private static void collect(UsageRecord record, Map<String, Integer> names) {
    name(names, record.keyId());
    name(names, record.modelAsked());
    name(names, record.answeredBy());
    name(names, record.cache());
    if (record.errorCode() != null) {
      name(names, record.errorCode());
    }
  }

  private static void name(Map<String, Integer> names, String name) {
    names.putIfAbsent(name, names.size());
  }

  private static int index(Map<String, Integer> names, String name) {
    @Nullable Integer index = names.get(name);
    if (index == null) {
      throw new IllegalStateException("not collected: " + name);
    }
    return index;
  }

  private static long attempt(PayloadWriter out, String attempt, long before) {
    UUID id = AttemptId.parse(attempt);
    long minted = AttemptId.mintedMillis(id);
    out.signed(minted - before);
    out.fixedShort((int) id.getMostSignificantBits() & RANDOM_A_MASK);
    out.fixedLong(id.getLeastSignificantBits());
    return minted;
  }

  private static void record(
      PayloadWriter out, UsageRecord record, long minted, Map<String, Integer> names) {
    out.signed(record.timeMillis() - minted);
    out.number(index(names, record.keyId()));
    out.number(index(names, record.modelAsked()));
    out.number(index(names, record.answeredBy()));
    out.number(record.inputTokens());
    out.number(record.outputTokens());
    out.octet(
        STATUSES.indexOf(record.status())
            | (record.stream() ? STREAM : 0)
            | (record.estimated() ? ESTIMATED : 0));
    out.signed(record.httpStatus());
    out.number(record.errorCode() == null ? 0 : index(names, record.errorCode()) + 1);
    out.signed(record.latencyMillis());
    out.signed(record.timeToFirstTokenMillis());
    out.signed(record.queueMillis());
    out.number(index(names, record.cache()));
    if (record.label() == null) {
      out.octet(0);
    } else {
      out.octet(1);
      out.text(record.label());
    }
    out.number(record.costMicros());
    out.number(record.passages());
  }

  static Content decode(byte[] payload) {
    try {
      return checked(payload);
    } catch (IllegalArgumentException | ArithmeticException | IndexOutOfBoundsException e) {
      throw new JournalException("the records of an event are damaged: " + e.getMessage(), e);
    }
  }

  private static Content checked(byte[] payload) {
    int end = payload.length - CHECKSUM_LENGTH;
    if (end < 1) {
      throw new IllegalArgumentException("only " + payload.length + " bytes");
    }
    PayloadReader in = new PayloadReader(payload, end);
    int form = in.octet();
    if (form != FORM) {
      throw new IllegalArgumentException("form " + form + " is not known to this version");
    }
    if (new PayloadReader(payload, end, payload.length).fixedInt() != checksum(payload, end)) {
      throw new IllegalArgumentException("the checksum does not fit");
    }
    String[] names = new String[in.count(1)];
    for (int i = 0; i < names.length; i++) {
      names[i] = in.text();
    }
    int records = in.count(ENTRY_LENGTH_MIN);
    int started = in.count(ENTRY_LENGTH_MIN);
    List<UsageRecord> settled = new ArrayList<>(records);
    long minted = 0;
    for (int i = 0; i < records; i++) {
      minted += in.signed();
      settled.add(record(in, attempt(in, minted), minted, names));
    }
    List<StartedEntry> starts = new ArrayList<>(started);
    for (int i = 0; i < started; i++) {
      minted += in.signed();
      starts.add(
          new StartedEntry(
              attempt(in, minted),
              minted + in.signed(),
              names[in.index()],
              names[in.index()],
              in.number()));
    }
    if (in.remaining() != 0) {
      throw new IllegalArgumentException(in.remaining() + " bytes too many");
    }
    return new Content(settled, starts);
  }

  private static String attempt(PayloadReader in, long minted) {
    long high =
        (minted << AttemptId.TIMESTAMP_SHIFT) | VERSION_7 | (in.fixedShort() & RANDOM_A_MASK);
    return AttemptId.format(high, in.fixedLong());
  }

  private static UsageRecord record(PayloadReader in, String attempt, long minted, String[] names) {
    long timeMillis = minted + in.signed();
    String keyId = names[in.index()];
    String modelAsked = names[in.index()];
    String answeredBy = names[in.index()];
    long inputTokens = in.number();
    long outputTokens = in.number();
    int flags = in.octet();
    if ((flags & ~FLAGS_MASK) != 0) {
      throw new IllegalArgumentException("flags " + flags);
    }
    int httpStatus = Math.toIntExact(in.signed());
    int error = in.index();
    return new UsageRecord(
        attempt,
        timeMillis,
        keyId,
        modelAsked,
        answeredBy,
        inputTokens,
        outputTokens,
        STATUSES.get(flags & STATUS_MASK),
        httpStatus,
        error == 0 ? null : names[error - 1],
        (flags & STREAM) != 0,
        (flags & ESTIMATED) != 0,
        in.signed(),
        in.signed(),
        in.signed(),
        names[in.index()],
        in.octet() == 0 ? null : in.text(),
        in.number(),
        in.index());
  }

  private static int checksum(byte[] bytes, int length) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes, 0, length);
    return (int) checksum.getValue();
  }
}
