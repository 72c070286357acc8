// What the browser tests stand on: a running chat with ports of its own, and Chromium.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { chromium } from 'playwright-core';

export const ROOT = path.resolve(import.meta.dirname, '../..');
const BINARY = path.resolve(process.env.GATEHOUSE ?? `${ROOT}/build/gatehouse`);
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const SLOW = Number(process.env.TEST_SLOW ?? 1);
const GATEWAYS = 2;

const run = promisify(execFile);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The first of n neighbouring ports, below those of outgoing connections, that nobody listens on. */
async function freePorts(n) {
  const isFree = (port) => new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
  for (;;) {
    const first = 10_000 + Math.floor(Math.random() * 20_000);
    const ports = Array.from({ length: n }, (_, i) => first + i);
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return first;
  }
}

const config = (port, worker) => `
[registry]
listen = text://127.0.0.1:${port}

[gateway chat]
listen = websocket://127.0.0.1:${port + 1}
count = ${GATEWAYS}
lan_ip = 127.0.0.1
start_port = ${port + 3}
register_address = 127.0.0.1:${port}
ping_interval = 10
ping_data = {"type":"ping"}

[worker chat]
count = 4
events = ${ROOT}/apps/chat/events.c
${worker}
register_address = 127.0.0.1:${port}

[web]
listen = http://127.0.0.1:${port + 2}
root = ${ROOT}/apps/chat/web
websocket_port = ${port + 1}
`;

/** Starts the chat in a folder of its own; worker: more lines for its [worker] section. */
export async function startChat({ worker = '' } = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-browser-'));
  const port = await freePorts(3 + GATEWAYS);
  const conf = path.join(folder, 'chat.conf');
  await writeFile(conf, config(port, worker));
  const server = spawn(BINARY, ['start', '-c', conf], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  server.stdout.on('data', (data) => { output += data; });
  server.stderr.on('data', (data) => { output += data; });
  const ended = new Promise((resolve) => server.once('exit', resolve));

  const processes = async () => {
    const { stdout } = await run(BINARY, ['status', '--json', '-c', conf]);
    return JSON.parse(stdout).processes;
  };
  const isUp = async () => {
    try {
      return (await processes()).every((one) => one.ready !== false)
        && (await fetch(`http://127.0.0.1:${port + 2}/health`)).ok;
    } catch {
      return false;
    }
  };
  const deadline = Date.now() + 20_000 * SLOW;
  while (!(await isUp())) {
    if (Date.now() > deadline || server.exitCode !== null) throw new Error(`the chat did not start:\n${output}`);
    await sleep(50);
  }

  return {
    url: `http://127.0.0.1:${port + 2}`,
    innerPorts: Array.from({ length: GATEWAYS }, (_, slot) => port + 3 + slot),
    /** Kills the gateway process with that inner port. @param {number} innerPort */
    async killGateway(innerPort) {
      const gateways = (await processes()).filter((one) => one.kind === 'gateway');
      process.kill(gateways.find((one) => one.slot === innerPort - port - 3).pid, 'SIGKILL');
    },
    async stop() {
      server.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
      if (/AddressSanitizer|runtime error:|LeakSanitizer/.test(output)) throw new Error(output);
    },
  };
}

/** A browser that talks to nobody but the chat, with a profile that vanishes. */
export const openBrowser = () => chromium.launch({
  executablePath: CHROMIUM,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
