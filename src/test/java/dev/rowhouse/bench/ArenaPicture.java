package dev.rowhouse.bench;

import dev.rowhouse.bench.ArenaHttp.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The picture of {@link ArenaHttp}: the difference over time, and what light tenants wait. */
final class ArenaPicture {
  private static final int WIDTH = 920;
  private static final int HEIGHT = 360;
  private static final int LEFT = 60;
  private static final int RIGHT = 540;
  private static final int TOP = 50;
  private static final int BOTTOM = 300;
  private static final int BARS = 620;
  private static final List<String> COLOURS = List.of("#8a8a8a", "#c2572b", "#2b6cb0", "#2f855a");

  private ArenaPicture() {}

  static String draw(List<Result> results, int speed) {
    List<String> parts = new ArrayList<>();
    parts.add(
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif"\
         font-size="12" role="img" aria-label="Service difference and light tenants' waits">
        <rect width="100%%" height="100%%" fill="white"/>
        """
            .formatted(WIDTH, HEIGHT)
            .strip());
    double most = results.stream().mapToDouble(Result::most).max().orElse(1);
    double scale = Math.ceil(most / 100) * 100;
    parts.add(text(LEFT, 24, "Service difference, weighted tokens per second"));
    for (int i = 0; i <= 4; i++) {
      double y = BOTTOM - (BOTTOM - TOP) * i / 4.0;
      parts.add(line(LEFT, y, RIGHT, y, "#dddddd"));
      parts.add(text(LEFT - 40, y + 4, String.format(Locale.ROOT, "%.0f", scale * i / 4)));
    }
    for (int seconds = 0; seconds <= 600; seconds += 100) {
      parts.add(text(x(seconds) - 10, BOTTOM + 18, Integer.toString(seconds)));
    }
    parts.add(
        text(LEFT, BOTTOM + 40, "seconds of the trace (replayed " + speed + " times faster)"));
    double longest = results.stream().mapToDouble(Result::lightP99Seconds).max().orElse(1);
    parts.add(text(BARS, 24, "Light tenants' first token, s"));
    for (int i = 0; i < results.size(); i++) {
      Result result = results.get(i);
      String colour = COLOURS.get(i % COLOURS.size());
      parts.add(curve(result, scale, colour));
      double y = TOP + 62 * i;
      parts.add(text(BARS, y + 6, name(result)));
      bar(parts, y + 12, result.lightMeanSeconds(), longest, colour, "mean");
      bar(parts, y + 28, result.lightP99Seconds(), longest, colour, "p99");
    }
    parts.add("</svg>");
    return String.join("\n", parts) + "\n";
  }

  private static String name(Result result) {
    String name =
        result.policy().equals("first_come")
            ? "first come, first served"
            : "fair queue, estimator " + result.policy();
    return String.format(
        Locale.ROOT,
        "%s: max %.0f, mean %.0f",
        name.replace('_', ' '),
        result.most(),
        result.mean());
  }

  private static void bar(
      List<String> parts, double y, double value, double longest, String colour, String label) {
    double width = 130 * value / longest;
    parts.add(
        String.format(
            Locale.ROOT,
            "<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"12\" fill=\"%s\"/>",
            BARS,
            y,
            Math.max(1, width),
            colour));
    parts.add(text(BARS + width + 6, y + 10, String.format(Locale.ROOT, "%s %.1f", label, value)));
  }

  private static double x(double seconds) {
    return LEFT + (RIGHT - LEFT) * seconds / 600;
  }

  private static String curve(Result result, double scale, String colour) {
    StringBuilder points = new StringBuilder();
    for (int i = 0; i < result.differences().size(); i++) {
      double y = BOTTOM - (BOTTOM - TOP) * result.differences().get(i) / scale;
      points.append(String.format(Locale.ROOT, "%.1f,%.1f ", x(ServiceWindows.tickSeconds(i)), y));
    }
    return String.format(
        Locale.ROOT,
        "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>",
        points.toString().strip(),
        colour);
  }

  private static String line(double x1, double y1, double x2, double y2, String colour) {
    return String.format(
        Locale.ROOT,
        "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>",
        x1,
        y1,
        x2,
        y2,
        colour);
  }

  private static String text(double x, double y, String text) {
    return String.format(Locale.ROOT, "<text x=\"%.1f\" y=\"%.1f\">%s</text>", x, y, text);
  }
}
