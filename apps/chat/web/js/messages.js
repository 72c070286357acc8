// The list of messages: bubbles, notices, and staying at the newest one unless the reader scrolled up.

import { byId, make, makeAvatar } from './dom.js';
import { words } from './i18n.js';
import { isOnlyEmotes, render } from './markup.js';

/** @typedef {import('./room.js').Saying} Saying */
/** @typedef {import('./room.js').Notice} Notice */

const KEPT_MAX = 500;
const NEAR_END_PX = 80;
/** Messages of one person within this time stand together under one name. */
const TOGETHER_MS = 120_000;

/** "2026-11-20 12:34:56" to "12:34", with the whole as tooltip. @param {string} time */
function makeTime(time) {
  const element = make('time', 'time', time.slice(11, 16));
  element.setAttribute('datetime', time.replace(' ', 'T'));
  element.title = time;
  return element;
}

export class Messages {
  #list = byId('messages');
  #scroller = byId('scroller');
  #newest = byId('newest');
  #unseen = 0;
  /** @type {{id: string, isPrivate: boolean, at: number, group: HTMLElement} | undefined} */
  #last;

  constructor() {
    this.#newest.addEventListener('click', () => this.#goToEnd());
    this.#scroller.addEventListener('scroll', () => this.#isNearEnd() && this.#markSeen(), { passive: true });
    // Pictures and the phone's keyboard change heights after the fact.
    let wasNearEnd = true;
    this.#scroller.addEventListener('scroll', () => (wasNearEnd = this.#isNearEnd()), { passive: true });
    new ResizeObserver(() => wasNearEnd && this.#goToEnd()).observe(this.#list);
    new ResizeObserver(() => wasNearEnd && this.#goToEnd()).observe(this.#scroller);
  }

  clear() {
    this.#list.replaceChildren();
    this.#last = undefined;
    this.#markSeen();
  }

  /** @param {Notice} notice */
  addNotice(notice) {
    const name = notice.kind === 'entered' ? words().me : notice.name;
    const text = notice.kind === 'left' ? words().left(name) : words().joined(name);
    const item = make('li', 'notice', make('span', 'notice-text', text), makeTime(notice.time));
    item.dataset.testid = `notice-${notice.kind}`;
    this.#last = undefined;
    this.#add(item, false);
  }

  /** @param {Saying} saying */
  addSaying(saying) {
    const bubble = make('div', 'bubble');
    bubble.dir = 'auto';
    bubble.append(render(saying.html));
    bubble.classList.toggle('large', isOnlyEmotes(saying.html));
    bubble.dataset.testid = 'bubble';
    const at = Date.parse(saying.time.replace(' ', 'T'));
    const last = this.#last;
    if (last && last.id === saying.id && last.isPrivate === saying.isPrivate && !saying.isPrivate &&
        at - last.at < TOGETHER_MS) {
      last.at = at;
      last.group.append(bubble);
      this.#afterAdd(saying.isMine);
      return;
    }
    const group = make('div', 'group', this.#makeHead(saying), bubble);
    const item = make('li', 'saying', makeAvatar(saying.name), group);
    item.classList.toggle('mine', saying.isMine);
    item.classList.toggle('private', saying.isPrivate);
    item.dataset.testid = saying.isPrivate ? 'private' : 'saying';
    this.#last = { id: saying.id, isPrivate: saying.isPrivate, at, group };
    this.#add(item, saying.isMine);
  }

  /** @param {Saying} saying */
  #makeHead(saying) {
    const head = make('div', 'head', make('span', 'name', saying.name));
    if (saying.isPrivate) {
      const text = saying.isMine ? words().privateTo(saying.toName) : words().privateMark;
      head.append(make('span', 'mark', text));
    }
    head.append(makeTime(saying.time));
    return head;
  }

  /** @param {HTMLElement} item @param {boolean} isMine */
  #add(item, isMine) {
    this.#list.append(item);
    while (this.#list.childElementCount > KEPT_MAX) this.#list.firstElementChild?.remove();
    this.#afterAdd(isMine);
  }

  /** @param {boolean} isMine */
  #afterAdd(isMine) {
    const added = this.#list.lastElementChild;
    const height = added instanceof HTMLElement ? added.offsetHeight : 0;
    if (isMine || this.#isNearEnd(height)) {
      this.#goToEnd();
      return;
    }
    this.#unseen++;
    this.#newest.textContent = words().newest(this.#unseen);
    this.#newest.hidden = false;
  }

  #isNearEnd(extra = 0) {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX + extra;
  }

  #goToEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#markSeen();
  }

  #markSeen() {
    this.#unseen = 0;
    this.#newest.hidden = true;
  }
}
