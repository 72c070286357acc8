// A web site that pushes to its visitors over the HTTP API of Gatehouse. Node 18 or later, nothing else.

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

const PORT = Number(process.env.PORT ?? 8080);
const API = process.env.GATEHOUSE_API ?? 'http://127.0.0.1:55151';
const GATEWAY = process.env.GATEWAY_URL ?? 'ws://127.0.0.1:7272';
const TOKEN = process.env.SITE_TOKEN;
const PAGE = new URL('../site/page/', import.meta.url);
const GROUP = 'notices';
const BODY_MAX = 16 * 1024;

/** What goes wrong with a status of its own. */
class Fault extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** A call of the HTTP API. */
async function gatehouse(call, args) {
  const answer = await fetch(`${API}/api/${call}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(args),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Fault(502, `${call}: ${told.error?.message ?? answer.status}`);
  return told;
}

// ---- sessions: who is signed in, by the cookie ----

const names = new Map();

function nameOf(request) {
  const cookie = /(?:^|; )session=([\w-]+)/.exec(request.headers.cookie ?? '');
  return cookie ? names.get(cookie[1]) : undefined;
}

function signedIn(request) {
  const name = nameOf(request);
  if (!name) throw new Fault(403, 'sign in first');
  return name;
}

// ---- what the page posts ----

const posts = {
  '/login': async (request, response, { name }) => {
    if (typeof name !== 'string' || !/^[\p{L}\p{N} ]{1,32}$/u.test(name)) throw new Fault(400, 'what name?');
    const id = randomUUID();
    names.set(id, name);
    response.setHeader('Set-Cookie', `session=${id}; HttpOnly; SameSite=Lax; Path=/`);
    return { name, gateway: GATEWAY };
  },

  // The name comes from the session, never from the page: else anybody could be anybody.
  '/bind': async (request, response, { client_id: client }) => {
    const name = signedIn(request);
    await gatehouse('bind', { client, uid: name });
    await gatehouse('join', { client, group: GROUP });
    return { name };
  },

  '/say': async (request, response, { to, text }) => {
    const notice = { type: 'notice', from: signedIn(request), text: String(text) };
    const { receivers } = await gatehouse('send', { ...(to ? { uid: to } : { group: GROUP }), json: notice });
    if (receivers === 0) throw new Fault(404, `${to || 'nobody'} is not here`);
    return { receivers };
  },
};

async function readJson(request) {
  // Only scripts of the site itself can send this type without being asked first (CORS).
  if (request.headers['content-type'] !== 'application/json') throw new Fault(415, 'JSON, please');
  let text = '';
  for await (const part of request.setEncoding('utf8')) {
    text += part;
    if (text.length > BODY_MAX) throw new Fault(413, 'too long');
  }
  try {
    return JSON.parse(text) ?? {};
  } catch {
    throw new Fault(400, 'no JSON');
  }
}

const files = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
};

async function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://site');
  if (request.method === 'GET' && files[pathname]) {
    const [file, type] = files[pathname];
    response.setHeader('Content-Type', type);
    response.end(await readFile(new URL(file, PAGE)));
    return;
  }
  const act = request.method === 'POST' ? posts[pathname] : undefined;
  if (!act) throw new Fault(404, 'nothing here');
  const told = await act(request, response, await readJson(request));
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(told));
}

if (!TOKEN) {
  console.error('SITE_TOKEN is not set: it is the token of the [api site] section in site.conf');
  process.exit(1);
}
createServer((request, response) => {
  answer(request, response).catch((error) => {
    if (!error.status) console.error(error);
    response.statusCode = error.status ?? 500;
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ error: error.status ? error.message : 'the site is out of order' }));
  });
}).listen(PORT, '127.0.0.1', () => console.log(`http://127.0.0.1:${PORT}`));
