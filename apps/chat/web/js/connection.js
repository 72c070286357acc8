// The line to the gateway, and what travels on it: JSON, with pings that are answered here.

import { Gatehouse } from '../gatehouse.js';

/** The gateway pings every ten seconds; silence for this long means that the line is dead. */
const SILENCE_MAX_MS = 35_000;

/**
 * @typedef {{state: 'connecting'} | {state: 'open', isResumed: boolean} | {state: 'waiting', seconds: number}} State
 * @typedef {{
 *   onState: (state: State) => void,
 *   onMessage: (message: any) => void,
 * }} Handlers
 */

/** @typedef {{websocket_url?: string, websocket_port?: number}} Place */

/**
 * What the server was configured to tell; asked again until it answers. A static server of another
 * make does not know the file.
 * @type {Place | undefined}
 */
let place;

/** The gateway's address, without an answer port 7272 of this host. */
async function findGateway() {
  try {
    place ??= /** @type {Place} */ (await (await fetch('gatehouse.json', { cache: 'no-cache' })).json());
  } catch {
    // Another attempt follows, or the default is right.
  }
  const told = place ?? {};
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const url = new URL(told.websocket_url ?? '/', location.href);
  if (url.protocol === 'http:' || url.protocol === 'https:') url.protocol = scheme;
  if (!told.websocket_url) {
    url.port = String(told.websocket_port ?? 7272);
    url.search = url.hash = '';
  }
  return url.href;
}

export class Connection {
  #line = new Gatehouse(findGateway, { silenceMs: SILENCE_MAX_MS });
  #handlers;

  /** @param {Handlers} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
    this.#line.addEventListener('state', (event) => handlers.onState(event.detail));
    this.#line.addEventListener('message', (event) => this.#onText(event.data));
  }

  open() {
    this.#line.open();
  }

  /** Leaves at once and comes again, for another room or name. */
  reopen() {
    this.#line.reopen();
  }

  /** The room was entered: the next loss begins with a short delay again. */
  settle() {
    this.#line.settle();
  }

  /** @param {object} message @returns {boolean} whether it could be handed to the line */
  send(message) {
    return this.#line.send(JSON.stringify(message));
  }

  /** @param {unknown} text */
  #onText(text) {
    let message;
    try {
      message = JSON.parse(String(text));
    } catch {
      return;
    }
    if (message?.type === 'ping') this.send({ type: 'pong' });
    else if (message) this.#handlers.onMessage(message);
  }
}
