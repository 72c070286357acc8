// Gateways leave: pages come back by themselves, each at a moment of its own, and nobody has to do anything.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openBrowser, startChat } from './stage.mjs';

const SLOW = Number(process.env.TEST_SLOW ?? 1);
const WITHIN = { timeout: 15_000 * SLOW };
const FIRST_DELAY_MS = 500; // web/gatehouse.js
const PAGES_N = 4;

/** @type {Awaited<ReturnType<typeof startChat>>} */ let chat;
/** @type {Awaited<ReturnType<typeof openBrowser>>} */ let browser;

before(async () => {
  chat = await startChat();
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  await chat?.stop();
});

/** When and how the page's connections ended, and when others were begun. */
function watch() {
  window.beginnings = [];
  window.endings = [];
  window.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      window.beginnings.push(performance.now());
      this.addEventListener('close', (event) => window.endings.push({ at: performance.now(), code: event.code, reason: event.reason }));
    }
  };
}

async function visit(name) {
  const page = await (await browser.newContext()).newPage();
  await page.addInitScript(watch);
  await page.goto(`${chat.url}/?room_id=drain`);
  await page.getByTestId('name').fill(name);
  await page.getByTestId('enter').click();
  await page.locator('#state[data-state=open]').waitFor(WITHIN);
  return page;
}

test('pages come back by themselves after a goodbye', async () => {
  const pages = [];
  for (let n = 0; n < PAGES_N; n++) pages.push(await visit(`Ann ${n}`));
  await chat.command('drain', 'chat', '--seconds', '1', '--restart');
  await Promise.all(pages.map((page) => page.waitForFunction(() => window.endings.length > 0 && window.beginnings.length > 1,
    undefined, WITHIN)));
  await Promise.all(pages.map((page) => page.locator('#state[data-state=open]').waitFor(WITHIN)));

  const pauses = await Promise.all(pages.map((page) => page.evaluate(() => window.beginnings[1] - window.endings[0].at)));
  for (const page of pages) {
    const [{ code, reason }] = await page.evaluate(() => window.endings);
    assert.deepEqual([code, reason], [1012, 'service restart']);
  }
  for (const pause of pauses) assert.ok(pause > FIRST_DELAY_MS / 2 - 20, `${pauses}`); // timers may be a little early
  assert.ok(new Set(pauses.map(Math.round)).size > 1, `not all at the same moment: ${pauses}`);

  await pages[0].getByTestId('text').fill('here again');
  await pages[0].getByTestId('text').press('Enter');
  await Promise.all(pages.map((page) => page.getByTestId('bubble').filter({ hasText: 'here again' }).waitFor(WITHIN)));
  await Promise.all(pages.map((page) => page.context().close()));
});
