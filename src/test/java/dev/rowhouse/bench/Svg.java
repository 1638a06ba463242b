package dev.rowhouse.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * A drawing that is readable on light and on dark ground: text and lines follow the scheme of the
 * reader's browser, colours of data are of middle lightness.
 */
final class Svg {
  /** Colours of data, from 1. */
  private static final List<String> COLOURS =
      List.of(
          "#8a8a8a", "#b08d57", "#d1605e", "#4c8fbd", "#7b6fc4", "#4aa564", "#e08a1e", "#c957a0");

  private static final String STYLE =
      """
      <style>
        text { font-family: system-ui, sans-serif; font-size: 12px; fill: #24292f; }
        .title { font-size: 15px; font-weight: 600; }
        .note { font-size: 11px; fill: #57606a; }
        .grid { stroke: #d0d7de; stroke-width: 1; }
        .axis { stroke: #57606a; stroke-width: 1; }
        .goal { stroke: #57606a; stroke-width: 1; stroke-dasharray: 4 3; }
        .mark { stroke: #24292f; stroke-width: 1.5; fill: none; }
        .ground { fill: #ffffff; }
        @media (prefers-color-scheme: dark) {
          text { fill: #e6edf3; }
          .note { fill: #9198a1; }
          .grid { stroke: #3d444d; }
          .axis, .goal { stroke: #9198a1; }
          .mark { stroke: #e6edf3; }
          .ground { fill: #0d1117; }
        }
      </style>
      """;

  private final StringBuilder body = new StringBuilder();
  private final int width;
  private final int height;

  Svg(int width, int height, String description) {
    this.width = width;
    this.height = height;
    body.append("<title>").append(escaped(description)).append("</title>\n").append(STYLE);
    add(
        String.format(
            Locale.ROOT, "<rect class=\"ground\" width=\"%d\" height=\"%d\"/>", width, height));
  }

  void write(Path file) throws IOException {
    String head =
        String.format(
            Locale.ROOT,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\">%n",
            width,
            height);
    Files.writeString(file, head + body + "</svg>\n");
    System.out.println("written to " + file);
  }

  void text(double x, double y, String anchor, String style, String text) {
    add(
        String.format(
            Locale.ROOT,
            "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">%s</text>",
            x,
            y,
            anchor,
            style,
            escaped(text)));
  }

  void upwards(double x, double y, String text) {
    add(
        String.format(
            Locale.ROOT,
            "<text transform=\"translate(%.1f %.1f) rotate(-90)\" text-anchor=\"middle\">%s</text>",
            x,
            y,
            escaped(text)));
  }

  void line(double x1, double y1, double x2, double y2, String style) {
    add(
        String.format(
            Locale.ROOT,
            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>",
            x1,
            y1,
            x2,
            y2,
            style));
  }

  void range(double x1, double x2, double y, int colour) {
    add(
        String.format(
            Locale.ROOT,
            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"3\""
                + " stroke-opacity=\"0.45\"/>",
            x1,
            y,
            x2,
            y,
            colour(colour)));
  }

  void dot(double x, double y, int colour, boolean filled) {
    add(
        String.format(
            Locale.ROOT,
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\" fill=\"%s\" stroke=\"%s\""
                + " stroke-width=\"2\"/>",
            x,
            y,
            filled ? colour(colour) : "none",
            colour(colour)));
  }

  /** A published figure. */
  void cross(double x, double y) {
    add(
        String.format(
            Locale.ROOT, "<path class=\"mark\" d=\"M%.1f %.1f l8 8 m0 -8 l-8 8\"/>", x - 4, y - 4));
  }

  void path(List<double[]> points, int colour, double strokeWidth, boolean dashed) {
    StringBuilder path = new StringBuilder();
    for (double[] point : points) {
      path.append(path.isEmpty() ? "M" : " L")
          .append(String.format(Locale.ROOT, "%.1f %.1f", point[0], point[1]));
    }
    add(
        String.format(
            Locale.ROOT,
            "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"%.1f\""
                + " stroke-linejoin=\"round\"%s/>",
            path,
            colour(colour),
            strokeWidth,
            dashed ? " stroke-dasharray=\"6 4\"" : ""));
  }

  private static String colour(int colour) {
    return COLOURS.get(Math.max(0, colour - 1));
  }

  private void add(String element) {
    body.append(element).append('\n');
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
