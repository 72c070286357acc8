// Who is here, and whom the next message is for.

import { byId, make, makeAvatar } from './dom.js';
import { words } from './i18n.js';

const EVERYBODY = 'all';

export class Members {
  #list = byId('member-list');
  #counts = document.querySelectorAll('#member-count, .pane-count');
  /** @type {HTMLSelectElement} */ #to = byId('to');
  #onChosen;

  /** @param {() => void} onChosen a member was clicked: time to write */
  constructor(onChosen) {
    this.#onChosen = onChosen;
    this.#to.addEventListener('change', () => this.#markChosen());
  }

  /** Client id or "all". */
  get addressee() {
    return this.#to.value || EVERYBODY;
  }

  get addresseeName() {
    return this.#to.selectedOptions[0]?.textContent ?? '';
  }

  choose(id = EVERYBODY) {
    this.#to.value = id;
    if (!this.#to.value) this.#to.value = EVERYBODY;
    this.#markChosen();
  }

  /** @param {ReadonlyMap<string, string>} members @param {string} myId */
  show(members, myId) {
    const chosen = this.addressee;
    const focused = this.#list.contains(document.activeElement)
      ? /** @type {HTMLElement} */ (document.activeElement).dataset.id : undefined;
    const sorted = [...members].sort(([a, nameA], [b, nameB]) =>
      Number(b === myId) - Number(a === myId) || nameA.localeCompare(nameB));
    for (const element of this.#counts) element.textContent = String(members.size);
    this.#list.replaceChildren(...sorted.map(([id, name]) => this.#makeMember(id, name, id === myId)));
    if (focused !== undefined) this.#buttonOf(focused)?.focus({ preventScroll: true });
    const others = sorted.filter(([id]) => id !== myId);
    this.#to.replaceChildren(
      new Option(words().all, EVERYBODY),
      ...others.map(([id, name]) => new Option(name, id)),
    );
    this.choose(chosen);
  }

  /** @param {string} id */
  #buttonOf(id) {
    return [...this.#list.querySelectorAll('button')].find((button) => button.dataset.id === id);
  }

  /** @param {string} id @param {string} name @param {boolean} isMe */
  #makeMember(id, name, isMe) {
    const button = /** @type {HTMLButtonElement} */ (make('button', 'member', makeAvatar(name), make('span', 'member-name', name)));
    button.type = 'button';
    button.dataset.id = id;
    button.dataset.testid = 'member';
    if (isMe) {
      button.append(make('span', 'tag', words().you));
      button.disabled = true;
    } else {
      button.title = words().privateTo(name);
      button.addEventListener('click', () => {
        this.choose(this.addressee === id ? EVERYBODY : id);
        this.#onChosen();
      });
    }
    return make('li', '', button);
  }

  #markChosen() {
    const id = this.addressee;
    byId('composer').classList.toggle('is-private', id !== EVERYBODY);
    for (const button of this.#list.querySelectorAll('button')) {
      button.setAttribute('aria-pressed', String(button.dataset.id === id));
    }
  }
}
