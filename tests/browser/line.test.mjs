// The line of web/gatehouse.js without a browser: sockets, streams and answers come when a test says so.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, beforeEach, test } from 'node:test';

const source = await readFile(new URL('../../web/gatehouse.js', import.meta.url));
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** The latest of each kind. */
let sockets, streams, posts;

class FakeSocket {
  static OPEN = 1;
  readyState = 0;
  constructor() { sockets.push(this); }
  close() { this.isClosed = true; }
  /** The server's answer. */
  open() { this.readyState = FakeSocket.OPEN; this.onopen(); }
  fail() { this.onclose({ code: 1006, reason: '' }); }
}

class FakeStream extends EventTarget {
  constructor(url) { super(); this.url = url; streams.push(this); }
  close() {}
  /** The first event of ours: the session, and the number of the last message that has arrived. */
  open(received) {
    const data = JSON.stringify({ session: 's', resume_ms: 60_000, received });
    this.dispatchEvent(new MessageEvent('open', { data }));
  }
}

Object.assign(globalThis, {
  WebSocket: FakeSocket,
  EventSource: FakeStream,
  document: new EventTarget(),
  addEventListener: () => {},
  fetch: (url, { body }) => new Promise((resolve) => {
    posts.push({ n: Number(new URL(url).searchParams.get('n')), body, answer: (status) => resolve({ status }) });
  }),
});
const { Gatehouse } = await import(`data:text/javascript;base64,${source.toString('base64')}`);
let line;

beforeEach(() => {
  line?.close();
  sockets = [];
  streams = [];
  posts = [];
});
after(() => line.close());

/** A condition that a timer brings about. */
async function until(isTrue) {
  const end = Date.now() + 10_000;
  while (!isTrue()) {
    assert.ok(Date.now() < end, String(isTrue));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The body of the next POST, when there is one. */
async function postOf(i) {
  await until(() => posts.length > i);
  return { ...posts[i], text: await posts[i].body.text() };
}

test('a stream found again while a POST is under way: what is said meanwhile is sent', async () => {
  line = new Gatehouse('ws://gateway/', { fallbackAfterMs: 1 });
  line.open();
  await until(() => streams.length === 1);
  streams[0].open(0);
  line.send('a');
  line.send('b');
  const first = await postOf(0);
  assert.deepEqual([first.n, first.text], [1, '1t:a1t:b']);

  streams[0].onerror();
  await until(() => streams.length === 2);
  streams[1].open(2);
  line.send('c');
  await nextTurn();
  first.answer(204);
  const second = await postOf(1);
  assert.deepEqual([second.n, second.text], [3, '1t:c']);
  second.answer(204);
});

test('events that are refused do not end the wait for a slow WebSocket', async () => {
  line = new Gatehouse('ws://gateway/', { fallbackAfterMs: 1 });
  line.open();
  await until(() => streams.length === 1);
  streams[0].onerror();
  assert.equal(line.state.state, 'connecting');
  sockets[0].open();
  assert.deepEqual([line.state.state, line.transport], ['open', 'websocket']);
});

test('when both ways have failed the next attempt follows', async () => {
  line = new Gatehouse('ws://gateway/', { fallbackAfterMs: 60_000 });
  line.open();
  await until(() => sockets.length === 1);
  sockets[0].fail();
  assert.deepEqual([streams.length, line.state.state], [1, 'connecting']);
  streams[0].onerror();
  assert.equal(line.state.state, 'waiting');
});

test('a URL that cannot be told now, or not in time, is asked for again', async (t) => {
  t.mock.method(console, 'warn', () => {});
  const answers = [() => Promise.reject(new Error('offline')), () => new Promise(() => {}), () => 'ws://gateway/'];
  line = new Gatehouse(() => answers.shift()(), { openTimeoutMs: 20, firstDelayMs: 1, delayMaxMs: 1 });
  line.open();
  await until(() => sockets.length > 0);
});
