package dev.rowhouse.retrieval;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * Cuts a document into chunks: whole sentences under one heading, up to the wanted number of word
 * pieces, with the end of one repeated at the start of the next.
 *
 * <p>No character is lost: the chunks without their overlaps, joined, are the document (headings
 * stay in the text, before what they head). Fenced code stays whole where it fits. What is longer
 * than a chunk without an end of a sentence is cut at a line, then at a space, then anywhere.
 */
final class Chunker {
  /** Room for the markers and a heading's path, beside the text, in the model's 512 positions. */
  static final int TEXT_TOKENS_MAX = 440;

  private static final int PATH_TOKENS_MAX = BgeEmbedder.POSITIONS_MAX - TEXT_TOKENS_MAX - 2;

  private final ToLongFunction<String> tokens;
  private final int chunkCharsMax;
  private final int chunksMax;

  /** The document has more chunks than a file may have. */
  static final class TooManyChunks extends Exception {
    TooManyChunks(int chunksMax) {
      super("the file has more than " + chunksMax + " chunks");
    }
  }

  Chunker(ToLongFunction<String> tokens, int chunkCharsMax, int chunksMax) {
    this.tokens = tokens;
    this.chunkCharsMax = chunkCharsMax;
    this.chunksMax = chunksMax;
  }

  List<Chunk> chunk(String text, boolean markdown, ChunkingStrategy strategy) throws TooManyChunks {
    List<MarkdownSections.Section> sections =
        markdown ? MarkdownSections.parse(text) : MarkdownSections.plain(text);
    Packing packing = new Packing(strategy);
    for (MarkdownSections.Section section : sections) {
      if (section.kind() == MarkdownSections.Kind.HEADING) {
        packing.close();
        packing.heading = shortened(section.heading());
      }
      for (Unit unit : units(section, packing.sizeTokens)) {
        packing.add(unit);
      }
    }
    packing.close();
    return packing.chunks;
  }

  /** A path that takes too much of the model's positions keeps its end. */
  private String shortened(String path) {
    String rest = path;
    while (tokens.applyAsLong(rest) > PATH_TOKENS_MAX) {
      int separator = rest.indexOf(MarkdownSections.SEPARATOR);
      rest =
          separator < 0
              ? rest.substring(0, rest.length() / 2)
              : rest.substring(separator + MarkdownSections.SEPARATOR.length());
    }
    return rest;
  }

  private record Unit(String text, long tokens, boolean sentence) {}

  private List<Unit> units(MarkdownSections.Section section, int sizeTokens) {
    List<Unit> units = new ArrayList<>();
    switch (section.kind()) {
      case HEADING, CODE -> addFitting(section.text(), false, sizeTokens, units);
      case PROSE -> {
        for (String sentence : Sentences.split(section.text())) {
          addFitting(sentence, true, sizeTokens, units);
        }
      }
    }
    return units;
  }

  /** Adds the text as one unit, or its parts (cut where it hurts least) until they fit. */
  private void addFitting(String text, boolean sentence, int sizeTokens, List<Unit> units) {
    int from = 0;
    while (text.length() - from > chunkCharsMax) {
      int to = from + cut(text.substring(from, from + chunkCharsMax));
      addCounted(text.substring(from, to), sentence, sizeTokens, units);
      from = to;
    }
    addCounted(text.substring(from), sentence, sizeTokens, units);
  }

  private void addCounted(String text, boolean sentence, int sizeTokens, List<Unit> units) {
    long count = tokens.applyAsLong(text);
    if (count <= sizeTokens || text.length() < 3) {
      units.add(new Unit(text, count, sentence));
    } else {
      int cut = cut(text);
      addCounted(text.substring(0, cut), sentence, sizeTokens, units);
      addCounted(text.substring(cut), sentence, sizeTokens, units);
    }
  }

  /**
   * A place between the first and the last quarter: a line's end, else a space, else the middle.
   */
  private int cut(String text) {
    int least = text.length() / 4;
    int most = text.length() - least;
    int line = text.lastIndexOf('\n', most - 1) + 1;
    if (line > least) {
      return line;
    }
    int space = text.lastIndexOf(' ', most - 1) + 1;
    if (space > least) {
      return space;
    }
    int middle = text.length() / 2;
    return Character.isLowSurrogate(text.charAt(middle)) ? middle + 1 : middle;
  }

  private final class Packing {
    private final int sizeTokens;
    private final ChunkingStrategy strategy;
    private final List<Chunk> chunks = new ArrayList<>();
    private final List<Unit> open = new ArrayList<>();
    private String heading = "";
    private int overlapUnits;
    private long openTokens;
    private int openChars;

    Packing(ChunkingStrategy strategy) {
      this.strategy = strategy;
      this.sizeTokens = Math.min(strategy.maxChunkSizeTokens(), TEXT_TOKENS_MAX);
    }

    void add(Unit unit) throws TooManyChunks {
      if (!fits(unit) && open.size() > overlapUnits) {
        List<Unit> repeated = overlap();
        close();
        start(repeated);
        if (!fits(unit)) {
          start(List.of());
        }
      }
      open.add(unit);
      openTokens += unit.tokens();
      openChars += unit.text().length();
    }

    private boolean fits(Unit unit) {
      return openTokens + unit.tokens() <= sizeTokens
          && openChars + unit.text().length() <= chunkCharsMax;
    }

    /** The last sentences that may be repeated; {@code auto} repeats one. */
    private List<Unit> overlap() {
      List<Unit> repeated = new ArrayList<>();
      long sum = 0;
      for (int i = open.size() - 1; i >= overlapUnits; i--) {
        Unit unit = open.get(i);
        sum += unit.tokens();
        if (!unit.sentence()
            || sum > strategy.chunkOverlapTokens()
            || (strategy.auto() && !repeated.isEmpty())) {
          break;
        }
        repeated.addFirst(unit);
      }
      return repeated;
    }

    private void start(List<Unit> repeated) {
      open.clear();
      open.addAll(repeated);
      overlapUnits = repeated.size();
      openTokens = repeated.stream().mapToLong(Unit::tokens).sum();
      openChars = repeated.stream().mapToInt(unit -> unit.text().length()).sum();
    }

    /** Ends the open chunk; blank text joins the chunk before it, because nobody searches it. */
    void close() throws TooManyChunks {
      if (open.size() > overlapUnits) {
        StringBuilder text = new StringBuilder(openChars);
        open.forEach(unit -> text.append(unit.text()));
        int overlapChars = 0;
        for (Unit unit : open.subList(0, overlapUnits)) {
          overlapChars += unit.text().length();
        }
        put(text.toString(), overlapChars);
      }
      start(List.of());
    }

    private void put(String text, int overlapChars) throws TooManyChunks {
      String fresh = text.substring(overlapChars);
      if (fresh.isBlank() && !chunks.isEmpty()) {
        Chunk before = chunks.getLast();
        if (before.text().length() + fresh.length() <= chunkCharsMax) {
          chunks.set(
              chunks.size() - 1,
              new Chunk(
                  before.ordinal(),
                  before.heading(),
                  before.text() + fresh,
                  before.overlapChars()));
          return;
        }
      }
      if (chunks.size() >= chunksMax) {
        throw new TooManyChunks(chunksMax);
      }
      chunks.add(new Chunk(chunks.size(), heading, text, overlapChars));
    }
  }
}
