// A line to a Gatehouse gateway: WebSocket, or where that does not get through, server-sent events down and POST up.
// It opens itself again whenever it is lost, later and later, with chance. docs/fallback.md has the wire.

const DEFAULTS = {
  fallback: true,
  fallbackAfterMs: 2000,
  openTimeoutMs: 10_000,
  firstDelayMs: 500,
  delayMaxMs: 15_000,
  silenceMs: 0,
  protocols: [],
};
/** A POST carries so much at most, or one message; the rest follows in the next. */
const POST_MAX_BYTES = 256 * 1024;
/** A page that is going may have 64 KiB of requests under way that outlive it (Fetch, "keepalive"). */
const GOODBYE_MAX_BYTES = 60 * 1024;
/** A question for what became of a session waits so long. */
const ASK_TIMEOUT_MS = 5000;
/** So often the last words are said again when they do not get through. */
const GOODBYE_TRIES = 5;
/** Once WebSocket has worked here, so many failures in a row mean that the network has changed. */
const FAILURES_BEFORE_FALLBACK = 3;

const encoder = new TextEncoder();

/** @param {string} base64 */
function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)).buffer;
}

/** The server, or a proxy in front of it, is not to be reached now: what was asked may be asked again. */
const isAway = (/** @type {number} */ status) => status === 0 || status === 502 || status === 504;
const isFull = (/** @type {number} */ status) => status === 503;

/** Absolute, and a WebSocket's: older browsers take neither relative addresses nor http. @param {string} url */
function absoluteUrl(url) {
  const absolute = new URL(url, document.baseURI);
  absolute.protocol = absolute.protocol.replace(/^http/, 'ws');
  return absolute.href;
}

const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** "LENGTH KIND :" and the bytes, as proto/sse.h describes. @param {string | ArrayBuffer | ArrayBufferView} data */
function recordOf(data) {
  const isText = typeof data === 'string';
  const bytes = isText ? encoder.encode(data)
    : ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
  const head = encoder.encode(`${bytes.length}${isText ? 't' : 'b'}:`);
  const record = new Uint8Array(head.length + bytes.length);
  record.set(head);
  record.set(bytes, head.length);
  return record;
}

/** What one transport tells: each of these is called at most as its name says, and never after close(). */
class Quiet {
  onOpen = (/** @type {boolean} */ _isResumed) => {};
  onMessage = (/** @type {string | ArrayBuffer} */ _data) => {};
  onEnd = (/** @type {number} */ _code, /** @type {string} */ _reason) => {};
}

class SocketTransport {
  name = 'websocket';
  /** @type {WebSocket} */ #socket;

  /** @param {string} url @param {string[]} protocols @param {Quiet} tell */
  constructor(url, protocols, tell) {
    const socket = new WebSocket(url, protocols);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => tell.onOpen(false);
    socket.onmessage = (event) => tell.onMessage(event.data);
    socket.onclose = (event) => tell.onEnd(event.code, event.reason);
    this.#socket = socket;
  }

  /** @param {string | ArrayBuffer | ArrayBufferView} data */
  send(data) {
    if (this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(/** @type {any} */ (data));
    return true;
  }

  /** @param {number} [code] @param {string} [reason] */
  close(code, reason) {
    const socket = this.#socket;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(code, reason);
  }

  get canResume() {
    return false;
  }
}

/** Events and POSTs of one session. Its stream may be lost and found again; nothing is lost with it. */
class EventTransport {
  name = 'sse';
  /** @type {string} */ #base;
  /** @type {Quiet} */ #tell;
  /** @type {EventSource | undefined} */ #source;
  /** @type {string | undefined} */ #session;
  /** @type {Uint8Array[]} not acknowledged; the first has the number #first */ #outbox = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #retry;
  #first = 1;
  #last = 0;
  #acknowledged = 0;
  #resumeMs = 0;
  #lostAt = 0;
  #unsentSince = 0;
  #tries = 0;
  #isPosting = false;
  #isOver = false;

  /** @param {string} url of the WebSocket @param {Quiet} tell */
  constructor(url, tell) {
    const base = new URL(url);
    base.protocol = base.protocol === 'wss:' ? 'https:' : 'http:';
    base.pathname = base.pathname.replace(/\/$/, '');
    base.hash = '';
    this.#base = base.href;
    this.#tell = tell;
    this.#listen();
  }

  /** @param {string} name @param {Record<string, string | number>} parameters */
  #url(name, parameters) {
    const url = new URL(this.#base);
    url.pathname += `${url.pathname.endsWith('/') ? '' : '/'}${name}`;
    for (const [key, value] of Object.entries(parameters)) url.searchParams.set(key, String(value));
    return url.href;
  }

