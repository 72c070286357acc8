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
 *   onMembers: () => void,
 *   onError: (code: string, text: string) => void,
 * }} Handlers
 */

export class Room {
  /** Names by client id. @type {Map<string, string>} */ members = new Map();
  /** Our client id while we are in. */ myId = '';
  /** Who came and went after we asked to come in: id to name, or undefined for gone. @type {Map<string, string | undefined>} */
  #early = new Map();
  #handlers;

  /** @param {Handlers} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  /** We ask to come in; what was known before counts no more. */
  expect() {
    this.myId = '';
    this.#early.clear();
  }

  /** @param {any} message */
  onMessage(message) {
    if (message.type === 'login' && message.client_list) this.#onEntered(message);
    else if (message.type === 'login') this.#onLogin(message);
    else if (message.type === 'logout') this.#onLogout(message);
    else if (message.type === 'say') this.#onSay(message);
    else if (message.type === 'error') this.#handlers.onError(String(message.code), String(message.message));
  }

  /**
   * Our own login, with everybody who is here. A notice may overtake the list when two people come
   * at the same moment, so those that came first are applied to it.
   * @param {any} message
   */
  #onEntered(message) {
    this.members = new Map();
    for (const [id, name] of Object.entries(message.client_list)) this.members.set(id, decode(String(name)));
    for (const [id, name] of this.#early) {
      if (name === undefined) this.members.delete(id);
      else this.members.set(id, name);
    }
    this.#early.clear();
    this.myId = String(message.client_id);
    const name = decode(String(message.client_name));
    this.members.set(this.myId, name);
    this.#handlers.onMembers();
    this.#handlers.onNotice({ kind: 'entered', id: this.myId, name, time: String(message.time) });
  }

  /** @param {any} message */
  #onLogin(message) {
    const id = String(message.client_id);
    const name = decode(String(message.client_name));
    if (!this.myId) this.#early.set(id, name);
    this.members.set(id, name);
    this.#handlers.onMembers();
    this.#handlers.onNotice({ kind: 'joined', id, name, time: String(message.time) });
  }

  /** @param {any} message */
  #onLogout(message) {
    const id = String(message.from_client_id);
    if (!this.myId) this.#early.set(id, undefined);
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
   * Private messages carry a sentence in bold in front ("对你说: "); the page says the same in its own
   * language and place.
   * @param {any} message
   */
  #onSay(message) {
    const id = String(message.from_client_id);
    const isPrivate = message.to_client_id !== 'all';
    const content = String(message.content);
    this.#handlers.onSaying({
      id,
      name: decode(String(message.from_client_name)),
      html: isPrivate ? content.replace(/^<b>[^<]*<\/b>/, '') : content,
      time: String(message.time),
      isMine: id === this.myId,
      isPrivate,
      toName: this.members.get(String(message.to_client_id)) ?? '',
    });
  }
}
