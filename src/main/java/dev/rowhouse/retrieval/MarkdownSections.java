package dev.rowhouse.retrieval;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.commonmark.node.Block;
import org.commonmark.node.FencedCodeBlock;
import org.commonmark.node.Heading;
import org.commonmark.node.IndentedCodeBlock;
import org.commonmark.node.Node;
import org.commonmark.node.SourceSpan;
import org.commonmark.node.Text;
import org.commonmark.parser.IncludeSourceSpans;
import org.commonmark.parser.Parser;
import org.commonmark.parser.SourceLines;

/**
 * A document as a list of blocks, each with the path of its headings.
 *
 * <p>A block's text runs from its own start to the start of the next, so that the blocks' texts are
 * the whole document, whatever the parser left out between them.
 */
final class MarkdownSections {
  static final String SEPARATOR = " > ";
  private static final int HEADING_CHARS_MAX = 200;

  /**
   * A line of so many quotes or items inside each other that it is no document: the parser keeps a
   * block for each of them and recurses into them, so the text is taken as plain.
   */
  private static final Pattern NESTED =
      Pattern.compile("(?m)^(?:[ \\t]*(?:>|[-*+]|\\d{1,9}[.)])){50}");

  enum Kind {
    PROSE,
    CODE,
    HEADING
  }

  record Section(Kind kind, String heading, String text) {}

  private MarkdownSections() {}

  /** The one block of a plain text. */
  static List<Section> plain(String text) {
    return text.isEmpty() ? List.of() : List.of(new Section(Kind.PROSE, "", text));
  }

  static List<Section> parse(String text) {
    if (NESTED.matcher(text).find()) {
      return plain(text);
    }
    Parser parser =
        Parser.builder()
            .includeSourceSpans(IncludeSourceSpans.BLOCKS)
            .inlineParserFactory(_ -> MarkdownSections::keepRaw)
            .build();
    List<Start> starts = new ArrayList<>();
    String[] path = new String[6];
    for (Node node = parser.parse(text).getFirstChild(); node != null; node = node.getNext()) {
      List<SourceSpan> spans = node.getSourceSpans();
      if (spans.isEmpty() || !(node instanceof Block)) {
        continue;
      }
      if (node instanceof Heading heading) {
        path[heading.getLevel() - 1] = cut(title(heading));
        for (int below = heading.getLevel(); below < path.length; below++) {
          path[below] = "";
        }
      }
      starts.add(new Start(spans.getFirst().getInputIndex(), kind(node), join(path)));
    }
    return between(text, starts);
  }

  /** Blocks are all that is wanted; what is inside a line stays as it is, at no cost. */
  private static void keepRaw(SourceLines lines, Node node) {
    node.appendChild(new Text(lines.getContent()));
  }

  private static String title(Heading heading) {
    return heading.getFirstChild() instanceof Text raw
        ? SentenceScorer.plain(raw.getLiteral())
        : "";
  }

  private record Start(int index, Kind kind, String heading) {}

  private static List<Section> between(String text, List<Start> starts) {
    if (starts.isEmpty()) {
      return plain(text);
    }
    List<Section> blocks = new ArrayList<>();
    for (int i = 0; i < starts.size(); i++) {
      int from = i == 0 ? 0 : starts.get(i).index();
      int to = i + 1 < starts.size() ? starts.get(i + 1).index() : text.length();
      if (to > from) {
        Start start = starts.get(i);
        blocks.add(new Section(start.kind(), start.heading(), text.substring(from, to)));
      }
    }
    return blocks;
  }

  private static Kind kind(Node node) {
    if (node instanceof Heading) {
      return Kind.HEADING;
    }
    return node instanceof FencedCodeBlock || node instanceof IndentedCodeBlock
        ? Kind.CODE
        : Kind.PROSE;
  }

  private static String cut(String title) {
    return title.length() <= HEADING_CHARS_MAX ? title : title.substring(0, HEADING_CHARS_MAX);
  }

  private static String join(String[] path) {
    List<String> titles = new ArrayList<>();
    for (String title : path) {
      if (title != null && !title.isEmpty()) {
        titles.add(title);
      }
    }
    return String.join(SEPARATOR, titles);
  }
}
