// The chat over https and wss in a real browser that trusts a certificate authority of our own, and no other certificate.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { openBrowser, startChat } from './stage.mjs';

const SLOW = Number(process.env.TEST_SLOW ?? 1);
const WITHIN = { timeout: 15_000 * SLOW };

const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-tls-'));
const at = (name) => path.join(folder, name);
const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });

/** Makes an authority, a certificate of localhost signed by it, and a home whose certificate store trusts the authority. */
function makeTrust() {
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj',
    '/CN=Gatehouse test authority', '-keyout', at('ca.key'), '-out', at('ca.pem'));
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=localhost',
    '-keyout', at('site.key'), '-out', at('site.csr'));
  writeFileSync(at('san.txt'), 'subjectAltName=DNS:localhost\n');
  openssl('x509', '-req', '-in', at('site.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial',
    '-days', '2', '-extfile', at('san.txt'), '-out', at('site.pem'));
  const store = at('home/.pki/nssdb');
  mkdirSync(store, { recursive: true });
  execFileSync('certutil', ['-N', '-d', `sql:${store}`, '--empty-password']);
  execFileSync('certutil', ['-A', '-d', `sql:${store}`, '-n', 'test', '-t', 'C,,', '-i', at('ca.pem')]);
}

/** @type {Awaited<ReturnType<typeof startChat>>} */ let chat;

before(async () => {
  makeTrust();
  chat = await startChat({ tls: `tls_cert = ${at('site.pem')}\ntls_key = ${at('site.key')}` });
});

after(async () => {
  await chat?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('two pages chat over https and wss', async () => {
  const browser = await openBrowser({ home: at('home') });
  try {
    const pages = [];
    for (const name of ['Anna', 'Ben']) {
      const own = await browser.newContext({ locale: 'en-GB' });
      const page = await own.newPage();
      page.sockets = [];
      page.on('websocket', (socket) => page.sockets.push(socket.url()));
      await page.goto(`${chat.url}/?room_id=1`);
      await page.getByTestId('name').fill(name);
      await page.getByTestId('enter').click();
      await page.locator('#state[data-state=open]').waitFor(WITHIN);
      pages.push(page);
    }
    const [anna, ben] = pages;
    await anna.getByTestId('text').fill('said over TLS');
    await anna.getByTestId('text').press('Enter');
    await ben.getByTestId('bubble').filter({ hasText: 'said over TLS' }).waitFor(WITHIN);
    for (const page of pages) {
      assert.equal(page.sockets.length, 1);
      assert.match(page.sockets[0], /^wss:\/\/localhost:/);
    }
  } finally {
    await browser.close();
  }
});

test('a browser that does not know the authority stays away', async () => {
  mkdirSync(at('stranger'));
  const browser = await openBrowser({ home: at('stranger') });
  try {
    const page = await browser.newPage();
    await assert.rejects(page.goto(chat.url), /ERR_CERT_AUTHORITY_INVALID/);
  } finally {
    await browser.close();
  }
});
