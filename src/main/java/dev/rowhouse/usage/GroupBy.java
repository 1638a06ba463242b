package dev.rowhouse.usage;

/** How a query splits its buckets. */
public enum GroupBy {
  NOTHING,
  MODEL,
  KEY
}
