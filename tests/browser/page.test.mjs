// The chat page in a real browser, alone with a server that says what a test wants: names and texts of every kind,
// errors, keyboards, small screens.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT, openBrowser } from './stage.mjs';

const SLOW = Number(process.env.TEST_SLOW ?? 1);
const WITHIN = { timeout: 15_000 * SLOW };
const TYPES = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' };
const TIME = '2026-11-20 12:34:56';

/** @type {Awaited<ReturnType<typeof openBrowser>>} */ let browser;

before(async () => { browser = await openBrowser(); });
after(() => browser?.close());

async function serve(route) {
  const { pathname } = new URL(route.request().url());
  if (pathname === '/gatehouse.json') return route.fulfill({ json: {} });
  const file = pathname === '/gatehouse.js' ? 'web/gatehouse.js'
    : `apps/chat/web/${pathname === '/' ? 'index.html' : pathname}`;
  return route.fulfill({ body: await readFile(path.join(ROOT, file)), contentType: TYPES[path.extname(file)] });
}

/** In the page: WebSockets that a test speaks on. */
function playServer() {
  const server = { sockets: [], said: [] };
  server.tell = (message) => server.sockets.at(-1).onmessage?.({ data: JSON.stringify(message) });
  server.lose = () => server.sockets.at(-1).onclose?.({ code: 1006, reason: '' });
  window.server = server;
  window.EventSource = class extends EventTarget { close() {} };
  window.WebSocket = class {
    static OPEN = 1;
    readyState = 0;
    constructor() {
      server.sockets.push(this);
      queueMicrotask(() => { this.readyState = 1; this.onopen?.(); });
    }
    send(text) { server.said.push(JSON.parse(text)); }
    close() { this.readyState = 3; }
  };
}

/** A page whose visitor has given a name, and nobody has answered yet. */
async function open({ name = 'Me', query = '', hasClock = false, ...options } = {}) {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(WITHIN.timeout);
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(String(error)));
  await context.route('**/*', serve);
  await page.addInitScript(playServer);
  await page.addInitScript((given) => localStorage.setItem('chat.name', given), name);
  if (hasClock) await page.clock.install();
  await page.goto(`http://chat.test/${query}`);
  await logins(page, 1);
  return page;
}

const tell = (page, message) => page.evaluate((what) => server.tell(what), { time: TIME, ...message });
const logins = (page, n) =>
  page.waitForFunction((want) => server.said.filter((one) => one.type === 'login').length === want, n, WITHIN);

/** We are in, with these others: names by id. */
const letIn = (page, others = {}, { id = 'me', name = 'Me' } = {}) =>
  tell(page, { type: 'login', client_id: id, client_name: name, client_list: { [id]: name, ...others } });

const say = (page, from, name, content, more = {}) =>
  tell(page, { type: 'say', from_client_id: from, from_client_name: name, to_client_id: 'all', content, ...more });