  #streamUrl() {
    return this.#url('sse', this.#session ? { session: this.#session, last: this.#last } : {});
  }

  #listen() {
    const isNew = !this.#session;
    const source = new EventSource(this.#streamUrl(), { withCredentials: true });
    this.#source = source;
    source.addEventListener('open', (event) => {
      // The browser's own "open" comes first and has no data.
      if (!(event instanceof MessageEvent) || source !== this.#source) return;
      const told = JSON.parse(event.data);
      this.#session = told.session;
      this.#resumeMs = told.resume_ms;
      this.#lostAt = this.#tries = 0;
      this.#drop(told.received);
      this.#tell.onOpen(!isNew);
      this.#post();
    });
    const take = (/** @type {MessageEvent} */ event, /** @type {string | ArrayBuffer} */ data) => {
      if (source !== this.#source) return;
      this.#last = Number(event.lastEventId);
      this.#tell.onMessage(data);
      if (this.#last - this.#acknowledged >= 64) this.#post(true);
    };
    source.addEventListener('message', (event) => take(event, event.data));
    source.addEventListener('binary', (event) => take(event, bytesOf(event.data)));
    source.addEventListener('close', (event) => {
      if (source !== this.#source || !(event instanceof MessageEvent)) return;
      const [code, ...reason] = event.data.split(' ');
      this.#end(Number(code), reason.join(' '));
    });
    source.onerror = () => {
      if (source !== this.#source) return;
      if (this.#session && source.readyState === EventSource.CLOSED) this.#askWhy();
      else this.#lose();
    };
  }

  /** The server has answered, and not with a stream; a browser does not tell how. */
  async #askWhy() {
    this.#source = undefined;
    let status = 0;
    try {
      const signal = AbortSignal.timeout(ASK_TIMEOUT_MS);
      const answer = await fetch(this.#streamUrl(), { credentials: 'include', cache: 'no-store', signal });
      status = answer.status;
      await answer.body?.cancel();
    } catch {
      // As good as no answer.
    }
    if (this.#isOver) return;
    if (status >= 400 && status < 500) this.#end(1006, ''); // the session is gone, or events behind the last one are
    else this.#lose();
  }

  /** The stream is gone. The session lives on for a while, and so do we; a first stream has none. */
  #lose() {
    this.#source?.close();
    this.#source = undefined;
    this.#lostAt ||= Date.now();
    if (!this.#session || Date.now() - this.#lostAt > this.#resumeMs) {
      this.#end(1006, '');
      return;
    }
    const delay = Math.min(2000, 100 * 2 ** this.#tries++);
    this.#retry = setTimeout(() => this.#listen(), delay / 2 + (Math.random() * delay) / 2);
  }

  /** @param {number} code @param {string} reason */
  #end(code, reason) {
    if (this.#isOver) return;
    this.#stop();
    this.#tell.onEnd(code, reason);
  }

  #stop() {
    this.#isOver = true;
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = undefined;
  }

  /** Messages that have arrived. @param {number} received */
  #drop(received) {
    const n = Math.min(this.#outbox.length, received - this.#first + 1);
    if (n <= 0) return;
    this.#outbox.splice(0, n);
    this.#first += n;
  }

  /** What waits, up to so many bytes, and one message in any case. @param {number} maxBytes */
  #batch(maxBytes) {
    let n = 0;
    for (let bytes = 0; n < this.#outbox.length; n++) {
      bytes += this.#outbox[n].length;
      if (n > 0 && bytes > maxBytes) break;
    }
    return this.#outbox.slice(0, n);
  }

  /** Posts what waits, one request at a time, and again when it is not known to have arrived. */
  async #post(isOnlyAcknowledging = false) {
    if (this.#isPosting || this.#isOver || !this.#session) return;
    if (!this.#outbox.length && !isOnlyAcknowledging) return;
    this.#isPosting = true;
    const batch = this.#batch(POST_MAX_BYTES);
    const [first, last] = [this.#first, this.#last];
    const status = await this.#request({ n: first, last }, batch);
    this.#isPosting = false;
    if (this.#isOver) return;
    this.#unsentSince = isAway(status) ? this.#unsentSince || Date.now() : 0;
    if (status === 204) {
      this.#acknowledged = last;
      this.#drop(first + batch.length - 1); // a stream found again may have told of them already
      this.#tries = 0;
      this.#post();
    } else if (isFull(status) || (isAway(status) && Date.now() - this.#unsentSince <= this.#resumeMs)) {
      setTimeout(() => this.#post(isOnlyAcknowledging), 200 + Math.random() * 500);
    } else {
      this.#end(1006, ''); // the session is gone, or nothing gets through although events come
    }
  }

  /**
   * What waits, and the goodbye with the last of it. All that leaves at once gets through although the page goes; more
   * than that follows as long as the page lives, and when it does not, the server waits for the session in vain.
   * @param {number} code
   */
  async #leave(code) {
    for (let tries = 0; tries < GOODBYE_TRIES;) {
      const batch = this.#batch(GOODBYE_MAX_BYTES);
      const isLast = batch.length === this.#outbox.length;
      const first = this.#first;
      const status = await this.#request({ n: first, ...(isLast && { close: code }) }, batch, true);
      if (status === 204) {
        this.#drop(first + batch.length - 1);
        if (isLast) return;
        tries = 0;
      } else if (isAway(status) || isFull(status)) {
        tries++;
        await sleep(200 + Math.random() * 500);
      } else {
        return; // there is no such session any more
      }
    }
  }

  /**
   * The status, 0 without an answer.
   * @param {Record<string, string | number>} parameters @param {Uint8Array[]} batch
   * @param {boolean} [outlivesPage] as far as it is not too large for that
   */
  async #request(parameters, batch, outlivesPage = false) {
    const body = new Blob(/** @type {BlobPart[]} */ (batch));
    const keepalive = outlivesPage && body.size <= GOODBYE_MAX_BYTES;
    try {
      const url = this.#url('send', { session: this.#session ?? '', ...parameters });
      return (await fetch(url, { method: 'POST', body, keepalive, credentials: 'include', cache: 'no-store' })).status;
    } catch {
      return 0;
    }
  }

  /** @param {string | ArrayBuffer | ArrayBufferView} data */
  send(data) {
    if (this.#isOver || !this.#session) return false;
    this.#outbox.push(recordOf(data));
    queueMicrotask(() => this.#post()); // what is sent together travels together
    return true;
  }

  /** @param {number} [code] */
  close(code = 1000) {
    if (this.#isOver) return;
    this.#stop();
    if (this.#session) this.#leave(code);
  }

  get canResume() {
    return !this.#isOver && this.#session !== undefined;
  }
}

/**
 * Events: "state" with detail {state, transport, isResumed, seconds}, "message" with the data (text or ArrayBuffer).
 */
export class Gatehouse extends EventTarget {
  /** @type {string | (() => string | Promise<string>)} */ #url;
  /** @type {typeof DEFAULTS & {protocols: string[]}} */ #options;
  /** @type {SocketTransport | EventTransport | undefined} */ #line;
  /** @type {{close(code?: number): void}[]} */ #candidates = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #retry;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #giveUp;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #fallBack;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #silence;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #countdown;
  /** @type {import('./gatehouse.js').LineState} */ #state = { state: 'closed' };
  /** @type {AbortController | undefined} while we listen to the page */ #page;
  #attempt = 0;
  #failures = 0;
  #hasSocketWorked = false;

  /**
   * @param {string | (() => string | Promise<string>)} url "wss://host/path", "/path" of this host, or what answers with it each time
   * @param {Partial<typeof DEFAULTS>} [options]
   */
  constructor(url, options = {}) {
    super();
    this.#url = url;
    this.#options = { ...DEFAULTS, ...options };
  }

  #watchPage() {
    if (this.#page) return;
    this.#page = new AbortController();
    const { signal } = this.#page;
    addEventListener('online', () => this.#retry && this.open(), { signal });
    // A page that goes says so, since the server would wait for its events to be fetched again. Back out of the
    // browser's cache it opens a new line.
    addEventListener('pagehide', () => this.#line?.canResume && this.#lose(1001, 'the page was left'), { signal });
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && this.#retry) this.open();
    }, { signal });
  }

  get state() {
    return this.#state;
  }

  get transport() {
    return this.#line?.name;
  }

  async open() {
    this.#watchPage();
    this.#clear();
    this.#tell({ state: 'connecting' });
    const attempt = ++this.#attempt;
    this.#giveUp = setTimeout(() => this.#lose(), this.#options.openTimeoutMs);
    const url = await this.#findUrl();
    if (attempt !== this.#attempt) return;
    if (url === undefined) {
      this.#lose();
      return;
    }
    const isTried = this.#hasSocketWorked && this.#failures < FAILURES_BEFORE_FALLBACK;
    if (this.#options.fallback && !isTried)
      this.#fallBack = setTimeout(() => this.#tryEvents(url), this.#options.fallbackAfterMs);
    this.#trySocket(url);
  }

  /** Leaves for good. @param {number} [code] @param {string} [reason] */
  close(code = 1000, reason = '') {
    ++this.#attempt;
    this.#clear(code, reason);
    this.#failures = 0;
    this.#page?.abort();
    this.#page = undefined;
    this.#tell({ state: 'closed' });
  }

  /** Leaves at once and comes again. */
  reopen() {
    this.#clear(1000);
    this.#failures = 0;
    this.open();
  }

  /** All is well beyond the opening: the next loss begins with a short delay again. */
  settle() {
    this.#failures = 0;
  }

  /** @param {string | ArrayBuffer | ArrayBufferView} data @returns {boolean} whether it is on its way */
  send(data) {
    return this.#line?.send(data) ?? false;
  }

  /** What is asked for it may be out of reach just as the gateway is: undefined then, as of a lost line. */
  async #findUrl() {
    try {
      return absoluteUrl(await (typeof this.#url === 'function' ? this.#url() : this.#url));
    } catch (error) {
      console.warn('Gatehouse: the URL is not to be had or none; another attempt follows', error);
      return undefined;
    }
  }

  /** @param {string} url */
  #trySocket(url) {
    const tell = new Quiet();
    let socket;
    try {
      socket = new SocketTransport(url, this.#options.protocols, tell);
    } catch {
      this.#goOn(url);
      return;
    }
    this.#follow(socket, tell, url);
  }

  /** @param {string} url */
  #tryEvents(url) {
    clearTimeout(this.#fallBack);
    this.#fallBack = undefined;
    const tell = new Quiet();
    this.#follow(new EventTransport(url, tell), tell, url);
  }

  /** One of the ways has failed. The other is tried, or may still open: #giveUp ends the wait. @param {string} url */
  #goOn(url) {
    if (this.#fallBack) this.#tryEvents(url);
    else if (!this.#candidates.length) this.#lose();
  }

  /**
   * The first that opens is the line, and the other is let go.
   * @param {SocketTransport | EventTransport} candidate @param {Quiet} tell @param {string} url
   */
  #follow(candidate, tell, url) {
    this.#candidates.push(candidate);
    tell.onOpen = (isResumed) => {
      clearTimeout(this.#giveUp);
      clearTimeout(this.#fallBack);
      this.#fallBack = undefined;
      for (const other of this.#candidates) if (other !== candidate) other.close();
      this.#candidates = [];
      this.#line = candidate;
      this.#hasSocketWorked ||= candidate.name === 'websocket';
      this.#watchSilence();
      this.#tell({ state: 'open', transport: candidate.name, isResumed });
    };
    tell.onMessage = (data) => {
      this.#watchSilence();
      this.dispatchEvent(new MessageEvent('message', { data }));
    };
    tell.onEnd = (code, reason) => {
      this.#candidates = this.#candidates.filter((one) => one !== candidate);
      if (this.#line === candidate) this.#lose(code, reason);
      else if (!this.#line) this.#goOn(url);
    };
  }

  #watchSilence() {
    clearTimeout(this.#silence);
    if (this.#options.silenceMs) this.#silence = setTimeout(() => this.#lose(), this.#options.silenceMs);
  }

  /** Full jitter: many pages that lost the same gateway do not come back at the same moment. */
  #lose(code = 1006, reason = '') {
    ++this.#attempt;
    this.#clear();
    const ceiling = Math.min(this.#options.delayMaxMs, this.#options.firstDelayMs * 2 ** this.#failures++);
    const delay = ceiling / 2 + (Math.random() * ceiling) / 2;
    const due = Date.now() + delay;
    const tell = () => this.#tell(
      { state: 'waiting', seconds: Math.max(1, Math.ceil((due - Date.now()) / 1000)), code, reason });
    tell();
    this.#countdown = setInterval(tell, 1000);
    this.#retry = setTimeout(() => this.open(), delay);
  }

  /** Ends the line, candidates and timers. @param {number} [code] @param {string} [reason] */
  #clear(code, reason) {
    for (const timer of [this.#retry, this.#giveUp, this.#fallBack, this.#silence]) clearTimeout(timer);
    clearInterval(this.#countdown);
    this.#retry = this.#giveUp = this.#fallBack = undefined;
    const old = this.#line;
    this.#line = undefined;
    old?.close(code, reason);
    for (const one of this.#candidates) one.close();
    this.#candidates = [];
  }

  /** @param {import('./gatehouse.js').LineState} state */
  #tell(state) {
    this.#state = state;
    this.dispatchEvent(new CustomEvent('state', { detail: state }));
  }
}
