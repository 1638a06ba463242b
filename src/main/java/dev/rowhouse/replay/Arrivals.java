package dev.rowhouse.replay;

import dev.rowhouse.usage.UsageRecord;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The recorded requests that took a slot, in columns: a what-if holds all of them at once.
 *
 * <p>Left out is what never ran: what a cache answered, what nobody settled, and what no model
 * answered.
 */
final class Arrivals {
  private static final int ROWS_AT_FIRST = 1024;

  private final int max;
  private final Map<String, Integer> names = new HashMap<>();
  private final List<String> byNumber = new ArrayList<>();
  private long[] timeMillis = new long[ROWS_AT_FIRST];
  private int[] tenant = new int[ROWS_AT_FIRST];
  private int[] model = new int[ROWS_AT_FIRST];
  private int[] inputTokens = new int[ROWS_AT_FIRST];
  private int[] outputTokens = new int[ROWS_AT_FIRST];
  private int[] runMillis = new int[ROWS_AT_FIRST];
  private int[] queueMillis = new int[ROWS_AT_FIRST];
  private int count;
  private long leftOut;

  /** A time that was not recorded. */
  static final int UNKNOWN = -1;

  Arrivals(int max) {
    this.max = max;
  }

  void add(String tenantName, UsageRecord record) {
    if (record.status() == UsageRecord.Status.UNKNOWN
        || !record.cache().equals(UsageRecord.MISS)
        || record.answeredBy().isEmpty()) {
      leftOut++;
      return;
    }
    long run =
        record.latencyMillis() < 0
            ? UNKNOWN
            : Math.max(0, record.latencyMillis() - record.queueMillis());
    add(
        record.timeMillis(),
        number(tenantName),
        number(record.answeredBy()),
        clamp(record.inputTokens()),
        clamp(record.outputTokens()),
        clamp(run),
        clamp(record.queueMillis()));
  }

  void add(
      long time, int tenantNumber, int modelNumber, int input, int output, int run, int queue) {
    if (count >= max) {
      throw new ReplayProblem(
          400,
          "too_many_records",
          "from",
          "A what-if takes at most "
              + max
              + " requests (rowhouse.replay.what-if.records-max) and there are more; give a"
              + " shorter time, or name tenants.");
    }
    if (count == timeMillis.length) {
      grow(Math.min(max, count * 2));
    }
    timeMillis[count] = time;
    tenant[count] = tenantNumber;
    model[count] = modelNumber;
    inputTokens[count] = input;
    outputTokens[count] = output;
    runMillis[count] = run;
    queueMillis[count] = queue;
    count++;
  }

  private void grow(int length) {
    timeMillis = Arrays.copyOf(timeMillis, length);
    tenant = Arrays.copyOf(tenant, length);
    model = Arrays.copyOf(model, length);
    inputTokens = Arrays.copyOf(inputTokens, length);
    outputTokens = Arrays.copyOf(outputTokens, length);
    runMillis = Arrays.copyOf(runMillis, length);
    queueMillis = Arrays.copyOf(queueMillis, length);
  }

  private static int clamp(long value) {
    return Math.clamp(value, UNKNOWN, Integer.MAX_VALUE);
  }

  /** Tenants and models are numbered together. */
  int number(String name) {
    return names.computeIfAbsent(
        name,
        added -> {
          byNumber.add(added);
          return byNumber.size() - 1;
        });
  }

  String name(int number) {
    return byNumber.get(number);
  }

  int count() {
    return count;
  }

  long leftOut() {
    return leftOut;
  }

  long timeMillis(int row) {
    return timeMillis[row];
  }

  int tenant(int row) {
    return tenant[row];
  }

  int model(int row) {
    return model[row];
  }

  int inputTokens(int row) {
    return inputTokens[row];
  }

  int outputTokens(int row) {
    return outputTokens[row];
  }

  int runMillis(int row) {
    return runMillis[row];
  }

  int queueMillis(int row) {
    return queueMillis[row];
  }

  /** The rows of that model by time; those of one moment in the order of their adding. */
  int[] ofModel(int number) {
    long[] keys =
        IntStream.range(0, count).filter(row -> model[row] == number).asLongStream().toArray();
    return Arrays.stream(keys)
        .boxed()
        .sorted(
            (one, other) -> {
              int byTime = Long.compare(timeMillis[one.intValue()], timeMillis[other.intValue()]);
              return byTime != 0 ? byTime : Long.compare(one, other);
            })
        .mapToInt(Long::intValue)
        .toArray();
  }

  /** The models that any row names, by name. */
  int[] models() {
    return IntStream.range(0, count)
        .map(row -> model[row])
        .distinct()
        .boxed()
        .sorted((one, other) -> name(one).compareTo(name(other)))
        .mapToInt(Integer::intValue)
        .toArray();
  }
}