async function end(page) {
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

const focused = (page) => page.evaluate(() => document.activeElement?.dataset?.id ?? document.activeElement?.id);

test('names and texts are shown as they are, whatever they look like', async () => {
  const page = await open();
  const evil = '&lt;img src=x onerror=alert(1)&gt;';
  await letIn(page, { a: evil });
  await say(page, 'a', evil, '<script>alert(1)</script><img src=x onerror=alert(1)><b>b</b>&lt;i&gt; javascript:alert(1)');
  await tell(page, { type: 'login', client_id: 'z', client_name: '<svg onload=alert(1)>' });
  await tell(page, { type: 'error', code: 'x', message: '<img src=x onerror=alert(1)>' });
  assert.equal(await page.getByTestId('bubble').textContent(),
    '<script>alert(1)</script><img src=x onerror=alert(1)>b<i> javascript:alert(1)');
  assert.equal(await page.locator('main img, aside img, main script, main a, svg[onload]').count(), 0);
  await end(page);
});

test('a name that turns the writing around turns nothing but itself', async () => {
  const page = await open();
  const name = 'evil\u202etxt';
  await letIn(page);
  await tell(page, { type: 'login', client_id: 'a', client_name: name });
  await tell(page, { type: 'logout', from_client_id: 'a', from_client_name: name });
  for (const kind of ['joined', 'left']) {
    const notice = page.getByTestId(`notice-${kind}`);
    assert.equal(await notice.locator('bdi').textContent(), name);
    assert.equal(await notice.locator('.notice-text').textContent(), `${name} ${kind}`);
  }
  await end(page);
});

test('whoever gets our client id after a restart of the server is not us', async () => {
  const page = await open();
  await letIn(page, {}, { id: '7f01' });
  await say(page, '7f01', 'Me', 'mine');
  await page.evaluate(() => server.lose());
  await logins(page, 2);
  await letIn(page, { '7f01': 'Bob' }, { id: '7f02' });
  await say(page, '7f01', 'Bob', 'of another');
  await tell(page, { type: 'history', messages: [
    { id: '1', type: 'say', from_client_id: '7f02', from_client_name: 'Eve', to_client_id: 'all', content: 'before', time: TIME },
    { id: '2', type: 'say', from_client_id: '7f02', from_client_name: 'Fay', to_client_id: 'all', content: 'later', time: TIME },
  ] });
  assert.deepEqual(await page.locator('.mine .bubble').allTextContents(), ['mine']);
  const heads = await page.locator('.saying').evaluateAll((all) =>
    all.map((one) => [one.querySelector('.name').textContent, ...[...one.querySelectorAll('.bubble')].map((b) => b.textContent)]));
  assert.deepEqual(heads, [['Me', 'mine'], ['Eve', 'before'], ['Fay', 'later'], ['Bob', 'of another']]);
  await end(page);
});

test('one who talks without end does not fill the page', async () => {
  const page = await open();
  await letIn(page, { a: 'Ann' });
  await page.evaluate((time) => {
    const more = { from_client_id: 'a', from_client_name: 'Ann', to_client_id: 'all', time };
    for (let i = 0; i < 3000; i++) server.tell({ type: 'say', content: `${i}`, ...more });
  }, TIME);
  const shown = await page.getByTestId('bubble').allTextContents();
  assert.ok(shown.length <= 1000, `${shown.length} bubbles`);
  assert.equal(shown.at(-1), '2999');
  await end(page);
});

test('who comes and goes leaves the focus where it is', async () => {
  const page = await open();
  await letIn(page, { a: 'Ann', b: 'Bob' });
  await page.locator('[data-id=b]').focus();
  await tell(page, { type: 'login', client_id: 'c', client_name: 'Cid' });
  await tell(page, { type: 'logout', from_client_id: 'a', from_client_name: 'Ann' });
  assert.equal(await focused(page), 'b');
  await page.keyboard.press('Enter');
  assert.equal(await page.getByTestId('to').inputValue(), 'b');
  await end(page);
});

test('while the line is away a screen reader hears of it once', async () => {
  const page = await open({ hasClock: true });
  await letIn(page);
  await page.evaluate(() => {
    window.WebSocket = class { constructor() { queueMicrotask(() => this.onclose?.({ code: 1006, reason: '' })); } close() {} };
    window.EventSource = class extends EventTarget { constructor() { super(); queueMicrotask(() => this.onerror?.()); } close() {} };
    window.heard = [];
    new MutationObserver((records) => {
      for (const { target, addedNodes } of records)
        if (!target.closest?.('[aria-hidden]')) heard.push(...[...addedNodes].map((one) => one.textContent));
    }).observe(document.getElementById('state'), { childList: true, subtree: true });
    server.lose();
  });
  for (let i = 0; i < 60; i++) await page.clock.runFor(1000);
  assert.deepEqual(await page.evaluate(() => heard), ['Connection lost']);
  assert.match(await page.getByTestId('state').textContent(), /^Connection lost(, next try in \d+ s|Connecting…)$/);
  await end(page);
});

test('a name that is refused is asked for again, with the reason, and then forgotten', async () => {
  const page = await open({ name: 'a\tb' });
  await tell(page, { type: 'error', code: 'bad_name', message: 'client_name must have 1 to 64 characters.' });
  const dialog = page.locator('#login');
  await dialog.waitFor({ state: 'visible' });
  assert.match(await dialog.textContent(), /That name cannot be used/);
  await page.getByTestId('name').fill('Ann');
  await page.getByTestId('enter').click();
  await logins(page, 2);
  await letIn(page, {}, { name: 'Ann' });
  assert.equal(await page.getByTestId('me').locator('.member-name').textContent(), 'Ann');
  assert.equal(await page.getByTestId('complaint').textContent(), '');
  await page.getByTestId('me').click();
  assert.doesNotMatch(await dialog.textContent(), /cannot be used/);
  await end(page);
});

test('who cannot come in now, or is not heard, knocks again', async () => {
  const page = await open({ hasClock: true });
  await tell(page, { type: 'error', code: 'busy', message: 'The room cannot be entered at the moment.' });
  assert.match(await page.getByTestId('complaint').textContent(), /another try follows/);
  await page.clock.runFor(10_000);
  await logins(page, 2);
  for (let i = 0; i < 8; i++) { // nobody answers, but the gateway pings
    await page.clock.runFor(10_000);
    await tell(page, { type: 'ping' });
  }
  assert.ok(await page.evaluate(() => server.said.filter((one) => one.type === 'login').length) > 2);
  await letIn(page);
  assert.equal(await page.getByTestId('complaint').textContent(), '');
  assert.equal(await page.getByTestId('state').textContent(), 'Connected');
  const n = await page.evaluate(() => server.said.filter((one) => one.type === 'login').length);
  await page.clock.runFor(30_000);
  await logins(page, n);
  await end(page);
});

test('what could not be sent stays, and the complaint goes when we are in again', async () => {
  const page = await open();
  await letIn(page);
  await page.evaluate(() => server.lose());
  await page.getByTestId('text').fill('kept');
  await page.getByTestId('text').press('Enter');
  assert.match(await page.getByTestId('complaint').textContent(), /Not connected/);
  await logins(page, 2);
  await letIn(page);
  assert.equal(await page.getByTestId('complaint').textContent(), '');
  assert.equal(await page.getByTestId('text').inputValue(), 'kept');
  await end(page);
});

test('emotes by keyboard alone', async () => {
  const page = await open();
  await letIn(page);
  await page.getByTestId('emote').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  assert.equal(await page.getByTestId('text').inputValue(), '[可爱]');
  await page.getByTestId('emote').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  assert.equal(await page.getByTestId('picker').isVisible(), false);
  assert.equal(await focused(page), 'emote');
  await end(page);
});

test('drawers by keyboard: in with the focus, and back with it', async () => {
  const page = await open({ viewport: { width: 375, height: 700 } });
  await letIn(page, { a: 'Ann' });
  for (const [button, pane] of [['show-rooms', 'rooms-pane'], ['show-members', 'members-pane']]) {
    await page.getByTestId(button).focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction((id) => document.getElementById(id).contains(document.activeElement), pane, WITHIN);
    await page.keyboard.press('Escape');
    assert.equal(await focused(page), button);
  }
  await end(page);
});

for (const width of [320, 375, 800, 1280]) {
  test(`${width} pixels: nothing sticks out, however long words are`, async () => {
    const long = 'W'.repeat(64);
    const page = await open({ viewport: { width, height: 700 }, query: `?room_id=${'m'.repeat(64)}` });
    await letIn(page, { a: long });
    await say(page, 'a', long, `${'x'.repeat(500)} https://example.org/${'y'.repeat(300)}`);
    await say(page, 'a', long, `<b>对你说: </b>${'z'.repeat(300)}`, { to_client_id: 'me' });
    await say(page, 'me', 'Me', `<b>你对${long}说: </b>hello`, { to_client_id: 'a' });
    await tell(page, { type: 'login', client_id: 'c', client_name: long });
    await tell(page, { type: 'error', code: 'x', message: 'E'.repeat(300) });
    const out = await page.evaluate(() => {
      const found = [];
      for (const box of document.querySelectorAll('.scroller, .room-list, .member-list, .bar, .composer, .complaint, .stats')) {
        const edge = box.getBoundingClientRect();
        for (const one of box.querySelectorAll('*')) {
          const { left, right, width: itsWidth } = one.getBoundingClientRect();
          const isCut = one.closest('.notice-text, .name, .member-name, .room-name, .mark, option, svg');
          if (itsWidth > 0 && !isCut && (right > edge.right + 1 || left < edge.left - 1)) found.push(one.className || one.tagName);
        }
        if (box.scrollWidth > box.clientWidth + 1) found.push(`${box.className} scrolls sideways`);
      }
      if (document.documentElement.scrollWidth > innerWidth) found.push('the page scrolls sideways');
      return found;
    });
    assert.deepEqual(out, []);
    await end(page);
  });
}
