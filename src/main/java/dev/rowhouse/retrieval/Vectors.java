package dev.rowhouse.retrieval;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Vectors of length 1 and their bytes (little-endian float32, as they are stored). */
final class Vectors {
  private Vectors() {}

  static float[] normalised(float[] vector) {
    double square = 0;
    for (float value : vector) {
      square += (double) value * value;
    }
    double length = Math.sqrt(square);
    if (length > 0) {
      for (int i = 0; i < vector.length; i++) {
        vector[i] = (float) (vector[i] / length);
      }
    }
    return vector;
  }

  static double cosine(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  static byte[] toBytes(float[] vector) {
    ByteBuffer buffer =
        ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    buffer.asFloatBuffer().put(vector);
    return buffer.array();
  }

  static float[] fromBytes(byte[] bytes) {
    float[] vector = new float[bytes.length / Float.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(vector);
    return vector;
  }
}
