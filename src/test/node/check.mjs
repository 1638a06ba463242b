// Drives a running node with the unmodified OpenAI SDK; OpenAiNodeIT starts it. Each step is a
// sentence; the first that is not true ends the run with exit code 1.
import assert from 'node:assert/strict';
import OpenAI, { toFile } from 'openai';

const MODEL = 'rowhouse-extractive';
const QUESTION = [
  { role: 'user', content: 'Within how many days may a customer return goods?' },
];
const client = (apiKey, options = {}) =>
  new OpenAI({ apiKey, baseURL: process.env.ROWHOUSE_BASE_URL, timeout: 120_000, ...options });

const acme = client(process.env.ROWHOUSE_KEY);
let fileId;

const steps = {
  'lists and retrieves models': async () => {
    const ids = [];
    for await (const model of acme.models.list()) ids.push(model.id);
    assert.ok(ids.includes(MODEL), ids.join());
    assert.ok(ids.includes('bge-small-en-v1.5'), ids.join());
    assert.equal((await acme.models.retrieve(MODEL)).id, MODEL);
  },

  'uploads a file and polls it in a vector store': async () => {
    const markdown = Buffer.from(
      '# Returns\n\nA customer may return goods within thirty days of delivery.\n',
    );
    const uploaded = await acme.files.create({
      file: await toFile(markdown, 'returns.md'),
      purpose: 'assistants',
    });
    const started = Date.now();
    const attached = await acme.vectorStores.files.createAndPoll('default', {
      file_id: uploaded.id,
    });
    assert.equal(attached.status, 'completed');
    assert.equal(attached.id, uploaded.id);
    assert.ok(Date.now() - started < 120_000, 'polls by openai-poll-after-ms');
    fileId = uploaded.id;
  },

  'uploads a batch and polls it': async () => {
    const batch = await acme.vectorStores.fileBatches.uploadAndPoll('default', {
      files: [
        await toFile(Buffer.from('# One\n\nThe first note is about apples.\n'), 'one.md'),
        await toFile(Buffer.from('# Two\n\nThe second note is about pears.\n'), 'two.md'),
      ],
    });
    assert.equal(batch.status, 'completed');
    assert.equal(batch.file_counts.completed, 2);
  },

  'searches a store': async () => {
    const found = await acme.vectorStores.search('default', { query: 'return goods' });
    assert.equal(found.data[0].file_id, fileId);
    assert.match(found.data[0].content[0].text, /thirty/);
  },

  'pages through files': async () => {
    const ids = [];
    for await (const file of acme.files.list({ limit: 1 })) ids.push(file.id);
    assert.equal(new Set(ids).size, ids.length, 'no file twice');
    assert.equal(ids.length, 3);
  },

  'chats, with citations beside OpenAI\'s fields': async () => {
    const answer = await acme.chat.completions.create({ model: MODEL, messages: QUESTION });
    assert.match(answer.choices[0].message.content, /thirty/);
    assert.ok(answer.usage.total_tokens > 0);
    assert.equal(answer.rowhouse.citations[0].file_id, fileId);
  },

  'streams with usage': async () => {
    const stream = await acme.chat.completions.create({
      model: MODEL,
      messages: QUESTION,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    const usages = [];
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta?.content ?? '';
      if (chunk.usage) usages.push(chunk.usage);
    }
    assert.match(text, /thirty/);
    assert.equal(usages.length, 1);
    assert.ok(usages[0].completion_tokens > 0);
  },

  'streams by the helper, which checks the chunks': async () => {
    const runner = acme.chat.completions.stream({ model: MODEL, messages: QUESTION });
    const answer = await runner.finalChatCompletion();
    assert.match(answer.choices[0].message.content, /thirty/);
    assert.equal(answer.choices[0].finish_reason, 'stop');
  },

  'embeds, as base64 by default and as numbers': async () => {
    const input = { model: 'bge-small-en-v1.5', input: 'Hello' };
    const byDefault = await acme.embeddings.create(input);
    const asNumbers = await acme.embeddings.create({ ...input, encoding_format: 'float' });
    assert.equal(byDefault.data[0].embedding.length, 384);
    assert.ok(
      byDefault.data[0].embedding.every(
        (value, i) => Math.abs(value - asNumbers.data[0].embedding[i]) < 1e-5,
      ),
    );
  },

  'gets a typed error for a bad key': async () => {
    const stranger = client(`rh_acme_0000_${'0'.repeat(40)}`);
    await assert.rejects(
      stranger.models.list(),
      (error) => error instanceof OpenAI.AuthenticationError && error.code === 'invalid_api_key',
    );
  },

  'gets a typed error for an unknown model': async () => {
    await assert.rejects(
      acme.chat.completions.create({ model: 'no-such-model', messages: QUESTION }),
      (error) => error instanceof OpenAI.NotFoundError && error.code === 'model_not_found',
    );
  },

  'gets a typed error for a limit': async () => {
    const limited = client(process.env.ROWHOUSE_LIMITED_KEY, { maxRetries: 0 });
    await limited.chat.completions.create({ model: MODEL, messages: QUESTION });
    await assert.rejects(
      limited.chat.completions.create({ model: MODEL, messages: QUESTION }),
      (error) => error instanceof OpenAI.RateLimitError && error.code === 'rate_limit_exceeded',
    );
  },
};

for (const [sentence, step] of Object.entries(steps)) {
  try {
    await step();
    console.log(`ok  ${sentence}`);
  } catch (error) {
    console.log(`not ${sentence}\n`, error);
    process.exit(1);
  }
}
