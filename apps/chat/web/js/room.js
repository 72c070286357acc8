// The room that this page is in, as the server's messages tell it: who is here, who says what.

import { decode } from './markup.js';

/**
 * @typedef {{kind: 'entered' | 'joined' | 'left', id: string, name: string, time: string}} Notice
 * @typedef {{
 *   id: string, name: string, html: string, time: string, isMine: boolean,
 *   isPrivate: boolean, toName: string,
 * }} Saying
 * @typedef {{
 *   onNotice: (notice: Notice) => void,
 *   onSaying: (saying: Saying) => void,
 *   onHistory: (sayings: Saying[]) => void,
 *   onStats: (stats: {views: number, visitors: number}) => void,
 *   onMembers: () => void,
 *   onDoubt: () => void,
 *   onError: (code: string, text: string) => void,
 * }} Handlers
 */

/** More than the server keeps, so that a page which comes back knows all that it is given again. */
const KNOWN_MAX = 500;
/** Names in one notice, when many come at once. */
const NAMED_MAX = 3;

export class Room {
  /** Names by client id. @type {Map<string, string>} */ members = new Map();
  /** Our client id while we are in. */ myId = '';
  /**
   * Who came (name) and went (undefined) since we asked for the list.
   * @type {Map<string, string | undefined>}
   */
  #early = new Map();
  #isAsking = false;
  /** Parts of our first list that are still to come, and what came of it. */ #parts = 0;
  /** @type {Record<string, unknown>} */ #list = {};
  /** Ids of messages that were shown, the oldest first. @type {Set<string>} */ #known = new Set();
  /**
   * Our names by our client ids, of this and earlier connections. An id alone says little: after a restart of the
   * server somebody else may have it.
   * @type {Map<string, string>}
   */
  #mine = new Map();
  #handlers;

  /** @param {Handlers} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  /** We ask to come in; what was known before counts no more. */
  expect() {
    this.myId = '';
    this.#parts = 0;
    this.expectList();
  }

  /** Nothing is on the page any more. */
  forget() {
    this.#known.clear();
    this.members.clear();
  }

  /** We ask who is here. */
  expectList() {
    this.#isAsking = true;
    this.#early.clear();
  }

  /** @param {any} message */
  onMessage(message) {
    if (message.type === 'login' && message.client_list) this.#onEntered(message);
    else if (message.type === 'login') this.#onLogins({ [message.client_id]: message.client_name }, message.time);
    else if (message.type === 'logins') this.#onLogins(message.clients, message.time);
    else if (message.type === 'members') this.#onPart(message.client_list);
    else if (message.type === 'logout') this.#onLogout(message);
    else if (message.type === 'list' && this.#isAsking) this.#takeList(message.client_list);
    else if (message.type === 'say') this.#onSay(message);
    else if (message.type === 'history') this.#onHistory(message);
    else if (message.type === 'stats') this.#handlers.onStats(message);
    else if (message.type === 'error') this.#handlers.onError(String(message.code), String(message.message));
  }

  /**
   * A notice may overtake the list, so those that came first are applied to it.
   * @param {Record<string, unknown>} list
   */
  #takeList(list) {
    this.members.clear();
    for (const [id, name] of Object.entries(list ?? {})) this.members.set(id, decode(String(name)));
    for (const [id, name] of this.#early) {
      if (name === undefined) this.members.delete(id);
      else this.members.set(id, name);
    }
    this.#isAsking = false;
    this.#early.clear();
    this.#handlers.onMembers();
  }

  /** Our own login, with everybody who is here, or how many parts of that list follow. @param {any} message */
  #onEntered(message) {
    this.myId = String(message.client_id);
    const name = decode(String(message.client_name));
    this.#mine.set(this.myId, name);
    this.#parts = Number(message.parts) || 0;
    this.#list = { ...message.client_list };
    if (this.#parts === 0) this.#takeList(this.#list);
    this.#handlers.onNotice({ kind: 'entered', id: this.myId, name, time: String(message.time) });
  }

  /** @param {Record<string, unknown>} list */
  #onPart(list) {
    if (this.#parts === 0) return;
    Object.assign(this.#list, list);
    this.#parts -= 1;
    if (this.#parts === 0) this.#takeList(this.#list);
  }

  /**
   * Somebody of a name that is here already may be a second one, or the same person over another gateway
   * because the first one was killed and told nobody.
   * @param {Record<string, unknown>} clients names by id
   * @param {unknown} time
   */
  #onLogins(clients, time) {
    const came = Object.entries(clients ?? {}).map(([id, name]) => ({ id, name: decode(String(name)) }));
    const idOf = new Map([...this.members].map(([id, name]) => [name, id]));
    for (const { id, name } of came) {
      if (this.#isAsking) this.#early.set(id, name);
      this.members.set(id, name);
    }
    this.#handlers.onMembers();
    const names = came.slice(0, NAMED_MAX).map(({ name }) => name).join(', ');
    const name = came.length > NAMED_MAX ? `${names} … (${came.length})` : names;
    if (came.length > 0) this.#handlers.onNotice({ kind: 'joined', id: came[0].id, name, time: String(time) });
    if (came.some(({ id, name: other }) => (idOf.get(other) ?? id) !== id)) this.#handlers.onDoubt();
  }

  /** @param {any} message */
  #onLogout(message) {
    const id = String(message.from_client_id);
    if (this.#isAsking) this.#early.set(id, undefined);
    this.members.delete(id);
    this.#handlers.onMembers();
    this.#handlers.onNotice({
      kind: 'left',
      id,
      name: decode(String(message.from_client_name)),
      time: String(message.time),
    });
  }

  /**
   * A message may come twice, as it is said and in the history; without a store none has an id.
   * @param {any} message
   */
  #isNew(message) {
    if (message.id === undefined) return true;
    const id = String(message.id);
    if (this.#known.has(id)) return false;
    this.#known.add(id);
    if (this.#known.size > KNOWN_MAX) this.#known.delete(this.#known.values().next().value ?? '');
    return true;
  }

  /** @param {any} message */
  #onSay(message) {
    if (this.#isNew(message)) this.#handlers.onSaying(this.#read(message));
  }

  /** What was said before we came, or while we were away. @param {any} message */
  #onHistory(message) {
    const all = /** @type {any[]} */ (Array.isArray(message.messages) ? message.messages : []);
    this.#handlers.onHistory(all.filter((one) => this.#isNew(one)).map((one) => this.#read(one)));
  }

  /**
   * Private messages carry a sentence in bold in front ("对你说: "); the page says the same in its own
   * language and place.
   * @param {any} message
   * @returns {Saying}
   */
  #read(message) {
    const id = String(message.from_client_id);
    const isPrivate = message.to_client_id !== 'all';
    const content = String(message.content);
    const name = decode(String(message.from_client_name));
    return {
      id,
      name,
      html: isPrivate ? content.replace(/^<b>[^<]*<\/b>/, '') : content,
      time: String(message.time),
      isMine: this.#mine.get(id) === name,
      isPrivate,
      toName: this.members.get(String(message.to_client_id)) ?? '',
    };
  }
}
