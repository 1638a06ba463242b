package dev.rowhouse.bench.arena;

/** A request of the trace and what has become of it. */
public final class Run {
  /** Of a time that has not come. */
  static final double NEVER = Double.POSITIVE_INFINITY;

  private final TraceRequest request;
  private int outputDone;
  private double firstTokenSeconds = NEVER;
  private double endSeconds = NEVER;
  private boolean refused;

  public Run(TraceRequest request) {
    this.request = request;
  }

  public TraceRequest request() {
    return request;
  }

  public String client() {
    return request.client();
  }

  /** Output tokens so far. */
  public int outputDone() {
    return outputDone;
  }

  public boolean isOver() {
    return outputDone >= request.outputTokens();
  }

  boolean refused() {
    return refused;
  }

  /** On the clock of the trace. */
  public double firstTokenSeconds() {
    return firstTokenSeconds;
  }

  /** On the clock of the trace. */
  public double endSeconds() {
    return endSeconds;
  }

  double timeToFirstTokenSeconds() {
    return firstTokenSeconds - request.arrivalSeconds();
  }

  void refuse() {
    refused = true;
  }

  void token(double nowSeconds) {
    if (outputDone == 0) {
      firstTokenSeconds = nowSeconds;
    }
    outputDone++;
    if (isOver()) {
      endSeconds = nowSeconds;
    }
  }

  int poolTokens() {
    return request.inputTokens() + outputDone;
  }

  int outputLeft() {
    return request.outputTokens() - outputDone;
  }
}
