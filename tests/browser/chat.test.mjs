// The chat in a real browser: two pages talk over two gateways, and one loses its gateway.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { ROOT, openBrowser, startChat } from './stage.mjs';

const SLOW = Number(process.env.TEST_SLOW ?? 1);
const WITHIN = { timeout: 15_000 * SLOW };

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

/** A visitor of their own: nothing is shared with other pages, as with two computers. */
async function visit(name, options = {}) {
  const { room = '1', ...context } = options;
  const own = await browser.newContext({ locale: 'zh-CN', viewport: { width: 1280, height: 800 }, ...context });
  const page = await own.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(String(error)));
  page.on('console', (line) => {
    // A lost gateway is a console error of the browser itself, and wanted here.
    if (line.type() === 'error' && !/WebSocket connection/.test(line.text())) page.faults.push(line.text());
  });
  page.frames = [];
  page.on('websocket', (socket) => socket.on('framereceived', (frame) => page.frames.push(frame.payload)));
  await page.goto(`${chat.url}/?room_id=${room}`);
  await page.getByTestId('name').fill(name);
  await page.getByTestId('enter').click();
  await isOnline(page);
  return page;
}

const isOnline = (page) =>
  page.locator('#state[data-state=open]').waitFor(WITHIN);
const bubble = (page, text) => page.getByTestId('bubble').filter({ hasText: text });
const leave = (...pages) => Promise.all(pages.map((page) => page.context().close()));

async function say(page, text) {
  await page.getByTestId('text').fill(text);
  await page.getByTestId('text').press('Enter');
}

/** Until the page shows that many members. */
const members = (page, n) =>
  page.waitForFunction((want) => document.getElementById('member-count').textContent === String(want), n, WITHIN);

