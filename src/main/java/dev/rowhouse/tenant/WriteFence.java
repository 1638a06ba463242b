package dev.rowhouse.tenant;

import java.util.concurrent.CompletionStage;

/**
 * What this room needs of the house's Fence: increasing numbers for a name, of which only the
 * holder of the latest may write under that name.
 */
public interface WriteFence {
  /** A number that is higher than any before for that name. */
  CompletionStage<Long> claim(String name);

  /** Whether nobody has claimed that name since. */
  CompletionStage<Boolean> isLatest(String name, long number);
}
