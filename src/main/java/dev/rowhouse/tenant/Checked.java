package dev.rowhouse.tenant;

import java.util.List;

/** A value that was read from a body, or all that is wrong with that body. */
public sealed interface Checked<T> {
  record Good<T>(T value) implements Checked<T> {}

  /**
   * Nothing was read.
   *
   * @param errors at least one, in the order of the body
   */
  record Bad<T>(List<FieldError> errors) implements Checked<T> {
    public Bad {
      errors = List.copyOf(errors);
      if (errors.isEmpty()) {
        throw new IllegalArgumentException("nothing is wrong");
      }
    }
  }
}