/** Until all pages show the same members, themselves and nobody else. */
async function agree(pages) {
  const idsOf = (page) => page.locator('#member-list button')
    .evaluateAll((buttons) => buttons.map((button) => button.dataset.id).sort().join());
  const deadline = Date.now() + WITHIN.timeout;
  for (;;) {
    const lists = await Promise.all(pages.map(idsOf));
    if (lists.every((ids) => ids === lists[0]) && lists[0].split(',').length === pages.length) return;
    assert.ok(Date.now() < deadline, lists.join('\n'));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('chat', () => {
  test('two pages see each other come, talk and go', async () => {
    const ann = await visit('小安', { room: 'talk' });
    const bob = await visit('Bob <b>', { room: 'talk' });
    await members(ann, 2);
    await members(bob, 2);
    await ann.getByTestId('notice-joined').filter({ hasText: 'Bob <b> 加入了聊天室' }).waitFor(WITHIN);

    await say(ann, '你好 & <i>hello</i>');
    await bubble(bob, '你好 & <i>hello</i>').waitFor(WITHIN);
    await bubble(ann, '你好 & <i>hello</i>').waitFor(WITHIN);
    assert.equal(await ann.locator('.saying.mine').count(), 1);
    assert.equal(await bob.locator('.saying.mine').count(), 0);
    assert.equal(await bob.locator('.bubble i').count(), 0, 'nobody writes HTML into the page of another');
    assert.match(await bob.title(), /房间 talk/);

    const faults = [...ann.faults, ...bob.faults];
    await leave(bob);
    await members(ann, 1);
    await ann.getByTestId('notice-left').filter({ hasText: 'Bob <b> 退出了' }).waitFor(WITHIN);
    await leave(ann);
    assert.deepEqual(faults, []);
  });

  test('a private message reaches its addressee only', async () => {
    const [ann, bob, eve] = [
      await visit('Ann', { room: 'private' }), await visit('Bob', { room: 'private' }), await visit('Eve', { room: 'private' }),
    ];
    await members(ann, 3);
    await ann.getByTestId('member').filter({ hasText: 'Bob' }).click();
    assert.equal(await ann.locator('#to option:checked').textContent(), 'Bob');
    await say(ann, 'only for you');
    await bob.getByTestId('private').filter({ hasText: 'only for you' }).waitFor(WITHIN);
    await ann.getByTestId('private').filter({ hasText: '私聊 Bob' }).waitFor(WITHIN);
    await ann.getByTestId('to').selectOption('all');
    await say(ann, 'for all of you');
    await bubble(eve, 'for all of you').waitFor(WITHIN);
    assert.equal(await bubble(eve, 'only for you').count(), 0);
    assert.ok(!eve.frames.some((frame) => String(frame).includes('only for you')), 'not even on her line');
    await leave(ann, bob, eve);
  });

  test('emotes from the picker, pictures of Sina, links', async () => {
    const page = await visit('Ann', { room: 'rich' });
    await page.route('https://*.sinaimg.cn/**', (route) =>
      route.fulfill({ contentType: 'image/svg+xml', body: '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60"/>' }));
    await page.getByTestId('emote').click();
    await page.getByTestId('picker').getByTitle('doge', { exact: true }).click();
    assert.equal(await page.getByTestId('text').inputValue(), '[doge]');
    await say(page, '看 [doge][微笑] [没有这个]');
    await page.locator('.bubble [data-emote=doge] svg').waitFor(WITHIN);
    assert.equal(await page.locator('.bubble .emote').count(), 2);
    await bubble(page, '[没有这个]').waitFor(WITHIN);

    await say(page, 'http://wx1.sinaimg.cn/large/a.jpg');
    const image = page.locator('.bubble img');
    await image.waitFor(WITHIN);
    assert.equal(await image.getAttribute('src'), 'https://wx1.sinaimg.cn/large/a.jpg');
    assert.equal(await image.getAttribute('referrerpolicy'), 'no-referrer');
    await page.waitForFunction(() => document.querySelector('.bubble img').naturalWidth === 90, undefined, WITHIN);

    await say(page, 'see https://example.org/?a=1&b=2.');
    const link = page.locator('.bubble a').filter({ hasText: 'example.org' });
    assert.equal(await link.getAttribute('href', WITHIN), 'https://example.org/?a=1&b=2');
    assert.equal(await link.getAttribute('target'), '_blank');
    assert.match(await link.getAttribute('rel'), /noopener/);

    await say(page, 'javascript:alert(1) <img src=x onerror=alert(1)>');
    await bubble(page, 'onerror').waitFor(WITHIN);
    assert.equal(await page.locator('.bubble img').count(), 1);
    assert.deepEqual(page.faults, []);
    await leave(page);
  });

  test('Ctrl+Enter breaks the line, Enter sends', async () => {
    const page = await visit('Ann', { room: 'lines' });
    const text = page.getByTestId('text');
    await text.fill('one');
    await text.press('Control+Enter');
    await text.pressSequentially('two');
    assert.equal(await text.inputValue(), 'one\ntwo');
    assert.equal(await page.getByTestId('bubble').count(), 0);
    await text.press('Enter');
    await bubble(page, 'two').waitFor(WITHIN);
    assert.equal(await page.locator('.bubble br').count(), 1);
    assert.equal(await text.inputValue(), '');
    await leave(page);
  });

  test('rooms are apart, and switching leaves one for the other', async () => {
    const ann = await visit('Ann', { room: '1' });
    const bob = await visit('Bob', { room: '1' });
    await members(ann, 2);
    await bob.getByTestId('room-2').click();
    await members(ann, 1);
    await members(bob, 1);
    assert.equal(new URL(bob.url()).searchParams.get('room_id'), '2');
    await say(ann, 'still in one');
    await bubble(ann, 'still in one').waitFor(WITHIN);
    await say(bob, 'now in two');
    await bubble(bob, 'now in two').waitFor(WITHIN);
    assert.equal(await bubble(bob, 'still in one').count(), 0);
    await bob.goBack();
    await members(ann, 2);
    await leave(ann, bob);
  });

  test('the name is remembered, and the language can be switched', async () => {
    const page = await visit('Ann', { locale: 'en-GB', room: 'words' });
    assert.equal(await page.getByTestId('room-name').textContent(), 'Room words');
    await page.getByTestId('language').click();
    assert.equal(await page.getByTestId('room-name').textContent(), '房间 words');
    await page.reload();
    await isOnline(page);
    assert.equal(await page.getByTestId('me').innerText().then((text) => text.includes('Ann')), true);
    assert.equal(await page.getByTestId('room-name').textContent(), '房间 words');
    await leave(page);
  });

  test('messages that nobody looks at are counted in the title', async () => {
    const ann = await visit('Ann', { room: 'unread' });
    const bob = await visit('Bob', { room: 'unread' });
    await members(ann, 2);
    await ann.evaluate(() => { document.hasFocus = () => false; });
    await say(bob, 'hello?');
    await bubble(ann, 'hello?').waitFor(WITHIN);
    assert.match(await ann.title(), /^\(1\) /);
    await leave(ann, bob);
  });

  test('a page whose gateway is killed comes back by itself', async () => {
    const pages = [];
    for (let i = 0; i < 6; i++) pages.push(await visit(`v${i}`, { room: 'kill' }));
    await members(pages[0], 6);
    const gatewayOf = (page) => JSON.parse(page.frames.find((frame) => String(frame).includes('client_list')))
      .client_id.slice(8, 12);
    const killed = gatewayOf(pages[0]);
    const lost = pages.filter((page) => gatewayOf(page) === killed);
    for (const page of pages) page.frames.length = 0;
    const losses = lost.map((page) => page.waitForFunction(
      () => document.getElementById('state').dataset.state !== 'open', undefined, { ...WITHIN, polling: 20 }));
    await chat.killGateway(parseInt(killed, 16));
    await Promise.all(losses);
    await Promise.all(pages.map(isOnline));
    await agree(pages);
    await say(pages[0], 'here again');
    await Promise.all(pages.map((page) => bubble(page, 'here again').waitFor(WITHIN)));
    for (const page of pages.filter((one) => !lost.includes(one))) {
      const entered = page.frames.filter((frame) => /"type":"login".*client_list/.test(String(frame)));
      assert.deepEqual(entered, [], 'the others stayed connected');
    }
    await leave(...pages);
  });

  test('phone width: nothing sticks out, the panes slide in', async () => {
    const page = await visit('Ann', { room: 'phone', viewport: { width: 375, height: 700 }, hasTouch: true, isMobile: true });
    await say(page, 'x'.repeat(200));
    await bubble(page, 'xxx').waitFor(WITHIN);
    const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.equal(widths[0], widths[1]);
    assert.equal(await page.getByTestId('room-list').isVisible(), false);
    await page.getByTestId('show-rooms').click();
    await page.getByTestId('room-3').click();
    await page.getByTestId('show-members').click();
    await page.getByTestId('member-list').waitFor({ state: 'visible' });
    assert.deepEqual(page.faults, []);
    await leave(page);
  });

  if (process.env.SCREENSHOTS) {
    test('pictures for the documentation', async () => {
      const { takePictures } = await import('./pictures.mjs');
      await takePictures({ visit, members, say, bubble, folder: `${ROOT}/docs` });
    });
  }
});
