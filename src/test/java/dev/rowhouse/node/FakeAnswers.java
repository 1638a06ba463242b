package dev.rowhouse.node;

import dev.rowhouse.node.FakeUpstream.Behaviour;
import dev.rowhouse.node.FakeUpstream.UsagePolicy;

/** What the fake upstream says, in OpenAI's words. */
final class FakeAnswers {
  private FakeAnswers() {}

  static String whole(String model, String firstWord, Behaviour behaviour) {
    String usage =
        behaviour.usage() == UsagePolicy.NEVER ? "" : ",\"usage\":" + usage(behaviour.tokens());
    return """
    {"id":"chatcmpl-fake","object":"chat.completion","created":1700000000,"model":"%s",\
    "choices":[{"index":0,"message":{"role":"assistant","content":"%s"},\
    "finish_reason":"stop"}]%s}\
    """
        .formatted(model, content(firstWord, behaviour.tokens()), usage);
  }

  private static String content(String firstWord, int tokens) {
    return tokens == 0 ? "" : (firstWord + " word".repeat(tokens - 1));
  }

  static String chunk(String model, String delta, String finishReason) {
    return """
    {"id":"chatcmpl-fake","object":"chat.completion.chunk","created":1700000000,"model":"%s",\
    "choices":[{"index":0,"delta":%s,"finish_reason":%s}]}\
    """
        .formatted(model, delta, finishReason);
  }

  static String usageChunk(String model, int completionTokens) {
    return """
    {"id":"chatcmpl-fake","object":"chat.completion.chunk","created":1700000000,"model":"%s",\
    "choices":[],"usage":%s}\
    """
        .formatted(model, usage(completionTokens));
  }

  private static String usage(int completionTokens) {
    return "{\"prompt_tokens\":%d,\"completion_tokens\":%d,\"total_tokens\":%d}"
        .formatted(
            FakeUpstream.PROMPT_TOKENS,
            completionTokens,
            FakeUpstream.PROMPT_TOKENS + completionTokens);
  }
}
