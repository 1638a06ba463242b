package dev.rowhouse.retrieval;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The sentence embeddings of bge-small-en-v1.5 (BAAI, 384 dimensions), quantised, on ONNX Runtime
 * inside this process.
 *
 * <p>The vector is that of the first position (CLS), scaled to length 1. A text beyond 512
 * positions is cut. The runtime computes on the calling thread; permits bound how many callers
 * compute at a time, in the order in which they came, so a long ingestion delays a query by one
 * passage. The model is loaded at first use, once per process.
 */
public final class BgeEmbedder implements Embedder {
  private static final String MODEL = "bge-small-en-v1.5";
  private static final String WEIGHTS = "/bge-small-en-v1.5-q.onnx";
  private static final String TOKENIZER = "/bge-small-en-v1.5-q-tokenizer.json";
  private static final String QUERY_PREFIX =
      "Represent this sentence for searching relevant passages: ";
  private static final int DIMENSIONS = 384;

  /** The positions that the model was trained with. */
  static final int POSITIONS_MAX = 512;

  private static @Nullable BgeEmbedder shared;

  private final Semaphore permits;
  private final Object loading = new Object();
  private volatile @Nullable WordPiece wordPiece;
  private volatile @Nullable OrtSession session;

  private final int permitsMax;

  private BgeEmbedder(int permits) {
    this.permitsMax = permits;
    this.permits = new Semaphore(permits, true);
  }

  /** The embedder of this process; the first caller's permits count. */
  public static synchronized BgeEmbedder shared(int permits) {
    BgeEmbedder embedder = shared;
    if (embedder == null) {
      embedder = new BgeEmbedder(permits);
      shared = embedder;
    }
    return embedder;
  }

  /**
   * Lets nobody into the native runtime any more, and waits for those who are in it: a JVM that
   * ends below them would crash.
   *
   * @return whether nobody is in it
   */
  public boolean rest(Duration atMost) {
    try {
      return permits.tryAcquire(permitsMax, atMost.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Override
  public float[] embedQuery(String query) {
    return embed(QUERY_PREFIX + query);
  }

  @Override
  public float[] embedPassage(String passage) {
    return embed(passage);
  }

  @Override
  public String model() {
    return MODEL;
  }

  @Override
  public int dimensions() {
    return DIMENSIONS;
  }

  @Override
  public long tokens(String text) {
    return wordPiece().count(text);
  }

  private float[] embed(String text) {
    long[] ids = wordPiece().encode(text, POSITIONS_MAX);
    permits.acquireUninterruptibly();
    try {
      return run(session(), ids);
    } catch (OrtException e) {
      throw new IllegalStateException("the embedding model failed", e);
    } finally {
      permits.release();
    }
  }

  private static float[] run(OrtSession model, long[] ids) throws OrtException {
    long[] mask = new long[ids.length];
    Arrays.fill(mask, 1);
    long[] shape = {1, ids.length};
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OnnxTensor inputs = OnnxTensor.createTensor(environment, LongBuffer.wrap(ids), shape);
        OnnxTensor attention = OnnxTensor.createTensor(environment, LongBuffer.wrap(mask), shape);
        OnnxTensor types =
            OnnxTensor.createTensor(environment, LongBuffer.wrap(new long[ids.length]), shape);
        OrtSession.Result result =
            model.run(
                Map.of(
                    "input_ids", inputs, "attention_mask", attention, "token_type_ids", types))) {
      // The result owns its tensor and closes it.
      FloatBuffer values = ((OnnxTensor) result.get(0)).getFloatBuffer();
      float[] vector = new float[DIMENSIONS];
      values.get(vector);
      return Vectors.normalised(vector);
    }
  }

  private WordPiece wordPiece() {
    WordPiece loaded = wordPiece;
    if (loaded != null) {
      return loaded;
    }
    synchronized (loading) {
      loaded = wordPiece;
      if (loaded == null) {
        try (InputStream in = resource(TOKENIZER)) {
          loaded = new WordPiece(new ObjectMapper().readTree(in));
        } catch (IOException e) {
          throw new UncheckedIOException("cannot read " + TOKENIZER, e);
        }
        wordPiece = loaded;
      }
      return loaded;
    }
  }

  private OrtSession session() {
    OrtSession loaded = session;
    if (loaded != null) {
      return loaded;
    }
    synchronized (loading) {
      loaded = session;
      if (loaded == null) {
        loaded = load();
        session = loaded;
      }
      return loaded;
    }
  }

  private static OrtSession load() {
    try (InputStream in = resource(WEIGHTS);
        OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      // The callers are the parallelism: one thread each, and none that spins while it waits.
      options.setIntraOpNumThreads(1);
      options.setInterOpNumThreads(1);
      options.addConfigEntry("session.intra_op.allow_spinning", "0");
      return OrtEnvironment.getEnvironment().createSession(in.readAllBytes(), options);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + WEIGHTS, e);
    } catch (OrtException e) {
      throw new IllegalStateException("cannot load " + WEIGHTS, e);
    }
  }

  private static InputStream resource(String name) throws IOException {
    InputStream in = BgeEmbedder.class.getResourceAsStream(name);
    if (in == null) {
      throw new IOException("not on the class path: " + name);
    }
    return in;
  }
}
