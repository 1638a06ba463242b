package dev.rowhouse.bench;

import dev.rowhouse.bench.ArenaPolicies.Policy;
import dev.rowhouse.bench.ArenaPolicies.Published;
import dev.rowhouse.bench.arena.Summary;
import dev.rowhouse.bench.arena.Summary.Spread;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import org.jspecify.annotations.Nullable;

/** The two drawings of docs/fairness.md. */
final class ArenaPlots {
  /** Ticks are so far apart, and stand for the window that begins there. */
  private static final double TICK_SECONDS = 28.5;

  private static final double WINDOW_SECONDS = 60;

  private static final int OURS_FROM = 6;

  private ArenaPlots() {}

  static void write(Path directory, Map<Policy, Summary> summaries) throws IOException {
    difference(summaries).write(directory.resolve("arena-difference.svg"));
    tradeoff(summaries).write(directory.resolve("arena-tradeoff.svg"));
  }

  private static Svg difference(Map<Policy, Summary> summaries) {
    Svg svg = new Svg(900, 470, "Service difference over the time of the arena trace, per policy");
    double left = 70;
    double right = 660;
    double top = 50;
    double bottom = 400;
    double most =
        summaries.values().stream()
            .flatMap(summary -> summary.differences().stream())
            .mapToDouble(value -> value)
            .max()
            .orElse(1);
    double ceiling = Math.ceil(most / 100) * 100;
    DoubleUnaryOperator x = seconds -> left + (right - left) * seconds / 600;
    DoubleUnaryOperator y = value -> bottom - (bottom - top) * value / ceiling;
    svg.text(left, 28, "start", "title", "Service difference: how unequally clients are served");
    for (int value = 0; value <= ceiling; value += 100) {
      svg.line(left, y.applyAsDouble(value), right, y.applyAsDouble(value), "grid");
      svg.text(left - 8, y.applyAsDouble(value) + 4, "end", "", Integer.toString(value));
    }
    for (int seconds = 0; seconds <= 600; seconds += 100) {
      svg.line(x.applyAsDouble(seconds), bottom, x.applyAsDouble(seconds), bottom + 5, "axis");
      svg.text(x.applyAsDouble(seconds), bottom + 20, "middle", "", Integer.toString(seconds));
    }
    svg.line(left, bottom, right, bottom, "axis");
    svg.text((left + right) / 2, bottom + 42, "middle", "", "middle of the 60 s window (s)");
    svg.upwards(20, (top + bottom) / 2, "summed over clients (weighted tokens/s)");
    int all = summaries.values().stream().mapToInt(Summary::served).max().orElse(0);
    double legend = top + 8;
    for (Map.Entry<Policy, Summary> entry : summaries.entrySet()) {
      int colour = entry.getKey().plotted();
      if (colour == 0) {
        continue;
      }
      List<double[]> points = new ArrayList<>();
      double seconds = TICK_SECONDS + WINDOW_SECONDS / 2;
      for (double value : entry.getValue().differences()) {
        points.add(new double[] {x.applyAsDouble(seconds), y.applyAsDouble(value)});
        seconds += TICK_SECONDS;
      }
      double strokeWidth = colour >= OURS_FROM ? 3 : 1.8;
      boolean dashed = entry.getValue().served() < all;
      svg.path(points, colour, strokeWidth, dashed);
      svg.path(
          List.of(new double[] {right + 20, legend}, new double[] {right + 50, legend}),
          colour,
          strokeWidth,
          dashed);
      svg.text(right + 58, legend + 4, "start", "", entry.getKey().name());
      legend += 22;
    }
    svg.text(left, bottom + 58, "start", "note", "Medians of runs. Dashed: refuses requests.");
    return svg;
  }

