// The WebSocket to the gateway: opened again whenever it is lost, later and later, with chance.

const FIRST_DELAY_MS = 500;
const DELAY_MAX_MS = 15_000;
/** The gateway pings every ten seconds; silence for this long means that the line is dead. */
const SILENCE_MAX_MS = 35_000;

/**
 * @typedef {{state: 'connecting'} | {state: 'open'} | {state: 'waiting', seconds: number}} State
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
  /** @type {WebSocket | undefined} */ #socket;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #retry;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #silence;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #countdown;
  #failures = 0;
  #attempts = 0;
  #handlers;

  /** @param {Handlers} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
    addEventListener('online', () => this.#retry && this.open());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && this.#retry) this.open();
    });
  }

  async open() {
    this.#stopWaiting();
    this.#handlers.onState({ state: 'connecting' });
    const attempt = ++this.#attempts;
    const url = await findGateway();
    if (attempt !== this.#attempts) return;
    const socket = new WebSocket(url);
    this.#socket = socket;
    const isMine = () => socket === this.#socket;
    socket.onopen = () => {
      if (!isMine()) return;
      this.#watchSilence();
      this.#handlers.onState({ state: 'open' });
    };
    socket.onmessage = (event) => isMine() && this.#onText(event.data);
    socket.onclose = () => isMine() && this.#wait();
  }

  /** Leaves at once and comes again, for another room or name. */
  reopen() {
    const old = this.#socket;
    this.#socket = undefined;
    old?.close();
    this.#failures = 0;
    this.open();
  }

  /** The room was entered: the next loss begins with a short delay again. */
  settle() {
    this.#failures = 0;
  }

  /** @param {object} message @returns {boolean} whether it could be handed to the socket */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** @param {unknown} text */
  #onText(text) {
    this.#watchSilence();
    let message;
    try {
      message = JSON.parse(String(text));
    } catch {
      return;
    }
    if (message?.type === 'ping') this.send({ type: 'pong' });
    else if (message) this.#handlers.onMessage(message);
  }

  #watchSilence() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      const dead = this.#socket;
      this.#wait();
      dead?.close();
    }, SILENCE_MAX_MS);
  }

  /** Full jitter: many pages that lost the same gateway do not come back at the same moment. */
  #wait() {
    this.#stopWaiting();
    this.#socket = undefined;
    const ceiling = Math.min(DELAY_MAX_MS, FIRST_DELAY_MS * 2 ** this.#failures++);
    const delay = ceiling / 2 + (Math.random() * ceiling) / 2;
    const due = Date.now() + delay;
    const tell = () =>
      this.#handlers.onState({ state: 'waiting', seconds: Math.max(1, Math.ceil((due - Date.now()) / 1000)) });
    tell();
    this.#countdown = setInterval(tell, 1000);
    this.#retry = setTimeout(() => this.open(), delay);
  }

  #stopWaiting() {
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    clearInterval(this.#countdown);
    this.#retry = undefined;
  }
}
