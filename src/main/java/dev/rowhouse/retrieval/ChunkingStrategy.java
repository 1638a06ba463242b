package dev.rowhouse.retrieval;

/**
 * How a file is cut into chunks, in word pieces of the embedding model.
 *
 * <p>{@code auto} aims at 200 with one sentence of overlap. A static strategy is OpenAI's: a chunk
 * holds at most {@code maxChunkSizeTokens} (100 to 4,096) and repeats at most {@code
 * chunkOverlapTokens} (at most half of it) of the one before. A chunk never exceeds what the model
 * sees, so a larger maximum is honoured with smaller chunks.
 */
public record ChunkingStrategy(boolean auto, int maxChunkSizeTokens, int chunkOverlapTokens) {
  public static final int SIZE_TOKENS_MIN = 100;
  public static final int SIZE_TOKENS_MAX = 4096;
  private static final int AUTO_SIZE_TOKENS = 200;
  private static final int AUTO_OVERLAP_TOKENS = 60;
  public static final ChunkingStrategy AUTO =
      new ChunkingStrategy(true, AUTO_SIZE_TOKENS, AUTO_OVERLAP_TOKENS);

  public ChunkingStrategy {
    if (maxChunkSizeTokens < SIZE_TOKENS_MIN || maxChunkSizeTokens > SIZE_TOKENS_MAX) {
      throw new IllegalArgumentException(
          "max_chunk_size_tokens must be between 100 and 4096, not " + maxChunkSizeTokens);
    }
    if (chunkOverlapTokens < 0 || chunkOverlapTokens > maxChunkSizeTokens / 2) {
      throw new IllegalArgumentException(
          "chunk_overlap_tokens must be between 0 and half of max_chunk_size_tokens, not "
              + chunkOverlapTokens);
    }
  }

  public static ChunkingStrategy ofStatic(int maxChunkSizeTokens, int chunkOverlapTokens) {
    return new ChunkingStrategy(false, maxChunkSizeTokens, chunkOverlapTokens);
  }
}
