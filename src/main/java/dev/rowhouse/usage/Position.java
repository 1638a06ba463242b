package dev.rowhouse.usage;

import org.jspecify.annotations.Nullable;

/** Where a record stands in the journal. Its text form is the paging cursor. */
public record Position(long segment, long sequence, int index) implements Comparable<Position> {
  /** Before every record. */
  public static final Position START = new Position(0, 0, 0);

  private static final int TEXT_LENGTH_MAX = 60;

  public Position {
    if (segment < 0 || sequence < 0 || index < 0) {
      throw new IllegalArgumentException("not a position: " + segment + "." + sequence);
    }
  }

  /** Reads a cursor; absent when it is none of ours. */
  public static @Nullable Position parse(String text) {
    String[] parts = text.length() > TEXT_LENGTH_MAX ? new String[0] : text.split("\\.", -1);
    if (parts.length != 3) {
      return null;
    }
    try {
      return new Position(
          Long.parseLong(parts[0]), Long.parseLong(parts[1]), Integer.parseInt(parts[2]));
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  @Override
  public int compareTo(Position other) {
    int bySegment = Long.compare(segment, other.segment);
    int bySequence = bySegment != 0 ? bySegment : Long.compare(sequence, other.sequence);
    return bySequence != 0 ? bySequence : Integer.compare(index, other.index);
  }

  @Override
  public String toString() {
    return segment + "." + sequence + "." + index;
  }
}
