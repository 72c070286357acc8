// The line of web/gatehouse.js without a browser: sockets, streams and answers come when a test says so.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, beforeEach, test } from 'node:test';

const source = await readFile(new URL('../../web/gatehouse.js', import.meta.url));
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** The latest of each kind. */
let sockets, streams, posts, questions;

class FakeSocket {
  static OPEN = 1;
  readyState = 0;
  constructor(url) { this.url = url; sockets.push(this); }
  close() { this.isClosed = true; }
  /** The server's answer. */
  open() { this.readyState = FakeSocket.OPEN; this.onopen(); }
  fail() { this.onclose({ code: 1006, reason: '' }); }
}

class FakeStream extends EventTarget {
  static CLOSED = 2;
  readyState = 0;
  constructor(url) { super(); this.url = url; streams.push(this); }
  close() {}
  /** The first event of ours: the session, and the number of the last message that has arrived. */
  open(received) {
    const data = JSON.stringify({ session: 's', resume_ms: 60_000, received });
    this.dispatchEvent(new MessageEvent('open', { data }));
  }
  /** The connection is lost. */
  fail() { this.onerror(); }
  /** Another answer than a stream: the browser does not try again. */
  refuse() { this.readyState = FakeStream.CLOSED; this.onerror(); }
}

Object.assign(globalThis, {
  WebSocket: FakeSocket,
  EventSource: FakeStream,
  document: new EventTarget(),
  addEventListener: () => {},
  fetch: (address, { method, body, keepalive }) => new Promise((resolve, reject) => {
    const url = new URL(address);
    const answer = (status) => (status ? resolve({ status }) : reject(new TypeError('away')));
    if (method !== 'POST') questions.push({ url, answer });
    else posts.push({ n: Number(url.searchParams.get('n')), close: url.searchParams.get('close'), body, keepalive, answer });
  }),
});
const { Gatehouse } = await import(`data:text/javascript;base64,${source.toString('base64')}`);
let line;

beforeEach(() => {
  line?.close();
  sockets = [];
  streams = [];
  posts = [];
  questions = [];
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

  streams[0].fail();
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
  streams[0].fail();
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
  streams[0].fail();
  assert.equal(line.state.state, 'waiting');
});

test('a URL that cannot be told now, or not in time, is asked for again', async (t) => {
  t.mock.method(console, 'warn', () => {});
  const answers = [() => Promise.reject(new Error('offline')), () => new Promise(() => {}), () => 'ws://gateway/'];
  line = new Gatehouse(() => answers.shift()(), { openTimeoutMs: 20, firstDelayMs: 1, delayMaxMs: 1 });
  line.open();
  await until(() => sockets.length > 0);
});

/** A line over events whose session is open. */
async function overEvents() {
  line = new Gatehouse('ws://gateway/', { fallbackAfterMs: 1 });
  line.open();
  await until(() => streams.length === 1);
  streams[0].open(0);
}

test('a goodbye behind more than a page may leave under way goes in parts', async () => {
  const KEPT = 64 * 1024; // what browsers let requests have that outlive their page
  await overEvents();
  const said = Array.from({ length: 50 }, (_, i) => String(i % 10).repeat(3000));
  for (const text of said) line.send(text);
  await postOf(0); // under way, and nobody knows whether it will arrive
  line.close();
  let arrived = '';
  for (let i = 1; ; i++) {
    const post = await postOf(i);
    assert.ok(post.body.size <= KEPT && post.keepalive, `${post.body.size} bytes`);
    assert.equal(post.n, arrived.split('t:').length);
    arrived += post.text;
    post.answer(204);
    if (post.close) break;
  }
  assert.equal(arrived, said.map((text) => `${text.length}t:${text}`).join(''));
});

test('one message that is too large to outlive the page goes all the same, and the goodbye behind it', async () => {
  await overEvents();
  line.send('x'.repeat(100_000));
  line.send('y');
  line.close(1000);
  const large = await postOf(0);
  assert.deepEqual([large.n, large.keepalive, large.close], [1, false, null]);
  large.answer(0);
  const again = await postOf(1);
  assert.deepEqual([again.n, again.body.size], [1, large.body.size]);
  again.answer(204);
  const last = await postOf(2);
  assert.deepEqual([last.n, last.text, last.keepalive, last.close], [2, '1t:y', true, '1000']);
  last.answer(204);
});

for (const status of [404, 410]) {
  test(`a stream that is refused with ${status} ends the session at once`, async () => {
    await overEvents();
    streams[0].fail();
    await until(() => streams.length === 2);
    streams[1].refuse();
    await until(() => questions.length === 1);
    assert.equal(questions[0].url.searchParams.get('session'), 's');
    questions[0].answer(status);
    await until(() => line.state.state === 'waiting');
  });
}

test('a proxy whose server is away does not end the session', async () => {
  await overEvents();
  line.send('a');
  (await postOf(0)).answer(502);
  streams[0].refuse();
  await until(() => questions.length === 1);
  questions[0].answer(502);
  await until(() => streams.length === 2);
  streams[1].open(0);
  assert.deepEqual([line.state.state, line.state.isResumed], ['open', true]);
  const again = await postOf(1);
  assert.deepEqual([again.n, again.text], [1, '1t:a']);
  again.answer(204);
});

test('a line on which nothing gets through although events come is given up', async (t) => {
  await overEvents();
  line.send('a');
  const { now } = Date;
  (await postOf(0)).answer(0);
  await nextTurn();
  t.mock.method(Date, 'now', () => now() + 61_000);
  (await postOf(1)).answer(0);
  await until(() => line.state.state === 'waiting');
});

test('an address may be relative to the page, and http', async () => {
  document.baseURI = 'https://site.example/chat/';
  const seen = [];
  for (const address of ['/line?x=1', 'room', 'http://other.example/', 'wss://other.example/a']) {
    line?.close();
    sockets.length = 0;
    line = new Gatehouse(address, { fallback: false });
    line.open();
    await until(() => sockets.length === 1);
    seen.push(sockets[0].url);
  }
  delete document.baseURI;
  assert.deepEqual(seen,
    ['wss://site.example/line?x=1', 'wss://site.example/chat/room', 'ws://other.example/', 'wss://other.example/a']);
});

test('a line that was closed leaves nothing behind at the page', async (t) => {
  const signals = [];
  t.mock.method(globalThis, 'addEventListener', (_type, _listener, { signal }) => signals.push(signal));
  line = new Gatehouse('ws://gateway/');
  line.open();
  line.reopen();
  assert.deepEqual(signals.map((signal) => signal.aborted), [false, false]);
  line.close();
  assert.deepEqual(signals.map((signal) => signal.aborted), [true, true]);
  line.open();
  assert.equal(signals.length, 4);
});
