package dev.rowhouse.retrieval;

/**
 * Why a file failed: OpenAI's codes {@code server_error}, {@code unsupported_file}, {@code
 * invalid_file}.
 */
public record FileError(String code, String message) {
  static FileError unsupported(String message) {
    return new FileError("unsupported_file", message);
  }

  static FileError invalid(String message) {
    return new FileError("invalid_file", message);
  }

  static FileError server(String message) {
    return new FileError("server_error", message);
  }
}
