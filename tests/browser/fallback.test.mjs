// The chat where no WebSocket gets through: a proxy in front of the gateway refuses or swallows it, and cuts lines.

import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';

import { openBrowser, startChat } from './stage.mjs';

const SLOW = Number(process.env.TEST_SLOW ?? 1);
const WITHIN = { timeout: 15_000 * SLOW };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @type {Awaited<ReturnType<typeof startChat>>} */ let chat;
/** @type {Awaited<ReturnType<typeof openBrowser>>} */ let browser;

/** Between page and gateway. `upgrades`: 'pass', 'refuse' (403) or 'swallow' (never answered). */
async function startProxy(target, upgrades) {
  const sockets = new Set();
  const proxy = { upgrades, isCut: false, upgradesN: 0 };
  const server = createServer((client) => {
    if (proxy.isCut) return client.destroy();
    sockets.add(client);
    client.on('error', () => {}).on('close', () => sockets.delete(client));
    client.once('data', (first) => {
      const isUpgrade = /\r\nupgrade: websocket\r\n/i.test(first.toString('latin1'));
      proxy.upgradesN += isUpgrade;
      if (isUpgrade && proxy.upgrades === 'swallow') return;
      if (isUpgrade && proxy.upgrades === 'refuse') {
        client.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
        return;
      }
      const there = connect(target, '127.0.0.1');
      sockets.add(there);
      there.on('error', () => client.destroy()).on('close', () => { sockets.delete(there); client.destroy(); });
      client.on('close', () => there.destroy());
      there.write(first);
      client.pipe(there).pipe(client);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy.port = server.address().port;
  proxy.drop = () => sockets.forEach((socket) => socket.destroy());
  proxy.stop = () => { proxy.drop(); server.close(); };
  return proxy;
}

before(async () => {
  chat = await startChat();
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  await chat?.stop();
});

/** A visitor whose page finds the gateway behind the proxy. Returns the page when it is in the room. */
async function visit(name, room, proxy) {
  const context = await browser.newContext({ locale: 'en-GB' });
  const page = await context.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(String(error)));
  if (proxy)
    await page.route('**/gatehouse.json', (route) => route.fulfill({ json: { websocket_url: `ws://127.0.0.1:${proxy.port}/` } }));
  await page.goto(`${chat.url}/?room_id=${room}`);
  await page.getByTestId('name').fill(name);
  const begun = Date.now();
  await page.getByTestId('enter').click();
  await isOnline(page);
  page.openedMs = Date.now() - begun;
  return page;
}

const isOnline = (page) => page.locator('#state[data-state=open]').waitFor(WITHIN);
const bubble = (page, text) => page.getByTestId('bubble').filter({ hasText: text });
const members = (page, n) =>
  page.waitForFunction((want) => document.getElementById('member-count').textContent === String(want), n, WITHIN);

async function say(page, text) {
  await page.getByTestId('text').fill(text);
  await page.getByTestId('text').press('Enter');
}

describe('fallback', () => {
  for (const upgrades of ['refuse', 'swallow']) {
    test(`a proxy that would ${upgrades} WebSocket: the chat works within 3 s all the same`, async () => {
      const proxy = await startProxy(chat.websocketPort, upgrades);
      const ann = await visit('Ann', upgrades, proxy);
      assert.ok(ann.openedMs < 3000 * SLOW, `${ann.openedMs} ms`);
      assert.ok(proxy.upgradesN >= 1, 'WebSocket is tried first');
      const bob = await visit('Bob', upgrades);
      await members(ann, 2);
      await members(bob, 2);
      await say(ann, 'over events ✓ <b>');
      await bubble(bob, 'over events ✓ <b>').waitFor(WITHIN);
      await bubble(ann, 'over events ✓ <b>').waitFor(WITHIN);
      await say(bob, 'over WebSocket');
      await bubble(ann, 'over WebSocket').waitFor(WITHIN);
      for (let i = 0; i < 20; i++) await say(ann, `quick ${i}.`);
      await bubble(bob, 'quick 19.').waitFor(WITHIN);
      const seen = await bob.getByTestId('bubble').filter({ hasText: 'quick' }).allTextContents();
      assert.deepEqual(seen, Array.from({ length: 20 }, (_, i) => `quick ${i}.`));
      await ann.goto('about:blank');
      await members(bob, 1);
      await ann.context().close();
      assert.deepEqual([...ann.faults, ...bob.faults], []);
      await bob.context().close();
      proxy.stop();
    });
  }

  test('the network is cut and comes back: nobody leaves, nothing is lost or doubled', async () => {
    const proxy = await startProxy(chat.websocketPort, 'refuse');
    const ann = await visit('Ann', 'cut', proxy);
    const bob = await visit('Bob', 'cut');
    await members(bob, 2);
    await say(ann, 'before.');
    await bubble(bob, 'before.').waitFor(WITHIN);
    proxy.isCut = true;
    proxy.drop();
    for (let i = 0; i < 5; i++) await say(bob, `to Ann ${i}.`);
    await say(ann, 'from Ann.'); // typed while nothing gets through
    await bubble(bob, 'to Ann 4.').waitFor(WITHIN);
    await sleep(1500);
    assert.equal(await bubble(ann, 'to Ann').count(), 0);
    proxy.isCut = false;
    await bubble(ann, 'to Ann 4.').waitFor(WITHIN);
    await bubble(bob, 'from Ann.').waitFor(WITHIN);
    assert.equal(await bubble(ann, 'to Ann').count(), 5);
    assert.equal(await bubble(bob, 'from Ann.').count(), 1);
    assert.equal(await bob.getByTestId('notice-left').count(), 0, 'to Bob she never left');
    await ann.context().close();
    await bob.context().close();
    proxy.stop();
  });

  test('WebSocket stays the way where it works, also after a loss', async () => {
    const proxy = await startProxy(chat.websocketPort, 'pass');
    const ann = await visit('Ann', 'stays', proxy);
    const posts = [];
    ann.on('request', (request) => { if (/\/(sse|send)\b/.test(request.url())) posts.push(request.url()); });
    assert.equal(proxy.upgradesN, 1);
    proxy.drop();
    await ann.locator('#state:not([data-state=open])').waitFor(WITHIN);
    await isOnline(ann);
    assert.equal(proxy.upgradesN, 2);
    assert.deepEqual(posts, []);
    await ann.context().close();
    proxy.stop();
  });
});
