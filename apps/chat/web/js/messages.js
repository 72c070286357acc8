// The list of messages: bubbles, notices, and staying at the newest one unless the reader scrolled up.

import { byId, make, makeAvatar } from './dom.js';
import { words } from './i18n.js';
import { isOnlyEmotes, render } from './markup.js';

/** @typedef {import('./room.js').Saying} Saying */
/** @typedef {import('./room.js').Notice} Notice */
/** @typedef {{id: string, name: string, isPrivate: boolean, at: number, group: HTMLElement}} Last */

/** Messages and notices on the page, and messages of one person under one name. */
const KEPT_MAX = 500;
const GROUP_MAX = 50;
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

/**
 * A sentence with a name in it. A name may turn writing around, but only within itself.
 * @param {(name: string) => string} say @param {string} name
 */
function sentence(say, name) {
  const [before, after] = say('\0').split('\0');
  return make('span', 'notice-text', before, make('bdi', '', name), after);
}

export class Messages {
  #list = byId('messages');
  #scroller = byId('scroller');
  #newest = byId('newest');
  #unseen = 0;
  #bubblesN = 0;
  /** @type {Last | undefined} */ #last;
  /** The notice that we are in. @type {HTMLElement | undefined} */ #entrance;

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
    this.#bubblesN = 0;
    this.#last = undefined;
    this.#markSeen();
  }

  /** @param {Notice} notice */
  addNotice(notice) {
    const name = notice.kind === 'entered' ? words().me : notice.name;
    const text = sentence(notice.kind === 'left' ? words().left : words().joined, name);
    const item = make('li', 'notice', text, makeTime(notice.time));
    item.dataset.testid = `notice-${notice.kind}`;
    this.#last = undefined;
    if (notice.kind === 'entered') this.#entrance = item;
    this.#add(item, false);
  }

  /**
   * What was said before we came in belongs above the notice of it.
   * @param {Saying[]} sayings
   */
  addEarlier(sayings) {
    /** @type {Last | undefined} */ let last;
    const items = document.createDocumentFragment();
    for (const saying of sayings) last = this.#put(saying, last, (item) => items.append(item));
    const wasNearEnd = this.#isNearEnd();
    if (this.#entrance?.isConnected) this.#entrance.before(items);
    else this.#list.prepend(items);
    this.#trim();
    if (wasNearEnd) this.#goToEnd();
  }

  /** @param {Saying} saying */
  addSaying(saying) {
    const before = this.#last;
    this.#last = this.#put(saying, before, (item) => this.#add(item, saying.isMine));
    if (this.#last !== before) return;
    this.#trim();
    this.#afterAdd(saying.isMine);
  }

  /**
   * Into the group of the one before, or into an item of its own that is given to `add`.
   * @param {Saying} saying @param {Last | undefined} last @param {(item: HTMLElement) => void} add
   */
  #put(saying, last, add) {
    const bubble = make('div', 'bubble');
    bubble.dir = 'auto';
    bubble.append(render(saying.html));
    bubble.classList.toggle('large', isOnlyEmotes(saying.html));
    bubble.dataset.testid = 'bubble';
    this.#bubblesN++;
    const at = Date.parse(saying.time.replace(' ', 'T'));
    if (last && last.id === saying.id && last.name === saying.name && !last.isPrivate && !saying.isPrivate &&
        at - last.at < TOGETHER_MS && last.group.childElementCount <= GROUP_MAX) {
      last.at = at;
      last.group.append(bubble);
      return last;
    }
    const group = make('div', 'group', this.#makeHead(saying), bubble);
    const item = make('li', 'saying', makeAvatar(saying.name), group);
    item.classList.toggle('mine', saying.isMine);
    item.classList.toggle('private', saying.isPrivate);
    item.dataset.testid = saying.isPrivate ? 'private' : 'saying';
    add(item);
    return { id: saying.id, name: saying.name, isPrivate: saying.isPrivate, at, group };
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
    this.#trim();
    this.#afterAdd(isMine);
  }

  /** The oldest go, but never the newest item. */
  #trim() {
    while (this.#list.childElementCount > 1 &&
        (this.#list.childElementCount > KEPT_MAX || this.#bubblesN > KEPT_MAX)) {
      const oldest = /** @type {Element} */ (this.#list.firstElementChild);
      this.#bubblesN -= oldest.getElementsByClassName('bubble').length;
      oldest.remove();
    }
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
