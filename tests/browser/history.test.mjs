// The chat with a store, in a real browser: what was said before, the counters, and nothing twice.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openBrowser, startChat } from './stage.mjs';

const SLOW = Number(process.env.TEST_SLOW ?? 1);
const WITHIN = { timeout: 15_000 * SLOW };

/** @type {Awaited<ReturnType<typeof startChat>>} */ let chat;
/** @type {Awaited<ReturnType<typeof openBrowser>>} */ let browser;

before(async () => {
  chat = await startChat({ worker: 'option = store=sqlite:var/chat.db' });
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  await chat?.stop();
});

async function visit(name, room) {
  const own = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 } });
  const page = await own.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(String(error)));
  await page.goto(`${chat.url}/?room_id=${room}`);
  await page.getByTestId('name').fill(name);
  await page.getByTestId('enter').click();
  await page.locator('#state[data-state=open]').waitFor(WITHIN);
  return page;
}

async function say(page, text) {
  await page.getByTestId('text').fill(text);
  await page.getByTestId('text').press('Enter');
  await page.getByTestId('bubble').getByText(text, { exact: true }).waitFor(WITHIN);
}

const shown = (page) => page.getByTestId('bubble').allTextContents();
const stats = (page, text) => page.waitForFunction((want) => {
  const words = document.getElementById('stats').textContent;
  return words.includes(want[0]) || words.includes(want[1]);
}, text, WITHIN);
const numbers = (views, visitors) => [`Views ${views} · Visitors ${visitors}`, `浏览 ${views} 次 · 访客 ${visitors} 位`];

test('who comes later sees what was said, above the notice of coming in', async () => {
  const ann = await visit('Ann', 'history-1');
  for (const text of ['one', 'two', 'three']) await say(ann, text);
  const bob = await visit('Bob', 'history-1');
  await bob.getByTestId('bubble').getByText('three', { exact: true }).waitFor(WITHIN);
  assert.deepEqual(await shown(bob), ['one', 'two', 'three']);
  const order = await bob.locator('#messages > li').evaluateAll((items) => items.map((item) => item.dataset.testid));
  assert.deepEqual(order, ['saying', 'notice-entered']);
  await say(bob, 'four');
  await ann.getByTestId('bubble').getByText('four', { exact: true }).waitFor(WITHIN);
  assert.deepEqual(await shown(ann), ['one', 'two', 'three', 'four']);
  assert.deepEqual([...ann.faults, ...bob.faults], []);
  await Promise.all([ann, bob].map((page) => page.context().close()));
});

test('views and visitors are counted and shown to everybody in the room', async () => {
  const ann = await visit('Ann', 'counted');
  await stats(ann, numbers(1, 1));
  const bob = await visit('Bob', 'counted');
  await stats(ann, numbers(2, 2));
  await stats(bob, numbers(2, 2));
  await bob.context().close();
  const again = await visit('Bob', 'counted');
  await stats(ann, numbers(3, 2));
  await Promise.all([ann, again].map((page) => page.context().close()));
});

test('a page that comes back is told what it missed, and nothing twice', async () => {
  const ann = await visit('Ann', 'back');
  const bob = await visit('Bob', 'back');
  await say(ann, 'before');
  await bob.getByTestId('bubble').getByText('before', { exact: true }).waitFor(WITHIN);
  // Both gateways are killed, so his is, and until he is let in again his page only finds closed ports.
  await bob.evaluate(() => {
    const Real = window.WebSocket;
    window.isAway = true;
    window.WebSocket = class extends Real {
      constructor(url) {
        super(window.isAway ? 'ws://127.0.0.1:1/' : url);
      }
    };
  });
  for (const inner of chat.innerPorts) await chat.killGateway(inner);
  await bob.locator('#state:not([data-state=open])').waitFor(WITHIN);
  await ann.locator('#state[data-state=open]').waitFor(WITHIN);
  await say(ann, 'missed');
  await bob.evaluate(() => { window.isAway = false; });
  await bob.locator('#state[data-state=open]').waitFor({ timeout: 60_000 * SLOW });
  await bob.getByTestId('bubble').getByText('missed', { exact: true }).waitFor(WITHIN);
  await say(ann, 'after');
  await bob.getByTestId('bubble').getByText('after', { exact: true }).waitFor(WITHIN);
  assert.deepEqual(await shown(ann), ['before', 'missed', 'after']);
  assert.deepEqual(await shown(bob), ['before', 'missed', 'after']);
  await Promise.all([ann, bob].map((page) => page.context().close()));
});
