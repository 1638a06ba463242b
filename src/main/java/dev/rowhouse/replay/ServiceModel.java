package dev.rowhouse.replay;

/**
 * How long a run of one model takes. A request that was recorded takes what it took: its latency
 * less its wait. Where that is not known, a plane through all that is known says it, fitted by
 * least squares:
 *
 * <pre>
 *   run = base + perInputToken * input + perOutputToken * output      (milliseconds)
 * </pre>
 *
 * <p>So speed does not depend on how many run at once. That is exact for an upstream that is not
 * saturated by its slots; for one that is, more slots would be slower than this says.
 *
 * @param known how many runs the fit is made of
 */
record ServiceModel(
    double baseMillis, double inputTokenMillis, double outputTokenMillis, int known) {

  static ServiceModel of(Arrivals arrivals, int[] rows) {
    double[][] sums = new double[3][4];
    int known = 0;
    double total = 0;
    for (int row : rows) {
      int run = arrivals.runMillis(row);
      if (run != Arrivals.UNKNOWN) {
        double[] of = {1, arrivals.inputTokens(row), arrivals.outputTokens(row), run};
        for (int i = 0; i < 3; i++) {
          for (int j = 0; j < 4; j++) {
            sums[i][j] += of[i] * of[j];
          }
        }
        known++;
        total += run;
      }
    }
    if (known == 0) {
      return new ServiceModel(0, 0, 0, 0);
    }
    double[] fit = solve(sums);
    // Too little to tell, or a slope against all sense: the mean says as much.
    return fit.length == 0 || fit[1] < 0 || fit[2] < 0 || fit[0] < 0
        ? new ServiceModel(total / known, 0, 0, known)
        : new ServiceModel(fit[0], fit[1], fit[2], known);
  }

  /** The run of that row, at least one millisecond. */
  int runMillis(Arrivals arrivals, int row) {
    int run = arrivals.runMillis(row);
    if (run == Arrivals.UNKNOWN) {
      run =
          (int)
              Math.round(
                  baseMillis
                      + inputTokenMillis * arrivals.inputTokens(row)
                      + outputTokenMillis * arrivals.outputTokens(row));
    }
    return Math.max(1, run);
  }

  /** Gauss with pivots; empty when the rows do not tell the three apart. */
  private static double[] solve(double[][] rows) {
    int size = rows.length;
    for (int column = 0; column < size; column++) {
      int pivot = column;
      for (int row = column + 1; row < size; row++) {
        if (Math.abs(rows[row][column]) > Math.abs(rows[pivot][column])) {
          pivot = row;
        }
      }
      double[] swapped = rows[column];
      rows[column] = rows[pivot];
      rows[pivot] = swapped;
      if (Math.abs(rows[column][column]) < 1e-6) {
        return new double[0];
      }
      for (int row = 0; row < size; row++) {
        if (row != column) {
          double factor = rows[row][column] / rows[column][column];
          for (int at = column; at <= size; at++) {
            rows[row][at] -= factor * rows[column][at];
          }
        }
      }
    }
    double[] solution = new double[size];
    for (int row = 0; row < size; row++) {
      solution[row] = rows[row][size] / rows[row][row];
    }
    return solution;
  }
}