  /** One column of the second drawing. */
  private record Panel(
      String title, double left, double right, double from, double to, boolean logarithmic) {

    double x(double value) {
      double share =
          logarithmic ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);
      return left + (right - left) * Math.clamp(share, 0, 1);
    }
  }

  private static Svg tradeoff(Map<Policy, Summary> summaries) {
    int rowHeight = 24;
    double top = 84;
    double bottom = top + rowHeight * summaries.size();
    Svg svg =
        new Svg(
            1100,
            (int) bottom + 66,
            "Service difference, light clients' wait and throughput of each policy");
    Panel difference = new Panel("service difference", 220, 500, 100, 900, false);
    Panel wait = new Panel("light clients' time to first token", 540, 820, 1, 200, true);
    Panel speed = new Panel("throughput", 860, 1080, 660, 800, false);
    svg.text(20, 28, "start", "title", "What fairness costs, and what it is worth");
    frame(svg, difference, top, bottom, "weighted tokens/s; dot: mean, ring: max");
    frame(svg, wait, top, bottom, "s, logarithmic; dot: mean, ring: p99");
    frame(svg, speed, top, bottom, "input and output tokens/s");
    for (double value : new double[] {100, 300, 500, 700, 900}) {
      scale(svg, difference, value, top, bottom);
    }
    for (double value : new double[] {1, 2, 5, 10, 20, 50, 100, 200}) {
      scale(svg, wait, value, top, bottom);
    }
    for (double value : new double[] {660, 700, 740, 780}) {
      scale(svg, speed, value, top, bottom);
    }
    goal(svg, difference, 228, top, bottom);
    goal(svg, difference, 330, top, bottom);
    goal(svg, wait, 2.2, top, bottom);
    goal(svg, speed, 779, top, bottom);
    double y = top + rowHeight / 2.0;
    for (Map.Entry<Policy, Summary> entry : summaries.entrySet()) {
      Summary summary = entry.getValue();
      int colour = colour(entry.getKey());
      Published published = entry.getKey().published();
      svg.text(208, y + 4, "end", "", entry.getKey().name());
      value(svg, difference, y, colour, summary.meanDifference(), true);
      value(svg, difference, y, colour, summary.maxDifference(), false);
      value(svg, wait, y, colour, summary.lightMeanSeconds(), true);
      value(svg, wait, y, colour, summary.lightP99Seconds(), false);
      value(svg, speed, y, colour, summary.tokensPerSecond(), true);
      published(svg, difference, wait, speed, y, published);
      y += rowHeight;
    }
    svg.text(
        20,
        bottom + 52,
        "start",
        "note",
        "Dashed: the goal. Cross: published by the artifact. Bars: 8 of 10 runs. \"credit\":"
            + " who comes back keeps a credit of 2,000 weighted tokens.");
    return svg;
  }

  private static int colour(Policy policy) {
    if (policy.plotted() > 0) {
      return policy.plotted();
    }
    return policy.name().contains("credit") ? 7 : policy.name().contains("slots") ? 8 : 6;
  }

  private static void frame(Svg svg, Panel panel, double top, double bottom, String unit) {
    svg.text(panel.left(), top - 28, "start", "", panel.title());
    svg.text(panel.left(), top - 12, "start", "note", unit);
    svg.line(panel.left(), bottom, panel.right(), bottom, "axis");
  }

  private static void scale(Svg svg, Panel panel, double value, double top, double bottom) {
    svg.line(panel.x(value), top, panel.x(value), bottom, "grid");
    svg.text(panel.x(value), bottom + 18, "middle", "", Integer.toString((int) value));
  }

  private static void goal(Svg svg, Panel panel, double value, double top, double bottom) {
    svg.line(panel.x(value), top, panel.x(value), bottom, "goal");
  }

  private static void value(
      Svg svg, Panel panel, double y, int colour, Spread spread, boolean filled) {
    svg.range(panel.x(spread.low()), panel.x(spread.high()), y, colour);
    svg.dot(panel.x(spread.median()), y, colour, filled);
  }

  private static void published(
      Svg svg, Panel difference, Panel wait, Panel speed, double y, @Nullable Published published) {
    if (published != null) {
      svg.cross(difference.x(published.meanDifference()), y);
      svg.cross(difference.x(published.maxDifference()), y);
      svg.cross(wait.x(published.lightMeanSeconds()), y);
      svg.cross(wait.x(published.lightP99Seconds()), y);
      svg.cross(speed.x(published.tokensPerSecond()), y);
    }
  }
}
