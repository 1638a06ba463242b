package dev.rowhouse.inference;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import org.junit.jupiter.api.Test;

class InferenceSettingsTest {
  private static final int ARTERY_FRAME_BYTES = 256 * 1024;

  @Test
  void whatTravelsInOneMessageFitsArterysFrame() {
    InferenceSettings settings = InferenceSettings.of(RunFixture.CONF);
    int end = settings.coalesceBytesMax() + settings.openai().eventBytesMax();
    assertTrue(end <= ARTERY_FRAME_BYTES * 3 / 4, end + " leave no room for citations");
    assertTrue(settings.pieceBytesMax() + settings.coalesceBytesMax() < ARTERY_FRAME_BYTES);
  }

  @Test
  void aLimitThatMakesNoSenseIsRefusedByName() {
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                InferenceSettings.of(
                    ConfigFactory.parseString("rowhouse.inference.initial-credit = 0")
                        .withFallback(RunFixture.CONF)));
    assertTrue(
        String.valueOf(refused.getMessage()).contains("rowhouse.inference.initial-credit is 0"));
  }
}
