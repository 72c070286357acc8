// The example sites in a real browser: a page tells its site the client_id, and the site pushes to it.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { ROOT, freePorts, openBrowser, startProgram, startServer } from './stage.mjs';

const WITHIN = { timeout: 15_000 * Number(process.env.TEST_SLOW ?? 1) };
const TOKEN = 'token of the browser test'.replaceAll(' ', '-');

/** The config of an example, on ports of its own. */
async function configOf(example, port) {
  const folder = path.join(ROOT, 'examples', example);
  const text = await readFile(path.join(folder, 'site.conf'), 'utf8');
  return text
    .replace('1:1236', `1:${port}`)
    .replace('1:7272', `1:${port + 1}`)
    .replace('1:55151', `1:${port + 2}`)
    .replace('2300', String(port + 3))
    .replaceAll('../', `${ROOT}/examples/`)
    .replace(/\[(gateway site|worker site|web)\]/g, `[$1]\nregister_address = 127.0.0.1:${port}`);
}

const sites = {
  'http-site': {
    missing: '',
    start: (port, isUp) => startProgram(process.execPath, [path.join(ROOT, 'examples/http-site/site.mjs')], {
      env: {
        PORT: String(port + 4),
        SITE_TOKEN: TOKEN,
        GATEHOUSE_API: `http://127.0.0.1:${port + 2}`,
        GATEWAY_URL: `ws://127.0.0.1:${port + 1}`,
      },
      isUp,
    }),
  },
  'php-site': {
    missing: existsSync(path.join(process.env.GATEWAYWORKER_DIR ?? '', 'GatewayClient/Gateway.php'))
      && process.env.GATEWAYWORKER_DIR ? '' : 'GATEWAYWORKER_DIR is no folder with GatewayClient',
    /** A copy of the site beside the page, with what composer would have installed. */
    async start(port, isUp) {
      const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-site-'));
      await cp(path.join(ROOT, 'examples/php-site'), path.join(folder, 'php-site'), { recursive: true });
      await cp(path.join(ROOT, 'examples/site'), path.join(folder, 'site'), { recursive: true });
      await mkdir(path.join(folder, 'php-site/vendor'), { recursive: true });
      await mkdir(path.join(folder, 'sessions'));
      await writeFile(path.join(folder, 'php-site/vendor/autoload.php'),
        "<?php require getenv('GATEWAYWORKER_DIR') . '/GatewayClient/Gateway.php';\n");
      const site = await startProgram('php', [
        '-d', `session.save_path=${path.join(folder, 'sessions')}`, '-S', `127.0.0.1:${port + 4}`, 'index.php'], {
        cwd: path.join(folder, 'php-site'),
        env: { REGISTER_ADDRESS: `127.0.0.1:${port}`, GATEWAY_URL: `ws://127.0.0.1:${port + 1}`, GATEHOUSE_SECRET: '' },
        isUp,
      });
      return {
        async stop() {
          await site.stop();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  },
};

let browser;
before(async () => { browser = await openBrowser(); });
after(() => browser?.close());

/** Signs in on a page of its own, as on another computer. */
async function visit(url, name) {
  const own = await browser.newContext();
  const page = await own.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(String(error)));
  await page.goto(url);
  await page.getByPlaceholder('your name').fill(name);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText(`signed in as ${name}`).waitFor(WITHIN);
  return page;
}

async function say(page, to, text) {
  await page.getByPlaceholder('to (empty: everybody)').fill(to);
  await page.getByPlaceholder('text').fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
}

const notice = (page, text) => page.getByRole('listitem').filter({ hasText: text }).waitFor(WITHIN);
const notices = (page) => page.getByRole('listitem').allTextContents();

async function post(url, pathname, value, headers = {}) {
  const answer = await fetch(`${url}/${pathname}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(value),
  });
  return { status: answer.status, value: await answer.json(), cookie: answer.headers.get('set-cookie')?.split(';')[0] };
}

for (const [example, { missing, start }] of Object.entries(sites)) {
  describe(example, { skip: missing || false }, () => {
    let server;
    let site;
    let url;

    before(async () => {
      const port = await freePorts(5);
      url = `http://127.0.0.1:${port + 4}`;
      server = await startServer(await configOf(example, port), { env: { SITE_TOKEN: TOKEN } });
      site = await start(port, async () => (await fetch(url)).ok);
    });
    after(async () => {
      await site?.stop();
      await server?.stop();
    });

    test('visitors are pushed to by name, and all together', async () => {
      const ann = await visit(url, 'Ann');
      const bob = await visit(url, 'Bob 小');
      await say(ann, 'Bob 小', 'for you & <b>only</b>');
      await notice(bob, 'Ann: for you & <b>only</b>');
      await say(bob, '', 'for all');
      await Promise.all([ann, bob].map((page) => notice(page, 'Bob 小: for all')));
      await say(ann, 'Carl', 'anybody?');
      await ann.getByText('Carl is not here').waitFor(WITHIN);
      assert.deepEqual(await notices(ann), ['Bob 小: for all']);

      // One name, two pages: both get it.
      const again = await visit(url, 'Ann');
      await say(bob, 'Ann', 'twice');
      await Promise.all([ann, again].map((page) => notice(page, 'Bob 小: twice')));
      assert.deepEqual([...ann.faults, ...bob.faults, ...again.faults], []);
      await Promise.all([ann, bob, again].map((page) => page.context().close()));
    });

    test('who is not signed in can neither bind nor push', async () => {
      assert.equal((await post(url, 'bind', { client_id: '7f0000010b5400000001' })).status, 403);
      assert.equal((await post(url, 'say', { to: '', text: 'x' })).status, 403);
      const { status, cookie } = await post(url, 'login', { name: 'Eve' });
      assert.equal(status, 200);
      const gone = await post(url, 'bind', { client_id: '7f0000010b5400000001' }, { Cookie: cookie });
      assert.ok(gone.status === 404 || gone.status === 502, String(gone.status));
      assert.equal((await post(url, 'login', { name: '<b>' })).status, 400);
      assert.equal((await post(url, 'bind', {}, { 'Content-Type': 'text/plain' })).status, 415);
    });
  });
}
