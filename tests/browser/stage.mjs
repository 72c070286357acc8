// What the browser tests stand on: a running server with ports of its own, and Chromium.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { chromium } from 'playwright-core';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const BINARY = path.resolve(process.env.GATEHOUSE ?? `${ROOT}/build/gatehouse`);
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const SLOW = Number(process.env.TEST_SLOW ?? 1);
const GATEWAYS = 2;

const run = promisify(execFile);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * The first of n neighbouring ports, below those of outgoing connections, that nobody listens on. TEST_PORTS=FROM-TO
 * keeps runs side by side apart.
 */
export async function freePorts(n) {
  const isFree = (port) => new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
  const [low, high] = (process.env.TEST_PORTS ?? '10000-30000').split('-').map(Number);
  for (;;) {
    const first = low + Math.floor(Math.random() * (high - low - n));
    const ports = Array.from({ length: n }, (_, i) => first + i);
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return first;
  }
}

const config = (port, worker, tls) => `
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
sse = true
${tls}

[worker chat]
count = 4
events = ${ROOT}/apps/chat/events.c
${worker}
register_address = 127.0.0.1:${port}

[web]
listen = http://127.0.0.1:${port + 2}
root = ${ROOT}/apps/chat/web
websocket_port = ${port + 1}
${tls}
`;

/** Until ask() gives true, which may throw meanwhile, or hopeless() does. */
async function until(ask, complaint, hopeless = () => false) {
  const deadline = Date.now() + 20_000 * SLOW;
  for (;;) {
    try {
      if (await ask()) return;
    } catch {
      // Not yet.
    }
    if (Date.now() > deadline || hopeless()) throw new Error(complaint());
    await sleep(50);
  }
}

/** Starts a program and waits until isUp(); what it says about sanitizers fails its stop(). */
export async function startProgram(command, args, { env = {}, cwd, isUp }) {
  const program = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  program.stdout.on('data', (data) => { output += data; });
  program.stderr.on('data', (data) => { output += data; });
  const ended = new Promise((resolve) => program.once('exit', resolve));
  await until(isUp, () => `${command} did not start:\n${output}`, () => program.exitCode !== null);
  return {
    output: () => output,
    async stop() {
      program.kill('SIGTERM');
      await ended;
      if (/AddressSanitizer|runtime error:|LeakSanitizer/.test(output)) throw new Error(output);
    },
  };
}

/** Starts a server with that config in a folder of its own. */
export async function startServer(text, { env = {} } = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-browser-'));
  const conf = path.join(folder, 'test.conf');
  await writeFile(conf, text);
  const processes = async () => {
    const { stdout } = await run(BINARY, ['status', '--json', '-c', conf], { env: { ...process.env, ...env } });
    return JSON.parse(stdout).processes;
  };
  const server = await startProgram(BINARY, ['start', '-c', conf], {
    env,
    isUp: async () => (await processes()).every((one) => one.ready !== false),
  });
  return {
    processes,
    /** Runs another command of the server's. @param {string[]} words */
    command: (...words) => run(BINARY, [...words, '-c', conf], { env: { ...process.env, ...env } }),
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Starts the chat; worker: more lines for its [worker] section; tls: keys that make gateway and web wss and https. */
export async function startChat({ worker = '', tls = '' } = {}) {
  const port = await freePorts(3 + GATEWAYS);
  const server = await startServer(config(port, worker, tls));
  if (!tls) await until(async () => (await fetch(`http://127.0.0.1:${port + 2}/health`)).ok, () => 'no page is served');
  return {
    url: tls ? `https://localhost:${port + 2}` : `http://127.0.0.1:${port + 2}`,
    websocketPort: port + 1,
    innerPorts: Array.from({ length: GATEWAYS }, (_, slot) => port + 3 + slot),
    /** Kills the gateway process with that inner port; another one serves in its place afterwards. @param {number} innerPort */
    async killGateway(innerPort) {
      const gateway = async () => (await server.processes())
        .find((one) => one.kind === 'gateway' && one.slot === innerPort - port - 3);
      const { pid } = await gateway();
      process.kill(pid, 'SIGKILL');
      await until(async () => {
        const now = await gateway();
        return now.ready && now.pid !== pid;
      }, () => 'no gateway came back');
    },
    command: server.command,
    stop: server.stop,
  };
}

/** A browser that talks to nobody but the chat, with a profile that vanishes; home: where it finds its certificates. */
export const openBrowser = ({ home } = {}) => chromium.launch({
  executablePath: CHROMIUM,
  env: home ? { ...process.env, HOME: home } : process.env,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
