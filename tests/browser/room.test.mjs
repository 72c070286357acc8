// What the page makes of messages about who is here, without a browser or a server: lists whole and in parts,
// notices of one and of many, and notices that overtake the list.

import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

globalThis.navigator ??= /** @type {any} */ ({ language: 'en' }); // what i18n.js asks for
// Node 18 takes a .js file for a module only where a package.json says so, and a web page has none.
const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-room-'));
await cp(fileURLToPath(new URL('../../apps/chat/web/js', import.meta.url)), folder, { recursive: true });
await writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
const { Room } = await import(pathToFileURL(path.join(folder, 'room.js')).href);
await rm(folder, { recursive: true });

const TIME = '2026-11-20 12:00:00';

function enter() {
  const seen = { notices: [], doubts: 0 };
  const room = new Room({
    onNotice: ({ kind, name }) => seen.notices.push(`${kind} ${name}`),
    onMembers: () => {},
    onDoubt: () => { seen.doubts += 1; },
  });
  room.expect();
  return { room, seen, tell: (message) => room.onMessage({ time: TIME, ...message }) };
}

const here = (room) => Object.fromEntries(room.members);

test('a list in parts is taken when the last part is there', () => {
  const { room, seen, tell } = enter();
  tell({ type: 'login', client_id: 'm', client_name: 'Me', client_list: { m: 'Me' }, parts: 2 });
  assert.equal(room.myId, 'm');
  tell({ type: 'members', client_list: { a: 'Ann', b: 'B&amp;B' } });
  tell({ type: 'members', client_list: { c: 'Cid', m: 'Me' } });
  assert.deepEqual(here(room), { m: 'Me', a: 'Ann', b: 'B&B', c: 'Cid' });
  tell({ type: 'members', client_list: { x: 'nobody announced this part' } });
  assert.equal(room.members.has('x'), false);
  assert.deepEqual(seen.notices, ['entered Me']);
});

test('notices between the parts count, also those that contradict a later part', () => {
  const { room, tell } = enter();
  tell({ type: 'login', client_id: 'm', client_name: 'Me', client_list: { m: 'Me' }, parts: 2 });
  tell({ type: 'members', client_list: { a: 'Ann' } });
  tell({ type: 'logout', from_client_id: 'b', from_client_name: 'Bob' });
  tell({ type: 'login', client_id: 'd', client_name: 'Dan' });
  tell({ type: 'members', client_list: { b: 'Bob', m: 'Me' } });
  assert.deepEqual(here(room), { m: 'Me', a: 'Ann', d: 'Dan' });
});

test('many who come at once are one notice, and all are here', () => {
  const { room, seen, tell } = enter();
  tell({ type: 'login', client_id: 'm', client_name: 'Me', client_list: { m: 'Me' } });
  tell({ type: 'logins', clients: { a: 'Ann', b: 'Bob' } });
  tell({ type: 'logins', clients: { c: 'Cid', d: 'Dan', e: 'Eve', f: 'Fay' } });
  assert.deepEqual(here(room), { m: 'Me', a: 'Ann', b: 'Bob', c: 'Cid', d: 'Dan', e: 'Eve', f: 'Fay' });
  assert.deepEqual(seen.notices, ['entered Me', 'joined Ann, Bob', 'joined Cid, Dan, Eve … (4)']);
  assert.equal(seen.doubts, 0);
  tell({ type: 'logins', clients: { g: 'Gil', h: 'Ann' } });
  assert.equal(seen.doubts, 1, 'a second Ann may be the first one come back');
});
